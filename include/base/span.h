// SPDX-License-Identifier: MIT
/* A view of bytes that somebody else owns. Not NUL-terminated; may hold any byte.
 *
 * An empty span may have a NULL pointer. A span is valid only as long as its owner keeps the
 * bytes where they are. All functions are pure and safe in any thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct span {
    const char *ptr;
    size_t len;
};

/* For printf: printf("%.*s", SPAN_ARGS(s)). Cuts what is longer than an int can count. */
#define SPAN_ARGS(s) (int)((s).len > 0x7fffffff ? 0x7fffffff : (s).len), (s).ptr

/* A span over a string literal, its length known at compile time. */
#define SPAN(literal) ((struct span){.ptr = ("" literal), .len = sizeof(literal) - 1})

static inline struct span span_of(const char *ptr, size_t len) {
    return (struct span){.ptr = ptr, .len = len};
}

/* `text` may be NULL, which gives an empty span. */
static inline struct span span_of_text(const char *text) {
    return (struct span){.ptr = text, .len = text == NULL ? 0 : strlen(text)};
}

static inline bool span_equals(struct span a, struct span b) {
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool span_starts_with(struct span s, struct span prefix) {
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

static inline bool span_ends_with(struct span s, struct span suffix) {
    return s.len >= suffix.len &&
           (suffix.len == 0 || memcmp(s.ptr + (s.len - suffix.len), suffix.ptr, suffix.len) == 0);
}

/* What is left after the first `count` bytes; empty when there are fewer. */
static inline struct span span_skip(struct span s, size_t count) {
    size_t skipped = count < s.len ? count : s.len;
    return skipped == 0 ? s : span_of(s.ptr + skipped, s.len - skipped);
}

/* The first `count` bytes, or all of them when there are fewer. */
static inline struct span span_first(struct span s, size_t count) {
    return span_of(s.ptr, count < s.len ? count : s.len);
}

/* ASCII letters compare without regard to case. */
bool span_equals_ignoring_case(struct span a, struct span b);

/* Without blanks (space, tab, CR, LF) at both ends. */
struct span span_trim(struct span s);

/* Cuts *rest at the first `separator`: returns what is before it and leaves *rest behind it.
 * Without a separator returns all and leaves *rest empty. */
struct span span_cut(struct span *rest, char separator);

/* The first place of `needle` in `s`, or NULL. An empty needle is found at the start. */
const char *span_find(struct span s, struct span needle);

/* Reads a decimal number of digits only (no sign, no blanks).
 * False, with *ret untouched, when it is not one or does not fit. */
bool span_to_u64(struct span s, unsigned long long *ret);
