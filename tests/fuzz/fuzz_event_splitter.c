// SPDX-License-Identifier: MIT
// Any body: the items and the array's punctuation cover it, and what is an event stays one.
#include "pipeline/event_splitter.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds) {
    if (!holds) {
        abort();
    }
}

static void require_punctuation(const char *from, const char *to) {
    for (; from < to; from++) {
        require(memchr(" \t\r\n,[]", *from, 8) != NULL);
    }
}

static void require_event_again(struct span text) {
    struct event_splitter splitter;
    struct event event;
    char *body = malloc(text.len + 1);
    require(body != NULL);
    body[0] = '[';
    memcpy(body + 1, text.ptr, text.len);
    event_splitter_init(&splitter, span_of(body, text.len + 1));
    require(event_splitter_next(&splitter, &event) == SPLITTER_EVENT);
    require(event.text.len == text.len);
    require(event_splitter_next(&splitter, &event) == SPLITTER_END);
    free(body);
}

static void require_inside(struct span inner, struct span outer) {
    require(inner.len == 0 ||
            (inner.ptr >= outer.ptr && inner.ptr + inner.len <= outer.ptr + outer.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span body = span_of((const char *)data, size);
    struct event_splitter splitter;
    struct event event;
    enum splitter_item item;
    event_splitter_init(&splitter, body);
    const char *covered = splitter.body.ptr;
    const char *end = covered + size;
    while ((item = event_splitter_next(&splitter, &event)) != SPLITTER_END) {
        require(event.text.len > 0 || size == 0);
        require_punctuation(covered, event.text.ptr);
        require(event.text.ptr >= covered);
        covered = event.text.ptr + event.text.len;
        if (item == SPLITTER_CUT) {
            require(event_envelope(event.text).len > 0);
            require(memcmp(covered, "}]", 2) == 0);
            covered += 2;
        } else if (item == SPLITTER_EVENT) {
            require_inside(event.time, event.text);
            require_inside(event.type, event.text);
            require_inside(event.record, event.text);
            require_event_again(event.text);
        }
    }
    require_punctuation(covered, end);
    return 0;
}
