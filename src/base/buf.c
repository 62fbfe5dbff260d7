// SPDX-License-Identifier: MIT
#include "base/buf.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIRST_CAPACITY = 256 };

struct buf buf_with_ceiling(size_t ceiling) {
    return (struct buf){.ceiling = ceiling};
}

void buf_done(struct buf *b) {
    free(b->ptr);
    *b = buf_with_ceiling(b->ceiling);
}

void buf_clear(struct buf *b) {
    b->len = 0;
    b->failed = false;
}

struct buf buf_take(struct buf *b) {
    struct buf taken = *b;
    *b = buf_with_ceiling(b->ceiling);
    return taken;
}

bool buf_failed(const struct buf *b) { return b->failed; }

struct span buf_span(const struct buf *b) {
    return span_of(b->ptr, b->len);
}

/* Doubles up to the ceiling, so that appending n bytes costs O(n) in all. */
static size_t next_capacity(const struct buf *b, size_t needed) {
    size_t capacity = b->capacity == 0 ? FIRST_CAPACITY : b->capacity;
    while (capacity < needed) {
        capacity = capacity > b->ceiling / 2 ? b->ceiling : capacity * 2;
    }
    return capacity > b->ceiling ? b->ceiling : capacity;
}

char *buf_reserve(struct buf *b, size_t more) {
    if (b->failed || more > b->ceiling - b->len) {
        b->failed = true;
        return NULL;
    }
    size_t needed = b->len + more;
    if (needed > b->capacity || b->ptr == NULL) {
        size_t capacity = next_capacity(b, needed);
        char *grown = realloc(b->ptr, capacity > 0 ? capacity : 1);
        if (grown == NULL) {
            b->failed = true;
            return NULL;
        }
        b->ptr = grown;
        b->capacity = capacity;
    }
    return b->ptr + b->len;
}

void buf_commit(struct buf *b, size_t written) {
    if (written <= b->capacity - b->len) {
        b->len += written;
    }
}

void buf_append(struct buf *b, struct span bytes) {
    char *to = buf_reserve(b, bytes.len);
    if (to != NULL && bytes.len > 0) {
        memcpy(to, bytes.ptr, bytes.len);
        b->len += bytes.len;
    }
}

void buf_append_text(struct buf *b, const char *text) { buf_append(b, span_of_text(text)); }

void buf_append_u64(struct buf *b, uint64_t value) {
    char digits[24];
    int written = snprintf(digits, sizeof digits, "%" PRIu64, value);
    buf_append(b, span_of(digits, (size_t)written));
}

void buf_append_format(struct buf *b, const char *format, ...) {
    va_list arguments;
    va_list again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    if (length < 0) {
        b->failed = true;
    } else {
        /* vsnprintf writes a NUL too: it is room that the content never counts. */
        char *to = buf_reserve(b, (size_t)length + 1);
        if (to != NULL) {
            (void)vsnprintf(to, (size_t)length + 1, format, again);
            b->len += (size_t)length;
        }
    }
    va_end(again);
    va_end(arguments);
}

void buf_truncate(struct buf *b, size_t len) {
    if (len < b->len) {
        b->len = len;
    }
}

const char *buf_text(struct buf *b) {
    char *end = buf_reserve(b, 1);
    if (end == NULL) {
        return NULL;
    }
    *end = '\0';
    return b->ptr;
}
