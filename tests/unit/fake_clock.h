// SPDX-License-Identifier: MIT
/* A clock that stands still until a test moves it. */
#pragma once

#include "base/clock.h"

struct fake_clock {
    struct clock clock; /* first, so that a pointer to it is a pointer to this */
    int64_t monotonic_ms;
    int64_t wall_ms;
};

static inline int64_t fake_clock_monotonic(const struct clock *self) {
    return ((const struct fake_clock *)self)->monotonic_ms;
}

static inline int64_t fake_clock_wall(const struct clock *self) {
    return ((const struct fake_clock *)self)->wall_ms;
}

static inline struct fake_clock fake_clock_at(int64_t monotonic_ms, int64_t wall_ms) {
    return (struct fake_clock){
        .clock = {.monotonic_ms = fake_clock_monotonic, .wall_ms = fake_clock_wall},
        .monotonic_ms = monotonic_ms,
        .wall_ms = wall_ms,
    };
}

/* Both clocks go on. */
static inline void fake_clock_pass(struct fake_clock *clock, int64_t ms) {
    clock->monotonic_ms += ms;
    clock->wall_ms += ms;
}
