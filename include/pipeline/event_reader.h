// SPDX-License-Identifier: MIT
/* Reads the events of one subscription, body after body, in order; joins a record that the
 * platform cut across two bodies, and turns what is not valid into events of type
 * `extension.unparsed`.
 *
 * A record larger than the subscription's maxBytes arrives as two bodies (or more), neither valid
 * JSON: the first ends in the middle of the record plus a stray "}]", the second repeats the
 * envelope and goes on where the first stopped. The head is held (up to EVENT_HELD_BYTES_MAX) until
 * the next body; if the two together make an event, or the head of one, it is yielded or held on,
 * else the head is yielded as unparsed and the body is read alone. */
#pragma once

#include "base/attributes.h"
#include "base/buf.h"
#include "pipeline/event_splitter.h"

#include <stdbool.h>

enum { EVENT_HELD_BYTES_MAX = 4 * 1024 * 1024 };

struct event_reader {
    struct buf body;     /* being read; used up, it keeps its memory for whoever takes that */
    struct buf held;     /* "[" and the head of a cut record, or empty */
    struct buf rendered; /* JSON text of the last unparsed event */
    struct event_splitter splitter;
    struct span unparsed; /* bytes that are to be rendered and yielded next … */
    bool has_unparsed;    /* … if this is true */
    bool reading;         /* `body` is not used up */
    bool orphaned;        /* `held` found no partner: it is the next thing to yield */
};

enum reader_item {
    READER_EVENT,     /* *ret is an event */
    READER_UNPARSED,  /* *ret is an event of type extension.unparsed made from invalid bytes */
    READER_NO_MEMORY, /* an unparsed event could not be made; it is the next one again */
    READER_END,       /* the body is used up, and empty; open the next */
};

/* Allocates nothing. */
struct event_reader event_reader_empty(void);
void event_reader_done(struct event_reader *reader);

/* Takes *body over (it is left empty). Only after READER_END, or at first. When the join
 * fails for lack of memory, the two bodies are read apart, their bytes as unparsed. */
void event_reader_open(struct event_reader *reader, struct buf *body);

/* The spans of *ret are valid until the next call.
 *
 * An unparsed event's text is {"type":"extension.unparsed","record":"…"}; when the bytes are not
 * valid UTF-8, each invalid byte is U+FFFD in "record" and the member "recordBase64" holds the
 * exact bytes. */
MUST_CHECK enum reader_item event_reader_next(struct event_reader *reader, struct event *ret);

/* After READER_NO_MEMORY: leaves that event out and returns how many bytes it had. */
size_t event_reader_skip(struct event_reader *reader);

/* Bytes held back for a partner that has not come yet. */
size_t event_reader_held(const struct event_reader *reader);

/* No partner will come (time is up, or shutdown): the next event_reader_next() yields what is held.
 * Only when no body is open. */
void event_reader_give_up_held(struct event_reader *reader);
