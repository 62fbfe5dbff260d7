// SPDX-License-Identifier: MIT
#include "pipeline/cloudwatch_events.h"

#include "base/timestamp.h"
#include "pipeline/classic_text.h"
#include "pipeline/json_scanner.h"

#include <limits.h>
#include <stdlib.h>

enum {
    TIME_DIGITS = 13,
    ENVIRONMENT_DIGITS = 15, /* of 48 bits */
    NUMBER_DIGITS = 20,
};

#define LAST_MS INT64_C(9999999999999) /* in the year 2286: the last of 13 digits */

void cloudwatch_events_init(struct cloudwatch_events *events, const char *environment_id,
                            bool has_end_events, int64_t now_ms) {
    *events = (struct cloudwatch_events){
        .has_end_events = has_end_events,
        .last_ms = now_ms,
        .started_ms = now_ms,
        .text = buf_with_ceiling(SSIZE_MAX),
    };
    cloudwatch_events_renew(events, environment_id);
}

void cloudwatch_events_renew(struct cloudwatch_events *events, const char *environment_id) {
    events->environment = strtoull(environment_id, NULL, 16);
}

void cloudwatch_events_done(struct cloudwatch_events *events) { buf_done(&events->text); }

static bool is_timeout(const struct event *event) {
    struct span status = event_record_member(event, SPAN("status"));
    return span_equals(json_string_content(status), SPAN("timeout"));
}

bool cloudwatch_events_shows(const struct cloudwatch_events *events, const struct event *event) {
    if (event_kind_of(event) == EVENT_RUNTIME_DONE) {
        return !events->has_end_events || is_timeout(event);
    }
    return classic_text_exists(event);
}

static void take_time(struct cloudwatch_events *events, const struct event *event,
                      enum event_kind kind) {
    int64_t wall_ms = 0;
    if (!timestamp_read(event->time, &wall_ms) || wall_ms < 0 || wall_ms > LAST_MS) {
        return;
    }
    events->last_ms = wall_ms;
    if (kind == EVENT_START) {
        events->started_ms = wall_ms;
    }
}

/* With leading zeros. */
static void append_digits(struct buf *out, uint64_t value, size_t count) {
    char digits[NUMBER_DIGITS];
    for (size_t i = count; i-- > 0; value /= 10) {
        digits[i] = (char)('0' + value % 10);
    }
    buf_append(out, span_of(digits, count));
}

static void open_log_event(struct cloudwatch_events *events, uint64_t number, unsigned count) {
    struct buf *out = &events->text;
    buf_append(out, count == 0 ? SPAN("{\"id\":\"") : SPAN(",{\"id\":\""));
    append_digits(out, (uint64_t)events->last_ms, TIME_DIGITS);
    append_digits(out, events->environment, ENVIRONMENT_DIGITS);
    append_digits(out, number, NUMBER_DIGITS);
    append_digits(out, count, CLOUDWATCH_COUNT_DIGITS);
    buf_append(out, SPAN("\",\"timestamp\":"));
    buf_append_u64(out, (uint64_t)events->last_ms);
    buf_append(out, SPAN(",\"message\":\""));
}

static void close_log_event(struct cloudwatch_events *events) {
    buf_append(&events->text, SPAN("\"}"));
}

/* A time-out has a line of its own before the end. */
static void make_end(struct cloudwatch_events *events, const struct event *event, uint64_t number) {
    unsigned count = 0;
    if (is_timeout(event)) {
        open_log_event(events, number, count++);
        classic_text_append_timeout(&events->text, event, events->last_ms - events->started_ms);
        close_log_event(events);
    }
    if (!events->has_end_events) {
        open_log_event(events, number, count);
        classic_text_append_end(&events->text, event);
        close_log_event(events);
    }
}

/* *ret_message: where the message begins, with its quote. */
static void make_single(struct cloudwatch_events *events, const struct event *event,
                        uint64_t number, size_t *ret_message) {
    open_log_event(events, number, 0);
    *ret_message = events->text.len - 1;
    classic_text_append(&events->text, event);
    close_log_event(events);
}

bool cloudwatch_events_make(struct cloudwatch_events *events, const struct event *event,
                            uint64_t number, struct event *ret, struct error *err) {
    enum event_kind kind = event_kind_of(event);
    size_t message = 0;
    buf_clear(&events->text);
    take_time(events, event, kind);
    if (kind == EVENT_RUNTIME_DONE) {
        make_end(events, event, number);
    } else {
        make_single(events, event, number, &message);
    }
    if (buf_failed(&events->text)) {
        return error_set_memory(err, "a log event");
    }
    struct span text = buf_span(&events->text);
    *ret = (struct event){.text = text, .type = event->type};
    if (message > 0) {
        ret->record = span_first(span_skip(text, message), text.len - message - 1);
    }
    return true;
}
