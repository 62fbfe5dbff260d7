// SPDX-License-Identifier: MIT
/* How long to wait before the next try: exponential back-off with full jitter. Pure.
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html */
#pragma once

#include "pipeline/destination.h"

#include <stdint.h>

enum {
    RETRY_TRANSIENT_BASE_MS = 50,
    RETRY_THROTTLED_BASE_MS = 1000,
    RETRY_CAP_MS = 20000,
    RETRY_MISCONFIGURED_CAP_MS = 30000,
};

/* The longest wait before a retry with so much time left: a quarter, so that a few tries fit before
 * the end, but not ever less, else the tries before a deadline would become a storm. */
int64_t retry_longest_wait_ms(int64_t time_left_ms);

/* `failures`: how many tries in a row have failed, from 1. `random`: any 32 random bits.
 * `time_left_ms`: until the deadline at hand (negative: none); the delay is at most a quarter of
 * it, so that a few tries fit before the end. `retry_after_ms`: never sooner than the service asked
 * for, as far as the deadline allows. */
int64_t retry_delay_ms(enum retry_pace pace, uint32_t failures, uint32_t random,
                       int64_t retry_after_ms, int64_t time_left_ms);
