// SPDX-License-Identifier: MIT
/* Moves events from the queue to the destination: reads, enriches and packs them, keeps several
 * requests in flight, sends again what failed, backs off, and counts. Main thread; nothing blocks.
 *
 * Bodies are read only while a lane is free, so what waits for the destination stays in the compact
 * form that it came in. Every event has a position (line_source.h), so that the life cycle can ask
 * whether everything up to some event is delivered. */
#pragma once

#include "base/attributes.h"
#include "base/clock.h"
#include "base/error.h"
#include "pipeline/batch_queue.h"
#include "pipeline/destination.h"
#include "pipeline/enricher.h"
#include "pipeline/ledger.h"
#include "pipeline/line_source.h"
#include "pipeline/record_packer.h"
#include "pipeline/spool.h"

#include <stdbool.h>
#include <stdint.h>

struct shipper;

/* Hears when not all of a request was delivered, or it could not be sent; it will go again. */
struct trouble_observer {
    void *context;
    void (*on_trouble)(void *context, enum retry_pace pace, const char *reason);
};

/* Everything pointed to must outlive the shipper. */
struct shipper_settings {
    struct batch_queue *queue;
    struct destination *destination;
    struct enricher *enricher;
    const struct clock *clock;
    struct record_packer_settings packer;
    size_t lanes;             /* requests in flight: 1 … DESTINATION_LANES_MAX */
    struct spool *spool;      /* NULL: none */
    size_t spill_bytes;       /* of the queue, from which on it is moved to disk … */
    size_t spill_group_bytes; /* … in groups of this size */
    int64_t gather_ms;        /* how long events may wait for others to fill a request with */
    struct shipped_types types;
    struct cloudwatch_events *cloudwatch; /* see line_source.h; NULL: none */
    struct event_observer events;
    struct trouble_observer troubles;
};

MUST_CHECK struct shipper *shipper_create(const struct shipper_settings *settings,
                                          struct error *err);

/* Cancels what is in flight. NULL is fine. */
void shipper_destroy(struct shipper *shipper);

/* Does all that can be done now: starts sends that are due, fills free lanes from the queue. */
void shipper_pump(struct shipper *shipper);

/* Monotonic time at which shipper_pump() has something to do again without an outer cause;
 * INT64_MAX when there is nothing. */
int64_t shipper_wakeup_ms(const struct shipper *shipper);

/* Retries that wait for a fault to pass wait so that some fit before this monotonic time.
 * INT64_MAX: none. */
void shipper_set_deadline(struct shipper *shipper, int64_t deadline_ms);

/* What is in flight is sent again, at once and on new connections: its answers will not come. So is
 * whatever waits for another try. Also from within an event_observer. */
void shipper_interrupt(struct shipper *shipper);

/* Nothing can be sent after `deadline_ms`: whatever waits is tried now, and what no lane is free
 * for goes to disk at once, where it is safe should the platform be faster. */
void shipper_last_call(struct shipper *shipper, int64_t deadline_ms);

/* Every event up to `position` is delivered, or dropped and counted. */
bool shipper_delivered_up_to(const struct shipper *shipper, uint64_t position);

/* Nothing is read, held, packed or in flight (bodies may still come to the queue). */
bool shipper_idle(const struct shipper *shipper);

/* Whether there are bodies that shipper_foresees_runtime_done() has not looked into. */
bool shipper_has_unsearched_input(const struct shipper *shipper);

/* Whether the platform.runtimeDone of this request is among the bodies that could not be read yet.
 */
bool shipper_foresees_runtime_done(struct shipper *shipper, struct span request_id);

/* No more bodies will come: a held head of a cut record becomes an event of its own. */
void shipper_end_of_input(struct shipper *shipper);

/* The end: cancels what is in flight and puts everything undelivered into the spool. What it does
 * not take is counted as dropped. */
void shipper_stop(struct shipper *shipper);

const struct ledger *shipper_ledger(const struct shipper *shipper);
