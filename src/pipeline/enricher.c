// SPDX-License-Identifier: MIT
#include "pipeline/enricher.h"

#include "base/json_writer.h"
#include "pipeline/json_scanner.h"

#include <limits.h>

enum { EVENT_ID_DIGITS_MIN = 12 };
#define EVENT_ID_WIDER UINT64_C(1000000000000) /* the first number that needs more */

/* Members that are added, as bits. */
enum { REQUEST_ID = 1, EVENT_ID = 2, LAMBDA = 4, TAGS = 8 };

static void append_member(struct buf *out, struct span name, struct span value) {
    if (value.len == 0) {
        return;
    }
    if (out->ptr[out->len - 1] != '{') {
        buf_append_char(out, ',');
    }
    json_append_member(out, name, value);
}

static void append_lambda(struct buf *out, const struct enricher_settings *settings) {
    buf_append(out, SPAN(",\"lambda\":{"));
    if (buf_failed(out)) {
        return;
    }
    append_member(out, SPAN("functionName"), settings->function_name);
    append_member(out, SPAN("functionVersion"), settings->function_version);
    append_member(out, SPAN("accountId"), settings->account_id);
    append_member(out, SPAN("region"), settings->region);
    append_member(out, SPAN("environmentId"), span_of_text(settings->environment_id));
    buf_append_char(out, '}');
}

static void append_tags(struct buf *out, const struct enricher_settings *settings) {
    for (size_t i = 0; i < settings->tag_count; i++) {
        buf_append(out, i == 0 ? SPAN(",\"tags\":{") : SPAN(","));
        json_append_string(out, settings->tags[i].key);
        buf_append_char(out, ':');
        json_append_string(out, settings->tags[i].value);
    }
    if (settings->tag_count > 0) {
        buf_append_char(out, '}');
    }
}

bool enricher_init(struct enricher *e, const struct enricher_settings *settings,
                   struct error *err) {
    *e = (struct enricher){
        .enabled = settings->enabled,
        .concurrent = settings->concurrent,
        .next_event = 1,
        .lambda = buf_with_ceiling(SSIZE_MAX),
        .tags = buf_with_ceiling(SSIZE_MAX),
        .head = buf_with_ceiling(SSIZE_MAX),
        .tail = buf_with_ceiling(SSIZE_MAX),
    };
    struct span id = span_first(span_of_text(settings->environment_id), ENVIRONMENT_ID_BYTES - 1);
    memcpy(e->environment_id, id.len > 0 ? id.ptr : "", id.len);
    append_lambda(&e->lambda, settings);
    e->id_at = id.len == 0 ? 0 : e->lambda.len - id.len - SPAN("\"}").len;
    append_tags(&e->tags, settings);
    if (buf_failed(&e->lambda) || buf_failed(&e->tags)) {
        enricher_done(e);
        return error_set_memory(err, "what every event gets");
    }
    return true;
}

void enricher_done(struct enricher *e) {
    buf_done(&e->lambda);
    buf_done(&e->tags);
    buf_done(&e->head);
    buf_done(&e->tail);
}

void enricher_renew(struct enricher *e, const char *environment_id) {
    size_t length = strlen(e->environment_id);
    memcpy(e->environment_id, environment_id, length);
    if (e->id_at > 0) {
        memcpy(e->lambda.ptr + e->id_at, environment_id, length);
    }
    buf_clear(&e->tail);
    e->next_event = 1;
}

/* --- which request an event belongs to --- */

/* What the event itself says. */
static struct span own_request_id(const struct event *event, enum event_kind kind) {
    switch (kind) {
    case EVENT_FUNCTION:
        return event_logged_request_id(event);
    case EVENT_EXTENSION:
        return span_of(NULL, 0);
    case EVENT_OTHER: /* such as extension.functionTerminated */
    case EVENT_START:
    case EVENT_RUNTIME_DONE:
    case EVENT_REPORT:
    case EVENT_LOGS_DROPPED:
    case EVENT_RESTORE_START:
    case EVENT_PLATFORM:
        break;
    }
    return event_request_id(event);
}

struct span enricher_request_id(const struct enricher *e, const struct event *event) {
    enum event_kind kind = event_kind_of(event);
    struct span own = own_request_id(event, kind);
    return own.len > 0 || kind == EVENT_START ? own : span_of_text(e->request_id);
}

void enricher_observe(struct enricher *e, const struct event *event) {
    enum event_kind kind = event_kind_of(event);
    if (e->concurrent || (kind != EVENT_START && kind != EVENT_REPORT)) {
        return;
    }
    struct span id = own_request_id(event, kind);
    if (kind == EVENT_START) {
        memcpy(e->request_id, id.len > 0 ? id.ptr : "", id.len);
        e->request_id[id.len] = '\0';
    } else if (span_equals(id, span_of_text(e->request_id))) {
        e->request_id[0] = '\0';
    }
}

/* --- lines --- */

static bool has_newline(struct span text) {
    return memchr(text.ptr, '\n', text.len) != NULL || memchr(text.ptr, '\r', text.len) != NULL;
}

void enricher_append_flat(struct buf *out, struct span text) {
    char *to = buf_reserve(out, text.len);
    if (to == NULL) {
        return;
    }
    for (size_t i = 0; i < text.len; i++) {
        bool is_newline = text.ptr[i] == '\n' || text.ptr[i] == '\r';
        to[i] = is_newline ? ' ' : text.ptr[i];
    }
    buf_commit(out, text.len);
}

/* The event's text without raw newlines; a copy only if it has some. */
static struct span flat_text(struct enricher *e, const struct event *event) {
    buf_clear(&e->head);
    if (!event->has_blanks || !has_newline(event->text)) {
        return event->text;
    }
    enricher_append_flat(&e->head, event->text);
    return buf_span(&e->head);
}

/* Those of the added members that the event has itself. */
static unsigned members_taken(const struct event *event) {
    static const char *const names[] = {"requestId", "eventId", "lambda", "tags"};
    unsigned taken = 0;
    if (!event->has_others) {
        return taken;
    }
    struct json_object object = json_object_over(event->text);
    struct json_member member;
    while (json_object_next(&object, &member) == JSON_MEMBER) {
        for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
            if (span_equals(member.name, span_of_text(names[i]))) {
                taken |= 1U << i;
            }
        }
    }
    return taken;
}

static bool is_empty_object(const struct event *event) {
    return event->time.ptr == NULL && event->type.ptr == NULL && event->record.ptr == NULL &&
           !event->has_others;
}

static size_t event_id_digits(uint64_t number) {
    size_t digits = EVENT_ID_DIGITS_MIN;
    for (uint64_t rest = number / EVENT_ID_WIDER; rest > 0; rest /= 10) {
        digits++;
    }
    return digits;
}

/* With zeros for its number. */
static void append_event_id(struct buf *out, struct enricher *e) {
    buf_append(out, SPAN(",\"eventId\":\""));
    buf_append(out, span_of_text(e->environment_id));
    buf_append_char(out, '-');
    for (size_t digits = event_id_digits(e->next_event); digits > 0; digits--) {
        buf_append_char(out, '0');
    }
    e->shape.number_end = out->len;
    buf_append_char(out, '"');
}

static void append_request_id(struct buf *out, struct enricher *e, struct span request_id) {
    buf_append(out, SPAN(",\"requestId\":\""));
    e->shape.request_at = out->len;
    buf_append(out, request_id);
    buf_append_char(out, '"');
}

static void begin_tail(struct enricher *e, unsigned taken, struct span request_id) {
    struct buf *out = &e->tail;
    buf_clear(out);
    e->shape = (struct tail_shape){.taken = taken, .request_length = request_id.len};
    if (request_id.len > 0) {
        append_request_id(out, e, request_id);
    }
    if ((taken & EVENT_ID) == 0) {
        append_event_id(out, e);
    }
    if ((taken & LAMBDA) == 0) {
        buf_append(out, buf_span(&e->lambda));
    }
    if ((taken & TAGS) == 0) {
        buf_append(out, buf_span(&e->tags));
    }
    buf_append_char(out, '}');
}

/* Whether the tail of the line before will do, but for its number. It nearly always does, and is
 * longer than many an event. */
static bool tail_serves(const struct enricher *e, unsigned taken, struct span request_id) {
    const struct tail_shape *shape = &e->shape;
    struct span tail = buf_span(&e->tail);
    struct span before = span_first(span_skip(tail, shape->request_at), shape->request_length);
    return tail.len > 0 && !buf_failed(&e->tail) && shape->taken == taken &&
           span_equals(before, request_id) && e->next_event < EVENT_ID_WIDER;
}

/* Over the number before it, as far as they differ, which is a digit nearly always. */
static void write_number(struct enricher *e) {
    char *to = e->tail.ptr + e->shape.number_end;
    uint64_t before = e->shape.number;
    for (uint64_t rest = e->next_event; rest != before; rest /= 10, before /= 10) {
        *--to = (char)('0' + rest % 10);
    }
    e->shape.number = e->next_event;
}

/* What takes the place of the event's closing brace. */
static struct span make_tail(struct enricher *e, const struct event *event,
                             struct span request_id) {
    unsigned taken = members_taken(event);
    struct span added = (taken & REQUEST_ID) == 0 ? request_id : span_of(NULL, 0);
    if (!tail_serves(e, taken, added)) {
        begin_tail(e, taken, added);
    }
    if ((taken & EVENT_ID) == 0 && !buf_failed(&e->tail)) {
        write_number(e);
    }
    return span_skip(buf_span(&e->tail), is_empty_object(event) ? 1 : 0);
}

bool enricher_line(struct enricher *e, const struct event *event, struct line *ret,
                   struct error *err) {
    struct span request_id = enricher_request_id(e, event);
    struct span head = flat_text(e, event);
    struct span tail = span_of(NULL, 0);
    if (e->enabled) {
        tail = make_tail(e, event, request_id);
        head.len--;
    }
    if (buf_failed(&e->head) || buf_failed(&e->tail)) {
        return error_set_memory(err, "an event's line");
    }
    enricher_observe(e, event);
    e->next_event++;
    ret->head = head;
    ret->tail = tail;
    ret->request_id = request_id;
    return true;
}
