// SPDX-License-Identifier: MIT
#include "pipeline/retry.h"

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

static int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

static int64_t base_ms(enum retry_pace pace) {
    switch (pace) {
    case PACE_NOW:
        return 0;
    case PACE_THROTTLED:
    case PACE_MISCONFIGURED:
        return RETRY_THROTTLED_BASE_MS;
    case PACE_TRANSIENT:
    case PACE_NEVER:
    case PACE_SMALLER:
        break;
    }
    return RETRY_TRANSIENT_BASE_MS;
}

/* base × 2^(failures - 1), up to the cap of the pace. */
static int64_t ceiling_ms(enum retry_pace pace, uint32_t failures) {
    int64_t cap = pace == PACE_MISCONFIGURED ? RETRY_MISCONFIGURED_CAP_MS : RETRY_CAP_MS;
    int64_t ceiling = base_ms(pace);
    for (uint32_t i = 1; i < failures && ceiling < cap; i++) {
        ceiling *= 2;
    }
    return smaller(ceiling, cap);
}

int64_t retry_longest_wait_ms(int64_t time_left_ms) {
    return larger(time_left_ms / 4, smaller(time_left_ms, RETRY_TRANSIENT_BASE_MS));
}

int64_t retry_delay_ms(enum retry_pace pace, uint32_t failures, uint32_t random,
                       int64_t retry_after_ms, int64_t time_left_ms) {
    int64_t jittered = (int64_t)(((uint64_t)ceiling_ms(pace, failures) * random) >> 32);
    int64_t delay = larger(jittered, smaller(retry_after_ms, RETRY_CAP_MS));
    if (time_left_ms < 0 || pace == PACE_MISCONFIGURED) {
        return delay;
    }
    return smaller(delay, retry_longest_wait_ms(time_left_ms));
}
