// SPDX-License-Identifier: MIT
/* The main thread's end of the queue: takes batches off it and yields their events in order.
 *
 * A batch counts against the queue's limit until it is read to its end. Batches can be looked into
 * before it is their turn, because the life cycle must learn of the end of an invocation even while
 * delivery stands still. Main thread. */
#pragma once

#include "base/clock.h"
#include "pipeline/batch_queue.h"
#include "pipeline/event_reader.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How long the head of a cut record waits for the rest, in time that the environment was awake. The
 * rest is the next thing that the platform sends. */
enum { EVENT_SOURCE_HELD_MS = 1000 };

struct event_source {
    struct batch_queue *queue;
    const struct clock *clock;
    struct event_reader reader;
    struct batch *oldest, *newest; /* taken off the queue, not yet read */
    size_t waiting_bytes;          /* of these */
    size_t reading_bytes;          /* of the batch being read; 0 between batches */
    bool reading_searched;         /* as struct batch has it */
    size_t charged_bytes;          /* popped from the queue and not released */
    int64_t held_awake_ms;         /* how long the head of a cut record has waited */
    int64_t looked_ms;             /* when that was last looked at */
};

/* `queue` and `clock` must outlive the source. */
void event_source_init(struct event_source *source, struct batch_queue *queue,
                       const struct clock *clock);
void event_source_done(struct event_source *source);

/* The next event of the batch being read; READER_END when it is read to its end (or there is none).
 * *ret is valid until the next call of this or event_source_advance(). */
enum reader_item event_source_next(struct event_source *source, struct event *ret);

/* After READER_NO_MEMORY: leaves that event out and returns how many bytes it had. */
size_t event_source_skip(struct event_source *source);

/* After READER_END: goes on to the next batch; false when there is none now. */
bool event_source_advance(struct event_source *source);

/* Whether event_source_next() or event_source_advance() could yield something now. */
bool event_source_has_input(const struct event_source *source);

/* Whether the head of a cut record is waiting for its rest. */
bool event_source_is_holding(const struct event_source *source);

/* Lets a head that has waited for too long become an event of its own, as unparsed. To be called
 * now and then; event_source_wakeup_ms() says when next (monotonic; INT64_MAX: no need). */
void event_source_watch(struct event_source *source);
int64_t event_source_wakeup_ms(const struct event_source *source);

/* No more batches will come: a head that is held becomes an event of its own. */
void event_source_end(struct event_source *source);

/* Whether there are batches in which event_source_foresees_runtime_done() has not looked. */
bool event_source_has_unsearched(const struct event_source *source);

/* Whether the platform.runtimeDone of this request is in a batch that is not read to its end. */
bool event_source_foresees_runtime_done(struct event_source *source, struct span request_id);
