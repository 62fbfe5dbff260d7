// SPDX-License-Identifier: MIT
#include "app/idle.h"

void idle_wait_begins(struct idle *idle, int64_t now_ms) { idle->wait_began_ms = now_ms; }

void idle_wait_ended(struct idle *idle, int64_t now_ms) {
    if (now_ms - idle->wait_began_ms >= IDLE_PAUSE_MS) {
        idle->pause_began_ms = idle->wait_began_ms;
        idle->pause_ended_ms = now_ms;
    }
}

int64_t idle_gap_ms(const struct idle *idle, int64_t now_ms) {
    int64_t waited = now_ms - idle->wait_began_ms;
    if (waited < IDLE_PAUSE_MS && now_ms - idle->pause_ended_ms < IDLE_PAUSE_MS) {
        return idle->pause_ended_ms - idle->pause_began_ms;
    }
    return waited;
}
