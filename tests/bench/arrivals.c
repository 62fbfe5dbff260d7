// SPDX-License-Identifier: MIT
#include "arrivals.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BODY_DIGITS = 6, EVENT_DIGITS = 5, WORD_BITS = 64 };

static const char mark[] = "seq=";
enum { MARK_BYTES = sizeof mark - 1 };

static struct arrival_counters *map_counters(const char *path) {
    size_t size = sizeof(struct arrival_counters);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, (off_t)size) != 0) {
        perror(path);
        return NULL;
    }
    void *mapped = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    (void)close(fd);
    return mapped == MAP_FAILED ? NULL : mapped;
}

bool arrivals_open(struct arrivals *arrivals, const char *path, size_t bodies,
                   size_t events_a_body) {
    arrivals->bodies = bodies;
    arrivals->events_a_body = events_a_body;
    arrivals->seen = calloc(bodies * events_a_body / WORD_BITS + 1, sizeof *arrivals->seen);
    arrivals->counters = map_counters(path);
    return arrivals->seen != NULL && arrivals->counters != NULL;
}

static bool read_digits(const char *text, int digits, size_t *ret) {
    size_t value = 0;
    for (int i = 0; i < digits; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        value = value * 10 + (size_t)(text[i] - '0');
    }
    *ret = value;
    return true;
}

static void book(struct arrivals *arrivals, const char *digits) {
    size_t body = 0;
    size_t event = 0;
    if (!read_digits(digits, BODY_DIGITS, &body) ||
        !read_digits(digits + BODY_DIGITS + 1, EVENT_DIGITS, &event) || body >= arrivals->bodies ||
        event >= arrivals->events_a_body) {
        arrivals->counters->strange++;
        return;
    }
    size_t bit = body * arrivals->events_a_body + event;
    uint64_t set = UINT64_C(1) << (bit % WORD_BITS);
    bool again = (atomic_fetch_or(&arrivals->seen[bit / WORD_BITS], set) & set) != 0;
    (*(again ? &arrivals->counters->repeated : &arrivals->counters->events))++;
}

void arrivals_find(struct arrivals *arrivals, struct span text) {
    const size_t needed = (size_t)MARK_BYTES + BODY_DIGITS + 1 + EVENT_DIGITS;
    const char *end = text.ptr + text.len;
    const char *at = text.ptr;
    while ((at = memmem(at, (size_t)(end - at), mark, MARK_BYTES)) != NULL &&
           (size_t)(end - at) >= needed) {
        book(arrivals, at + MARK_BYTES);
        at += needed;
    }
}
