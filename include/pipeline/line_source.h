// SPDX-License-Identifier: MIT
/* Yields the lines that are to be packed, one at a time: reads events, leaves out types that are
 * not shipped, enriches the others, cuts those that are too large, and books what it reads and
 * drops.
 *
 * Every event has a position, counted from 1 in the order of reading. Main thread. */
#pragma once

#include "base/clock.h"
#include "pipeline/batch_queue.h"
#include "pipeline/cloudwatch_events.h"
#include "pipeline/enricher.h"
#include "pipeline/event.h"
#include "pipeline/event_parts.h"
#include "pipeline/event_source.h"
#include "pipeline/ledger.h"

#include <stdbool.h>
#include <stdint.h>

/* Which types of events are shipped; others are read, observed and left out. */
struct shipped_types {
    bool platform, function, extension;
};

/* Hears of every event that is read. `event` is valid during the call. */
struct event_observer {
    void *context;
    void (*on_event)(void *context, enum event_kind kind, const struct event *event,
                     uint64_t position);
};

/* Everything pointed to must outlive the source. */
struct line_source_settings {
    struct batch_queue *queue;
    const struct clock *clock;
    struct enricher *enricher;
    struct ledger *ledger;
    struct shipped_types types;
    struct cloudwatch_events *cloudwatch; /* lines are its log events, and the enricher is to add
                                           * nothing; NULL: lines are the enricher's */
    struct event_observer observer;
};

struct line_source {
    struct line_source_settings settings;
    struct event_source events;
    uint64_t position; /* of the last event that was read */

    /* The line that is to be packed next, once line_source_fill() has returned true. */
    bool filled;
    struct line line;
    struct event event;         /* that it is of */
    const struct event *worded; /* the same, as the line words it: this one or `wording` */
    struct event wording;
    bool in_parts;        /* the line is a part of the event … */
    bool is_last;         /* … the last one; also true for a whole event */
    bool begins_delivery; /* it is the first since a delivery ended */
    bool starved;         /* there is an event, but no memory to read it */
    struct event_parts parts;
};

void line_source_init(struct line_source *source, const struct line_source_settings *settings);
void line_source_done(struct line_source *source);

/* Makes sure that there is a line; false when there is no input for one now. */
bool line_source_fill(struct line_source *source);

/* The line was packed: goes on to the event's next part, if there is one. */
void line_source_next(struct line_source *source);

/* The line is too long: goes on to the first part of the event, with lines of at most `line_max`
 * bytes. An event that cannot be cut so is dropped. */
void line_source_cut(struct line_source *source, size_t line_max);

/* Gives the line's event up and books it. */
void line_source_drop(struct line_source *source, enum drop_cause cause);

/* What the line counts for in the ledger: an event that is cut counts with its last part. */
static inline uint32_t line_source_events(const struct line_source *source) {
    return source->is_last ? 1 : 0;
}
static inline uint64_t line_source_event_bytes(const struct line_source *source) {
    return source->is_last ? source->event.text.len : 0;
}

/* When it is starved: what cannot be read becomes an event that can only be dropped. */
bool line_source_take_unreadable(struct line_source *source);

/* Whether a line is there or line_source_fill() may find one. */
bool line_source_has_input(const struct line_source *source);
