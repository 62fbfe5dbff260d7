// SPDX-License-Identifier: MIT
/* Says what goes wrong with delivery, once a minute for each kind of trouble and not once a try:
 * the extension's own lines are logs that somebody pays for. Main thread. */
#pragma once

#include "base/clock.h"
#include "pipeline/destination.h"

#include <stdint.h>

enum { TROUBLE_INTERVAL_MS = 60000, TROUBLE_KINDS = PACE_SMALLER + 1 };

struct trouble {
    const struct clock *clock;
    int64_t said_ms[TROUBLE_KINDS]; /* when, or 0 for never */
    uint32_t unsaid[TROUBLE_KINDS]; /* how often it happened since */
};

void trouble_init(struct trouble *trouble, const struct clock *clock);

/* Logs `reason`, or counts it when its kind was logged within the last minute. */
void trouble_say(struct trouble *trouble, enum retry_pace kind, const char *reason);
