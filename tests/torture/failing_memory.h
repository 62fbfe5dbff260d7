// SPDX-License-Identifier: MIT
/* Memory that runs out when a test says so, for src/ and the libraries that it is linked with. The
 * makefile gives those objects the allocators of failing_memory.c in place of libc's, and a
 * pthread_create() that fails likewise; cmocka and what the tests share keep libc's. Nothing fails
 * in a thread that a test has started itself, such as a server that it talks to. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct memory_plan {
    size_t first;    /* the allocation that fails, counted from 1; 0: none does */
    bool also_later; /* and all after it */
    bool traced;     /* the first that fails prints where it was asked for */
    atomic_size_t asked;
    atomic_size_t refused;
};

/* To be called by the thread that runs the test. NULL, as at the start: every allocation is passed
 * on to libc and none is counted. */
void failing_memory_follow(struct memory_plan *plan);
