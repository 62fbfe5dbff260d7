// SPDX-License-Identifier: MIT
// A body: the log events that are made of its events, as of either API, and their parts are JSON
// with an id, a time and a message, and a logged string is the message as it is.
#include "pipeline/cloudwatch_events.h"
#include "pipeline/enricher.h"
#include "pipeline/event_reader.h"
#include "pipeline/json_scanner.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>

enum { ID_DIGITS = 56, SHORT_LINE = 300 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds) {
    if (!holds) {
        abort();
    }
}

static struct span next_value(struct json_object *object, struct span name) {
    struct json_member member;
    require(json_object_next(object, &member) == JSON_MEMBER);
    require(span_equals(member.name, name));
    return member.value;
}

static struct span message_of(struct span log_event) {
    struct json_object object = json_object_over(log_event);
    unsigned long long number = 0;
    struct span id = json_string_content(next_value(&object, SPAN("id")));
    require(id.len == ID_DIGITS);
    for (size_t i = 0; i < id.len; i++) {
        require(id.ptr[i] >= '0' && id.ptr[i] <= '9');
    }
    require(span_to_u64(next_value(&object, SPAN("timestamp")), &number));
    struct span message = next_value(&object, SPAN("message"));
    require(span_starts_with(message, SPAN("\"")));
    return message;
}

/* One log event, or two with a comma between them. */
static void require_log_events(struct span text) {
    struct json_scanner scanner = json_scanner_over(text);
    struct span log_event;
    do {
        require(json_scan_value(&scanner, &log_event));
        (void)message_of(log_event);
    } while (json_skip(&scanner, ','));
    require(scanner.at == scanner.end);
}

static void cut(struct enricher *enricher, const struct event *made) {
    struct event_parts parts;
    struct line line;
    if (made->text.len <= SHORT_LINE ||
        !event_parts_cut(enricher, made, SHORT_LINE, &parts, NULL)) {
        return;
    }
    parts.number_at = CLOUDWATCH_COUNT_AT;
    for (unsigned long long i = 0; event_parts_next(&parts, enricher, &line, NULL); i++) {
        unsigned long long count = 0;
        require(line_length(&line) <= SHORT_LINE);
        struct buf text = buf_with_ceiling(SSIZE_MAX);
        buf_append(&text, line.head);
        buf_append(&text, line.tail);
        require_log_events(buf_span(&text));
        require(span_to_u64(
            span_first(span_skip(buf_span(&text), CLOUDWATCH_COUNT_AT), CLOUDWATCH_COUNT_DIGITS),
            &count));
        require(count == i);
        buf_done(&text);
    }
    require(parts.index == parts.count);
}

static void take_event(struct cloudwatch_events *events, struct enricher *enricher,
                       const struct event *event) {
    struct event made;
    if (!cloudwatch_events_shows(events, event)) {
        return;
    }
    require(cloudwatch_events_make(events, event, 1, &made, NULL));
    require_log_events(made.text);
    if (made.record.len > 0) {
        require(span_equals(message_of(made.text), made.record));
        if (event_kind_of(event) == EVENT_FUNCTION && span_starts_with(event->record, SPAN("\""))) {
            require(span_equals(made.record, event->record));
        }
        cut(enricher, &made);
    }
}

static void take_all(struct span body_text, bool has_end_events) {
    struct event_reader reader = event_reader_empty();
    struct enricher enricher;
    const struct enricher_settings settings = {.environment_id = "5f3c9a7e12d4"};
    require(enricher_init(&enricher, &settings, NULL));
    struct cloudwatch_events events;
    cloudwatch_events_init(&events, "5f3c9a7e12d4", has_end_events, 1773500966536);
    struct buf body = buf_with_ceiling(SSIZE_MAX);
    buf_append(&body, body_text);
    event_reader_open(&reader, &body);
    event_reader_give_up_held(&reader);
    struct event event;
    enum reader_item item;
    while ((item = event_reader_next(&reader, &event)) != READER_END) {
        require(item != READER_NO_MEMORY);
        take_event(&events, &enricher, &event);
    }
    cloudwatch_events_done(&events);
    enricher_done(&enricher);
    event_reader_done(&reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span body = span_of((const char *)data, size);
    take_all(body, false);
    take_all(body, true);
    return 0;
}
