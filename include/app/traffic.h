// SPDX-License-Identifier: MIT
/* Decides for the flush mode `adaptive` whether an invocation is held until its logs are delivered.
 *
 * Logs that are not held for wait until the environment is awake again, which is at the next
 * invocation. So the question is how soon that is expected: a moving average of the gaps, the time
 * that the environment stood idle before each invocation. The first invocations are always held,
 * since nothing is known yet. Pure; times are monotonic. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
    TRAFFIC_FIRST_HELD = 3,
    /* A new gap counts half: after a change of traffic the average has followed within a few. */
    TRAFFIC_WEIGHT_DIVISOR = 2,
    /* A gap counts for at most so many times the delay that is allowed, so that one pause of an
     * hour is forgotten as fast as one of a few seconds. */
    TRAFFIC_GAP_FACTOR_MAX = 4,
};

struct traffic {
    int64_t max_delay_ms;
    uint64_t invocations;
    int64_t average_gap_ms;
};

void traffic_init(struct traffic *traffic, int64_t max_delay_ms);

/* An invocation begins, `gap_ms` after the environment was last active. Returns whether to hold it.
 */
bool traffic_begin(struct traffic *traffic, int64_t gap_ms);
