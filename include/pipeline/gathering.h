// SPDX-License-Identifier: MIT
/* Lets events wait for others to share a request with, for a bounded time.
 *
 * Where an environment is never frozen, nothing has to leave at once, and a record is billed as if
 * it were full. So events go when there are enough of them, or when the first of them has waited
 * for as long as is allowed. Pure; times are monotonic. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gathering {
    int64_t limit_ms; /* 0: nothing waits */
    size_t enough_bytes;
    bool began;
    int64_t began_ms; /* when the first event that waits was seen */
};

/* To be told whenever input may have come or gone. */
void gathering_watch(struct gathering *gathering, bool has_input, int64_t now_ms);

/* Whether what waits, so many bytes, is to go now. */
bool gathering_is_over(const struct gathering *gathering, size_t bytes, int64_t now_ms);

/* When it is over in any case; INT64_MAX when nothing waits. */
int64_t gathering_ends_ms(const struct gathering *gathering);
