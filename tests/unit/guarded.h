// SPDX-License-Identifier: MIT
/* Bytes placed right before a page that cannot be read, so that a parser that looks one byte too
 * far dies, even where the sanitizers see nothing (eight bytes at a time, say). */
#pragma once

#include "base/span.h"

#include <assert.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

struct guarded {
    struct span text;
    void *map;
    size_t mapped;
};

static inline struct guarded guarded_copy(struct span text) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t readable = (text.len + page - 1) / page * page;
    struct guarded g = {.mapped = readable + page};
    g.map = mmap(NULL, g.mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert(g.map != MAP_FAILED);
    char *start = (char *)g.map + readable - text.len;
    memcpy(start, text.len > 0 ? text.ptr : "", text.len);
    int locked = mprotect((char *)g.map + readable, page, PROT_NONE);
    assert(locked == 0);
    (void)locked;
    g.text = span_of(start, text.len);
    return g;
}

static inline void guarded_done(struct guarded *g) { (void)munmap(g->map, g->mapped); }
