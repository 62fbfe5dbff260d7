// SPDX-License-Identifier: MIT
#include "pipeline/event_reader.h"

#include "base/base64.h"
#include "base/json_writer.h"
#include "base/utf8.h"

#include <limits.h>

#define UNPARSED_START SPAN("{\"type\":\"extension.unparsed\",\"record\":")

struct event_reader event_reader_empty(void) {
    /* The listener bounds bodies, and what is made of one is a small multiple of it. */
    return (struct event_reader){
        .body = buf_with_ceiling(SSIZE_MAX),
        .held = buf_with_ceiling(SSIZE_MAX),
        .rendered = buf_with_ceiling(SSIZE_MAX),
    };
}

void event_reader_done(struct event_reader *r) {
    buf_done(&r->body);
    buf_done(&r->held);
    buf_done(&r->rendered);
    r->has_unparsed = false;
    r->reading = false;
    r->orphaned = false;
}

/* The held head without the bracket that makes it the start of a body. */
static struct span held_head(const struct event_reader *r) {
    return r->held.len > 0 ? span_skip(buf_span(&r->held), 1) : span_of(NULL, 0);
}

size_t event_reader_held(const struct event_reader *r) {
    return r->orphaned ? 0 : held_head(r).len;
}

void event_reader_give_up_held(struct event_reader *r) { r->orphaned = r->held.len > 0; }

/* What `body` has behind the envelope that `head` has too, or an empty span. */
static struct span resumed_bytes(struct span head, struct span body) {
    struct span envelope = event_envelope(head);
    if (!span_starts_with(body, SPAN("[")) || !span_starts_with(span_skip(body, 1), envelope)) {
        return span_of(NULL, 0);
    }
    return span_skip(body, 1 + envelope.len);
}

static bool starts_with_event(struct span body) {
    struct event_splitter splitter;
    struct event event;
    event_splitter_init(&splitter, body);
    enum splitter_item first = event_splitter_next(&splitter, &event);
    return first == SPLITTER_EVENT || first == SPLITTER_CUT;
}

/* Makes the held head and the body behind it one body, in `held`; false when they are none. */
static bool join(struct event_reader *r, struct span body) {
    size_t head_bytes = r->held.len;
    struct span resumed = resumed_bytes(held_head(r), body);
    if (resumed.len == 0) {
        return false;
    }
    buf_append(&r->held, resumed);
    if (!buf_failed(&r->held) && starts_with_event(buf_span(&r->held))) {
        return true;
    }
    buf_truncate(&r->held, head_bytes);
    return false;
}

void event_reader_open(struct event_reader *r, struct buf *body) {
    buf_done(&r->body);
    if (r->held.len > 0 && !r->orphaned && join(r, buf_span(body))) {
        buf_done(body);
        r->body = buf_take(&r->held);
    } else {
        r->orphaned = r->held.len > 0;
        r->body = buf_take(body);
    }
    event_splitter_init(&r->splitter, buf_span(&r->body));
    r->reading = true;
}

/* Holds the head of a cut record; false when it is too large or there is no memory for it. */
static bool hold(struct event_reader *r, struct span head) {
    if (head.len > EVENT_HELD_BYTES_MAX) {
        return false;
    }
    buf_append_char(&r->held, '[');
    buf_append(&r->held, head);
    if (buf_failed(&r->held)) {
        buf_done(&r->held);
        return false;
    }
    return true;
}

static bool render(struct buf *out, struct span bytes, struct event *ret) {
    buf_clear(out);
    buf_append(out, UNPARSED_START);
    json_append_string(out, bytes);
    size_t record_end = out->len;
    bool lossy = !utf8_is_valid(bytes);
    if (lossy) {
        buf_append(out, SPAN(",\"recordBase64\":\""));
        base64_append(out, bytes);
        buf_append_char(out, '"');
    }
    buf_append_char(out, '}');
    if (buf_failed(out)) {
        return false;
    }
    struct span text = buf_span(out);
    *ret = (struct event){
        .text = text,
        .type = span_first(span_skip(text, strlen("{\"type\":\"")), strlen("extension.unparsed")),
        .record = span_skip(span_first(text, record_end), UNPARSED_START.len),
        .has_others = lossy,
    };
    return true;
}

static enum reader_item yield_unparsed(struct event_reader *r, struct event *ret) {
    if (!render(&r->rendered, r->unparsed, ret)) {
        buf_done(&r->rendered);
        return READER_NO_MEMORY;
    }
    r->has_unparsed = false;
    return READER_UNPARSED;
}

static enum reader_item yield_orphan(struct event_reader *r, struct event *ret) {
    r->unparsed = held_head(r);
    if (yield_unparsed(r, ret) == READER_NO_MEMORY) {
        return READER_NO_MEMORY;
    }
    buf_done(&r->held);
    r->orphaned = false;
    return READER_UNPARSED;
}

size_t event_reader_skip(struct event_reader *r) {
    size_t length = r->orphaned || r->has_unparsed ? r->unparsed.len : 0;
    if (r->orphaned) {
        buf_done(&r->held);
    }
    r->orphaned = false;
    r->has_unparsed = false;
    return length;
}

static enum reader_item close_body(struct event_reader *r) {
    buf_clear(&r->body);
    buf_done(&r->rendered);
    r->reading = false;
    return READER_END;
}

enum reader_item event_reader_next(struct event_reader *r, struct event *ret) {
    if (r->orphaned) {
        return yield_orphan(r, ret);
    }
    if (r->has_unparsed) {
        return yield_unparsed(r, ret);
    }
    switch (r->reading ? event_splitter_next(&r->splitter, ret) : SPLITTER_END) {
    case SPLITTER_EVENT:
        return READER_EVENT;
    case SPLITTER_CUT:
        if (hold(r, ret->text)) {
            return close_body(r);
        }
        break;
    case SPLITTER_UNPARSED:
        break;
    case SPLITTER_END:
        return close_body(r);
    }
    r->unparsed = ret->text;
    r->has_unparsed = true;
    return yield_unparsed(r, ret);
}
