// SPDX-License-Identifier: MIT
#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static int64_t read_clock(clockid_t which) {
    struct timespec now = {0};
    (void)clock_gettime(which, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t system_monotonic_ms(const struct clock *self) {
    (void)self;
    return read_clock(CLOCK_MONOTONIC);
}

static int64_t system_wall_ms(const struct clock *self) {
    (void)self;
    return read_clock(CLOCK_REALTIME);
}

const struct clock *clock_system(void) {
    static const struct clock system_clock = {
        .monotonic_ms = system_monotonic_ms,
        .wall_ms = system_wall_ms,
    };
    return &system_clock;
}

static struct tm utc(int64_t wall_ms) {
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm parts = {0};
    (void)gmtime_r(&seconds, &parts);
    return parts;
}

void clock_format_iso8601(int64_t wall_ms, char text[CLOCK_TEXT_BYTES]) {
    struct tm parts = utc(wall_ms);
    size_t length = strftime(text, CLOCK_TEXT_BYTES, "%Y-%m-%dT%H:%M:%S", &parts);
    (void)snprintf(text + length, CLOCK_TEXT_BYTES - length, ".%03dZ", (int)(wall_ms % 1000));
}

void clock_format_basic(int64_t wall_ms, char text[CLOCK_TEXT_BYTES]) {
    struct tm parts = utc(wall_ms);
    (void)strftime(text, CLOCK_TEXT_BYTES, "%Y%m%dT%H%M%SZ", &parts);
}
