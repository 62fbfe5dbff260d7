// SPDX-License-Identifier: MIT
#include "base/span.h"

#include <limits.h>
#include <stdint.h>

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

bool span_equals_ignoring_case(struct span a, struct span b) {
    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        if (lower(a.ptr[i]) != lower(b.ptr[i])) {
            return false;
        }
    }
    return true;
}

struct span span_trim(struct span s) {
    while (s.len > 0 && is_blank(s.ptr[0])) {
        s = span_skip(s, 1);
    }
    while (s.len > 0 && is_blank(s.ptr[s.len - 1])) {
        s.len--;
    }
    return s;
}

struct span span_cut(struct span *rest, char separator) {
    const char *found = rest->len == 0 ? NULL : memchr(rest->ptr, separator, rest->len);
    if (found == NULL) {
        struct span all = *rest;
        *rest = span_skip(*rest, rest->len);
        return all;
    }
    struct span before = span_of(rest->ptr, (size_t)(found - rest->ptr));
    *rest = span_skip(*rest, before.len + 1);
    return before;
}

/* --- search --- */

/* Many bytes are looked at in one go: gcc and clang make SSE2 or NEON of it. */
typedef uint8_t sixteen __attribute__((vector_size(16)));
typedef uint64_t two_words __attribute__((vector_size(16)));

enum {
    SEARCHED_AT_ONCE = 64,
    /* What another thread has written comes from far away: in time, when it is asked for this far
     * ahead. Behind the end that does nothing. */
    ASKED_AHEAD = 1024,
};

static inline sixteen load(const char *from) {
    sixteen bytes;
    memcpy(&bytes, from, sizeof bytes);
    return bytes;
}

/* Whether the first and the last byte of the needle are anywhere as far apart as they should be. */
static inline bool may_begin_in(const char *block, struct span needle) {
    const size_t gap = needle.len - 1;
    sixteen matches = {0};
    for (const char *at = block; at < block + SEARCHED_AT_ONCE; at += sizeof matches) {
        matches |= (sixteen)(load(at) == (uint8_t)needle.ptr[0]) &
                   (sixteen)(load(at + gap) == (uint8_t)needle.ptr[gap]);
    }
    two_words words = (two_words)matches;
    return (words[0] | words[1]) != 0;
}

static const char *find_slowly(struct span s, struct span needle) {
    return s.len == 0 ? NULL : memmem(s.ptr, s.len, needle.ptr, needle.len);
}

const char *span_find(struct span s, struct span needle) {
    const size_t looked_into = SEARCHED_AT_ONCE + needle.len - 1;
    if (needle.len == 0) {
        return s.ptr;
    }
    for (; s.len >= looked_into; s = span_skip(s, SEARCHED_AT_ONCE)) {
        __builtin_prefetch(s.ptr + ASKED_AHEAD);
        const char *found =
            may_begin_in(s.ptr, needle) ? find_slowly(span_first(s, looked_into), needle) : NULL;
        if (found != NULL) {
            return found;
        }
    }
    return find_slowly(s, needle);
}

/* --- numbers --- */

bool span_to_u64(struct span s, unsigned long long *ret) {
    unsigned long long value = 0;
    if (s.len == 0) {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9') {
            return false;
        }
        unsigned digit = (unsigned)(s.ptr[i] - '0');
        if (value > (ULLONG_MAX - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    *ret = value;
    return true;
}
