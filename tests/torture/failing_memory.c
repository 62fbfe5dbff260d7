// SPDX-License-Identifier: MIT
#include "failing_memory.h"

#include <errno.h>
#include <pthread.h>
#include <sanitizer/common_interface_defs.h>
#include <stdlib.h>
#include <string.h>

/* What tests/torture/allocators.syms names. */
void *failing_malloc(size_t size);
void *failing_calloc(size_t count, size_t size);
void *failing_realloc(void *old, size_t size);
void *failing_reallocarray(void *old, size_t count, size_t size);
char *failing_strdup(const char *text);
char *failing_strndup(const char *text, size_t size);
int failing_pthread_create(pthread_t *ret, const pthread_attr_t *attributes, void *(*start)(void *),
                           void *argument);

static _Atomic(struct memory_plan *) followed;
static _Thread_local bool is_subject;

void failing_memory_follow(struct memory_plan *plan) {
    is_subject = true;
    atomic_store(&followed, plan);
}

static bool refuse(void) {
    struct memory_plan *plan = atomic_load(&followed);
    if (plan == NULL || !is_subject) {
        return false;
    }
    size_t number = atomic_fetch_add(&plan->asked, 1) + 1;
    if (plan->first == 0 || number < plan->first || (number > plan->first && !plan->also_later)) {
        return false;
    }
    if (atomic_fetch_add(&plan->refused, 1) == 0 && plan->traced) {
        __sanitizer_print_stack_trace();
    }
    errno = ENOMEM;
    return true;
}

void *failing_malloc(size_t size) { return refuse() ? NULL : malloc(size); }

void *failing_calloc(size_t count, size_t size) { return refuse() ? NULL : calloc(count, size); }

void *failing_realloc(void *old, size_t size) { return refuse() ? NULL : realloc(old, size); }

void *failing_reallocarray(void *old, size_t count, size_t size) {
    return refuse() ? NULL : reallocarray(old, count, size);
}

char *failing_strdup(const char *text) { return refuse() ? NULL : strdup(text); }

char *failing_strndup(const char *text, size_t size) {
    return refuse() ? NULL : strndup(text, size);
}

struct thread {
    void *(*start)(void *);
    void *argument;
};

static void *start_subject(void *argument) {
    struct thread thread = *(struct thread *)argument;
    free(argument);
    is_subject = true;
    return thread.start(thread.argument);
}

int failing_pthread_create(pthread_t *ret, const pthread_attr_t *attributes, void *(*start)(void *),
                           void *argument) {
    struct thread *thread = refuse() ? NULL : malloc(sizeof *thread);
    if (thread == NULL) {
        return EAGAIN;
    }
    *thread = (struct thread){start, argument};
    int status = pthread_create(ret, attributes, start_subject, thread);
    if (status != 0) {
        free(thread);
    }
    return status;
}
