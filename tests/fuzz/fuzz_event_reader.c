// SPDX-License-Identifier: MIT
// A series of bodies, separated by the byte 0xF8 (which no UTF-8 has): every item that the reader
// yields, its line, and the parts it is cut into are events again.
#include "pipeline/enricher.h"
#include "pipeline/event_parts.h"
#include "pipeline/event_reader.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>

enum { SEPARATOR = 0xF8, SHORT_LINE = 420 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds) {
    if (!holds) {
        abort();
    }
}

static void require_event(const struct line *line) {
    struct buf body = buf_with_ceiling(SSIZE_MAX);
    buf_append_char(&body, '[');
    buf_append(&body, line->head);
    buf_append(&body, line->tail);
    struct event_splitter splitter;
    struct event event;
    event_splitter_init(&splitter, buf_span(&body));
    require(event_splitter_next(&splitter, &event) == SPLITTER_EVENT);
    require(event.text.len == line_length(line));
    buf_done(&body);
}

static void take_event(struct enricher *enricher, const struct event *event) {
    struct line line;
    struct event_parts parts;
    require_event(&(struct line){.head = event->text});
    require(enricher_line(enricher, event, &line, NULL));
    require_event(&line);
    if (line_length(&line) <= SHORT_LINE ||
        !event_parts_cut(enricher, event, SHORT_LINE, &parts, NULL)) {
        return;
    }
    while (event_parts_next(&parts, enricher, &line, NULL)) {
        require(line_length(&line) <= SHORT_LINE);
        require_event(&line);
    }
    require(parts.rest.len == 0 && parts.index == parts.count);
}

static void take_all(struct event_reader *reader, struct enricher *enricher) {
    struct event event;
    enum reader_item item;
    while ((item = event_reader_next(reader, &event)) != READER_END) {
        require(item != READER_NO_MEMORY);
        take_event(enricher, &event);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct event_reader reader = event_reader_empty();
    struct enricher enricher;
    const struct enricher_settings settings = {.enabled = true, .environment_id = "5f3c9a7e12d4"};
    require(enricher_init(&enricher, &settings, NULL));
    struct span rest = span_of((const char *)data, size);
    while (rest.len > 0) {
        struct buf body = buf_with_ceiling(SSIZE_MAX);
        buf_append(&body, span_cut(&rest, (char)SEPARATOR));
        event_reader_open(&reader, &body);
        take_all(&reader, &enricher);
    }
    event_reader_give_up_held(&reader);
    take_all(&reader, &enricher);
    require(event_reader_held(&reader) == 0);
    enricher_done(&enricher);
    event_reader_done(&reader);
    return 0;
}
