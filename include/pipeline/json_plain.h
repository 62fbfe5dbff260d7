// SPDX-License-Identifier: MIT
/* The part of a JSON string that needs no look of its own, skipped many bytes at once: AVX2 takes
 * 32 where the processor has it, SSE2 and NEON take 16. Pure; any thread. */
#pragma once

#include <stdbool.h>

/* Skips ASCII characters, escapes of two characters, and bytes of longer characters, which are not
 * checked: *is_ascii is cleared when there is one, here or up to 31 bytes further on. Returns where
 * a quote, another escape or a control character is, or `end`. */
const char *json_skip_plain(const char *at, const char *end, bool *is_ascii);

/* Whether a backslash and `c` are an escape of two characters. */
static inline bool json_is_short_escape(char c) {
    switch (c) {
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        return true;
    default:
        return false;
    }
}
