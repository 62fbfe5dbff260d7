// SPDX-License-Identifier: MIT
/* Growable bytes with a ceiling and a sticky failure.
 *
 * Invariants: len <= capacity <= ceiling. A zeroed struct with a ceiling set is a valid empty
 * buffer that owns no memory. Once an append fails (out of memory, or over the ceiling) the
 * buffer stays failed and further appends change nothing, so a caller appends freely and checks
 * buf_failed() once. A failed append adds no byte of its argument.
 *
 * Spans into a buffer die when it grows, is cleared or is done. Not safe across threads. */
#pragma once

#include "base/attributes.h"
#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
    char *ptr;
    size_t len;
    size_t capacity;
    size_t ceiling; /* bytes it may grow to */
    bool failed;
};

/* An empty buffer that may grow to `ceiling` bytes. Allocates nothing. */
struct buf buf_with_ceiling(size_t ceiling);

/* Frees the memory and leaves an empty buffer with the same ceiling. May run twice. */
void buf_done(struct buf *b);

/* Forgets the content and the failure; keeps the memory. */
void buf_clear(struct buf *b);

/* Gives the content away: *b is left empty, the caller must buf_done() what it gets. */
MUST_CHECK struct buf buf_take(struct buf *b);

bool buf_failed(const struct buf *b);

struct span buf_span(const struct buf *b);

/* Makes room for `more` bytes and returns where to write them, or NULL on failure (sticky).
 * What was written becomes content with buf_commit(). */
char *buf_reserve(struct buf *b, size_t more);
void buf_commit(struct buf *b, size_t written);

void buf_append(struct buf *b, struct span bytes);
void buf_append_text(struct buf *b, const char *text);

static inline void buf_append_char(struct buf *b, char c) {
    if (!b->failed && b->len < b->capacity) {
        b->ptr[b->len++] = c;
    } else {
        buf_append(b, span_of(&c, 1));
    }
}

void buf_append_u64(struct buf *b, uint64_t value);
void buf_append_format(struct buf *b, const char *format, ...) PRINTF_LIKE(2, 3);

/* Cuts the content back to its first `len` bytes; no effect when it is shorter. */
void buf_truncate(struct buf *b, size_t len);

/* The content as a NUL-terminated string, for libraries that want one; NULL on failure.
 * Valid until the buffer changes. The NUL is not part of the content. */
const char *buf_text(struct buf *b);
