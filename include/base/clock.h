// SPDX-License-Identifier: MIT
/* The only way to ask for the time, so that tests can move it.
 *
 * Monotonic time is for waits, wall time for signing and for deadlines that the platform gives
 * as Unix time. Both in milliseconds. Monotonic time goes on while the environment is frozen. */
#pragma once

#include <stdint.h>

struct clock {
    int64_t (*monotonic_ms)(const struct clock *self);
    int64_t (*wall_ms)(const struct clock *self);
};

/* The machine's clock. Any thread; lives as long as the process. */
const struct clock *clock_system(void);

static inline int64_t clock_monotonic_ms(const struct clock *c) { return c->monotonic_ms(c); }
static inline int64_t clock_wall_ms(const struct clock *c) { return c->wall_ms(c); }

enum { CLOCK_TEXT_BYTES = 32 };

/* Writes "2026-03-14T15:09:26.536Z" and a NUL. */
void clock_format_iso8601(int64_t wall_ms, char text[CLOCK_TEXT_BYTES]);

/* Writes "20260314T150926Z" and a NUL: the form that SigV4 signs. */
void clock_format_basic(int64_t wall_ms, char text[CLOCK_TEXT_BYTES]);
