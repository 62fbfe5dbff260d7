// SPDX-License-Identifier: MIT
/* How long the environment stood idle before an invocation, seen from the waits of the event loop.
 *
 * The wait that an INVOKE ends is not always the long one: what the platform still had to deliver
 * may arrive a moment before it. Plain data; times are monotonic. */
#pragma once

#include <stdint.h>

/* A wait of at least this counts as the environment standing idle; and for so long it is
 * remembered. */
enum { IDLE_PAUSE_MS = 200 };

struct idle {
    int64_t wait_began_ms;
    int64_t pause_began_ms, pause_ended_ms; /* of the last long wait */
};

void idle_wait_begins(struct idle *idle, int64_t now_ms);
void idle_wait_ended(struct idle *idle, int64_t now_ms);

/* During a wait, when the INVOKE comes. */
int64_t idle_gap_ms(const struct idle *idle, int64_t now_ms);
