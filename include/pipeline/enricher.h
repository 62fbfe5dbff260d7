// SPDX-License-Identifier: MIT
/* Makes an event's line: the event as it came plus what consumers need to place it.
 *
 * {…members as they came…,"requestId":"…","eventId":"…","lambda":{…},"tags":{…}}
 * requestId is that of the record of an event of the platform or of ours, that which the runtime
 * wrote into a structured log line or, for others, that of the invocation that platform.start
 * opened and platform.report has not closed yet; absent when not known, never guessed. eventId is
 * the environment id and a counter. A member that the event has already is not added again.
 *
 * A line is two spans, so that a long event is copied only once, into its record. It holds no raw
 * newline: those between the tokens of pretty-printed JSON become spaces. */
#pragma once

#include "base/attributes.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/span.h"
#include "pipeline/event.h"

#include <stdbool.h>
#include <stdint.h>

enum { ENVIRONMENT_ID_BYTES = 13 };

struct tag {
    struct span key;
    struct span value;
};

/* What stays the same for every event. Spans must live until enricher_init returns. */
struct enricher_settings {
    bool enabled; /* false: lines are the events exactly as they came */
    /* Many invocations run at once, so that none is "the open one": only what an event says itself
     * counts. */
    bool concurrent;
    struct span function_name;
    struct span function_version;
    struct span account_id; /* may be empty: then left out, like every empty one here */
    struct span region;
    const char *environment_id; /* 12 hexadecimal digits */
    const struct tag *tags;
    size_t tag_count;
};

/* A line without its newline: head and tail one after the other. */
struct line {
    struct span head;
    struct span tail;
    struct span request_id; /* of the event, or empty */
};

static inline size_t line_length(const struct line *line) {
    return line->head.len + line->tail.len;
}

/* What the tail was made of, so that it is made anew only when that changes. */
struct tail_shape {
    unsigned taken; /* members that it lacks because the event has them itself */
    size_t request_at, request_length;
    size_t number_end; /* of eventId */
    uint64_t number;   /* that it has now */
};

struct enricher {
    bool enabled;
    bool concurrent;
    char environment_id[ENVIRONMENT_ID_BYTES];
    char request_id[REQUEST_ID_BYTES]; /* of the open invocation, or "" */
    uint64_t next_event;               /* counter of eventId, from 1 */
    struct buf lambda;                 /* `,"lambda":{…}` */
    size_t id_at;                      /* of the environment id in it; 0: it has none */
    struct buf tags;                   /* `,"tags":{…}` or empty */
    struct buf head;                   /* of the last line that needed a copy, or the last part */
    struct buf tail;                   /* of the last line */
    struct tail_shape shape;           /* of that tail */
};

MUST_CHECK bool enricher_init(struct enricher *enricher, const struct enricher_settings *settings,
                              struct error *err);
void enricher_done(struct enricher *enricher);

/* From the next line on, events are those of another environment: with its id, of as many
 * characters as the one before, and counted from 1 again. */
void enricher_renew(struct enricher *enricher, const char *environment_id);

/* Makes the line of the next event and moves the counter and the open invocation on. The spans of
 * *ret point into the event and the enricher and are valid until the next call. ERR_MEMORY leaves
 * all as it was. */
MUST_CHECK bool enricher_line(struct enricher *enricher, const struct event *event,
                              struct line *ret, struct error *err);

/* Moves the open invocation on for an event that is not shipped. */
void enricher_observe(struct enricher *enricher, const struct event *event);

/* The request that `event` belongs to, or an empty span. */
struct span enricher_request_id(const struct enricher *enricher, const struct event *event);

/* Appends `text` with spaces for its raw newlines, which JSON text has only between tokens. */
void enricher_append_flat(struct buf *out, struct span text);
