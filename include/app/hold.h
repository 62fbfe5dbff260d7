// SPDX-License-Identifier: MIT
/* When the next event may be asked for: the one trade-off that users care about.
 *
 * Until the extension asks for the next event, the environment stays awake (and is billed once the
 * function is done). A hold begins with an INVOKE and ends as soon as one of these is true:
 * - the flush mode is `continuous`, or the platform delivers no logs: at once;
 * - the platform.runtimeDone of this request was read, and all events up to it are delivered;
 * - `hold_ms` have passed since the runtime was done: Kinesis is slow or down;
 * - the deadline is near;
 * - no event at all has come for a while, or the platform says that it dropped some: the
 *   runtimeDone may be among those that never come, so the invocation goes on as `continuous`;
 * - the queue has been full for `hold_ms`: the runtimeDone may wait with the platform, and so would
 *   the function.
 *
 * Pure logic: it is told what happens and asked what to do. Times are monotonic. */
#pragma once

#include "lambda/extensions_api.h"
#include "pipeline/event.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    /* Before the deadline: enough for one local HTTP call on a starved processor. */
    HOLD_MARGIN_MS = 100,
    /* platform.start comes at the beginning of every invocation, within the platform's buffering
     * time. When nothing has come for this long on top of that, nothing will. */
    HOLD_FIRST_SILENCE_MS = 3000,
    /* Silence after the first event: the function is busy and says nothing, or its runtimeDone is
     * lost. Asking for the next event is right for the second and makes the first wait with what it
     * says later, so this is longer than most functions are silent for. */
    HOLD_SILENCE_MS = 10000,
};

struct hold_settings {
    int64_t hold_ms;    /* after runtimeDone */
    int64_t timeout_ms; /* the platform's buffering time */
};

/* On a starved processor the events of an invocation may be read before the answer that announces
 * it: the last platform.start or platform.runtimeDone that was read outside a hold. */
struct early_event {
    enum event_kind kind;
    char request_id[LAMBDA_ID_BYTES];
    uint64_t position;
};

struct hold {
    struct hold_settings settings;
    struct early_event early;
    bool active;
    bool waits; /* this invocation is held */
    bool deaf;  /* nothing came during the last hold: none is begun until something is heard */
    char request_id[LAMBDA_ID_BYTES];
    int64_t latest_ms;      /* the deadline less the margin */
    int64_t ends_ms;        /* as things stand now */
    int64_t full_ends_ms;   /* the same for as long as the queue is full; else INT64_MAX */
    bool heard;             /* an event was read since it began */
    bool lost_some;         /* the platform said that it dropped logs */
    bool runtime_done;      /* it was read, or foreseen */
    bool runtime_done_read; /* then it is at done_position */
    uint64_t done_position;
    int64_t done_ms;  /* when it was read or foreseen */
    int64_t total_ms; /* that all holds so far have lasted beyond that */
};

void hold_init(struct hold *hold, struct hold_settings settings);

/* An INVOKE came. `waits`: hold it. `deadline_ms`: of the invocation, INT64_MAX when not known. */
void hold_begin(struct hold *hold, bool waits, const char *request_id, int64_t now_ms,
                int64_t deadline_ms);

/* An event was read, in a hold or outside. `request_id` is asked of EVENT_START and
 * EVENT_RUNTIME_DONE alone. */
void hold_on_event(struct hold *hold, enum event_kind kind, struct span request_id,
                   uint64_t position, int64_t now_ms);

/* The runtimeDone of this invocation has arrived, but could not be read yet. */
void hold_on_runtime_done_foreseen(struct hold *hold, int64_t now_ms);

/* Whether the latest delivery found no room in the queue. */
void hold_on_queue(struct hold *hold, bool is_full, int64_t now_ms);

/* Whether an invocation is held whose end is not known yet. */
bool hold_waits_for_runtime_done(const struct hold *hold);

/* Whether the hold is over as soon as everything up to *ret_position is delivered. */
bool hold_needs_delivery(const struct hold *hold, uint64_t *ret_position);

/* Monotonic time at which the hold ends in any case; INT64_MAX when none is active. */
int64_t hold_ends_ms(const struct hold *hold);

/* Time by which a retry must have come to be of use for this hold; INT64_MAX while the function
 * still runs. */
int64_t hold_delivery_ends_ms(const struct hold *hold);

/* The next event was asked for. */
void hold_end(struct hold *hold, int64_t now_ms);
