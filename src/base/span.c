// SPDX-License-Identifier: MIT
#include "base/span.h"

#include <limits.h>

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

const char *span_find(struct span s, struct span needle) {
    if (needle.len == 0) {
        return s.ptr;
    }
    return s.len == 0 ? NULL : memmem(s.ptr, s.len, needle.ptr, needle.len);
}

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
