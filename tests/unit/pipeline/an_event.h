// SPDX-License-Identifier: MIT
/* The event that a text is, for tests of what is made of events. Include it behind cmocka.h. */
#pragma once

#include "pipeline/event_splitter.h"

static inline struct event an_event(const char *text) {
    struct event_splitter splitter;
    struct event event;
    event_splitter_init(&splitter, span_of_text(text));
    assert_int_equal(event_splitter_next(&splitter, &event), SPLITTER_EVENT);
    return event;
}
