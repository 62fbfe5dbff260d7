// SPDX-License-Identifier: MIT
#include "pipeline/batch_queue.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct buf body_of(size_t bytes, char fill) {
    struct buf body = buf_with_ceiling(1 << 24);
    for (size_t i = 0; i < bytes; i++) {
        buf_append_char(&body, fill);
    }
    return body;
}

static bool push(struct batch_queue *queue, size_t bytes, char fill) {
    struct buf body = body_of(bytes, fill);
    bool pushed = batch_queue_push(queue, &body, NULL);
    buf_done(&body);
    return pushed;
}

/* Takes the oldest batch, which must be filled with `fill`, and releases its bytes. */
static void expect(struct batch_queue *queue, size_t bytes, char fill) {
    struct batch *batch = batch_queue_pop(queue);
    assert_non_null(batch);
    assert_int_equal(batch->body.len, bytes);
    for (size_t i = 0; i < bytes; i++) {
        assert_int_equal(batch->body.ptr[i], fill);
    }
    batch_queue_release(queue, batch_bytes(batch));
    batch_free(batch);
}

static struct batch_queue *queue_of(size_t limit) {
    struct batch_queue *queue = batch_queue_create(limit, NULL);
    assert_non_null(queue);
    return queue;
}

static void bodies_come_out_in_the_order_they_went_in(void **state) {
    (void)state;
    struct batch_queue *queue = queue_of(100000);
    assert_true(batch_queue_is_empty(queue));
    assert_null(batch_queue_pop(queue));
    assert_true(push(queue, 3, 'a'));
    assert_true(push(queue, 4, 'b'));
    expect(queue, 3, 'a');
    assert_true(push(queue, 5, 'c'));
    expect(queue, 4, 'b');
    expect(queue, 5, 'c');
    assert_null(batch_queue_pop(queue));
    assert_true(push(queue, 1, 'd'));
    assert_false(batch_queue_is_empty(queue));
    expect(queue, 1, 'd');
    batch_queue_destroy(queue);
}

static void a_body_is_handed_over_when_it_is_taken(void **state) {
    (void)state;
    struct batch_queue *queue = queue_of(100000);
    struct buf body = body_of(10, 'x');
    const char *bytes = body.ptr;
    assert_true(batch_queue_push(queue, &body, NULL));
    assert_null(body.ptr);
    assert_int_equal(body.len, 0);
    struct batch *batch = batch_queue_pop(queue);
    assert_ptr_equal(batch->body.ptr, bytes);
    assert_null(batch->next);
    assert_false(batch->searched);
    batch_free(batch);
    batch_queue_destroy(queue);
}

static void refuses_when_full_and_leaves_the_body_with_the_caller(void **state) {
    (void)state;
    struct batch_queue *queue = queue_of(10000);
    assert_true(push(queue, 9000, 'a'));
    struct buf body = body_of(1001, 'b');
    struct error err = {0};
    assert_false(batch_queue_push(queue, &body, &err));
    assert_int_equal(err.code, ERR_FULL);
    assert_int_equal(body.len, 1001);
    assert_int_equal(body.ptr[1000], 'b');
    expect(queue, 9000, 'a');
    assert_true(batch_queue_is_empty(queue));
    assert_true(batch_queue_push(queue, &body, &err));
    expect(queue, 1001, 'b');
    buf_done(&body);
    batch_queue_destroy(queue);
}

static void is_filled_exactly_up_to_its_limit(void **state) {
    (void)state;
    struct batch_queue *queue = queue_of(2 * (1000 + BATCH_OVERHEAD_BYTES));
    assert_true(push(queue, 1000, 'a'));
    assert_false(push(queue, 1001, 'b'));
    assert_true(push(queue, 1000, 'c'));
    assert_false(push(queue, 0, 'd'));
    batch_queue_destroy(queue);
}

static void what_was_popped_counts_until_it_is_released(void **state) {
    (void)state;
    struct batch_queue *queue = queue_of(10000);
    assert_true(push(queue, 9000, 'a'));
    struct batch *batch = batch_queue_pop(queue);
    assert_true(batch_queue_is_empty(queue));
    assert_false(push(queue, 5000, 'b'));
    batch_queue_release(queue, 4000);
    assert_false(push(queue, 5000, 'b'));
    batch_queue_release(queue, batch_bytes(batch) - 4000);
    assert_true(push(queue, 5000, 'b'));
    batch_free(batch);
    batch_queue_destroy(queue);
}

enum { MANY = BATCH_REUSED_BYTES_MIN };

static struct buf memory_of(size_t bytes) {
    struct buf memory = buf_with_ceiling(bytes);
    assert_non_null(buf_reserve(&memory, bytes));
    return memory;
}

static void the_memory_of_a_body_is_for_one_that_fills_it_nearly(void **state) {
    (void)state;
    static const struct {
        size_t length;
        bool reused;
    } cases[] = {{0, false},
                 {MANY / 8 * 7 - 1, false},
                 {MANY / 10 * 9, true},
                 {MANY, true},
                 {5 * MANY, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct batch_queue *queue = queue_of(10 * MANY);
        struct buf body = memory_of(MANY);
        buf_append(&body, SPAN("read"));
        const char *bytes = body.ptr;
        batch_queue_reuse(queue, &body);
        assert_null(body.ptr);
        struct buf memory = batch_queue_memory_for(queue, cases[i].length);
        assert_int_equal(memory.ptr == bytes, cases[i].reused);
        assert_int_equal(memory.len, 0);
        assert_non_null(buf_reserve(&memory, cases[i].length));
        buf_done(&memory);
        batch_queue_destroy(queue);
    }
}

static void reuse(struct batch_queue *queue, size_t bytes, const char **ret) {
    struct buf body = memory_of(bytes);
    *ret = body.ptr;
    batch_queue_reuse(queue, &body);
    assert_null(body.ptr);
}

static void the_latest_memories_are_kept_and_none_too_small_or_too_large(void **state) {
    (void)state;
    struct batch_queue *queue = queue_of(10 * BATCH_REUSED_BYTES_MAX);
    const char *bytes[5];
    reuse(queue, BATCH_REUSED_BYTES_MAX, &bytes[0]);
    reuse(queue, BATCH_REUSED_BYTES_MAX, &bytes[1]);
    reuse(queue, 2 * MANY, &bytes[2]);
    reuse(queue, BATCH_REUSED_BYTES_MAX + 1, &bytes[3]);
    reuse(queue, BATCH_REUSED_BYTES_MIN - 1, &bytes[4]);
    struct buf memory = batch_queue_memory_for(queue, 2 * MANY);
    assert_ptr_equal(memory.ptr, bytes[2]);
    buf_done(&memory);
    memory = batch_queue_memory_for(queue, BATCH_REUSED_BYTES_MAX);
    assert_ptr_equal(memory.ptr, bytes[1]);
    buf_done(&memory);
    memory = batch_queue_memory_for(queue, BATCH_REUSED_BYTES_MAX);
    assert_null(memory.ptr);
    batch_queue_destroy(queue);
}

static void no_memory_is_kept_while_the_queue_is_half_full(void **state) {
    (void)state;
    struct batch_queue *queue = queue_of(4 * MANY);
    const char *bytes[2];
    reuse(queue, MANY, &bytes[0]);
    assert_true(push(queue, 2 * MANY, 'a'));
    struct buf memory = batch_queue_memory_for(queue, MANY);
    assert_null(memory.ptr);
    reuse(queue, MANY, &bytes[1]);
    struct batch *batch = batch_queue_pop(queue);
    batch_queue_release(queue, batch_bytes(batch));
    batch_free(batch);
    memory = batch_queue_memory_for(queue, MANY);
    assert_null(memory.ptr);
    batch_queue_destroy(queue);
}

static void a_body_that_there_is_no_room_for_gets_no_memory(void **state) {
    (void)state;
    struct batch_queue *queue = queue_of(2000);
    struct buf memory = batch_queue_memory_for(queue, 5000); /* the only one may exceed the limit */
    assert_false(buf_failed(&memory));
    assert_true(push(queue, 1000, 'a'));
    memory = batch_queue_memory_for(queue, 1000);
    assert_true(buf_failed(&memory));
    assert_null(buf_reserve(&memory, 1000));
    batch_queue_destroy(queue);
}

static void a_body_larger_than_the_limit_passes_when_nothing_else_is_counted(void **state) {
    (void)state;
    struct batch_queue *queue = queue_of(1000);
    assert_true(push(queue, 50000, 'a'));
    assert_false(push(queue, 1, 'b'));
    expect(queue, 50000, 'a');
    assert_true(push(queue, 60000, 'c'));
    batch_queue_destroy(queue);
}

/* Otherwise one-byte bodies would take hundreds of times the limit. */
static void the_limit_bounds_tiny_and_empty_bodies_too(void **state) {
    (void)state;
    struct batch_queue *queue = queue_of(100000);
    size_t taken = 0;
    while (push(queue, taken % 2, 'a')) {
        taken++;
        assert_in_range(taken, 1, 100000 / sizeof(struct batch));
    }
    assert_true(taken > 10);
    batch_queue_destroy(queue);
}

static void releasing_more_than_is_counted_does_not_lift_the_limit(void **state) {
    (void)state;
    struct batch_queue *queue = queue_of(10000);
    batch_queue_release(queue, SIZE_MAX);
    assert_true(push(queue, 9000, 'a'));
    assert_false(push(queue, 9000, 'b'));
    batch_queue_destroy(queue);
}

static void destroying_it_frees_what_is_inside(void **state) {
    (void)state;
    struct batch_queue *queue = queue_of(100000);
    assert_true(push(queue, 100, 'a'));
    assert_true(push(queue, 100, 'b'));
    batch_queue_destroy(queue);
    batch_queue_destroy(NULL);
    batch_free(NULL);
}

enum { THREAD_BODIES = 20000, THREAD_BODY_BYTES = 32 };

/* Pushes numbered bodies, each again until it is taken. */
static void *push_numbers(void *context) {
    struct batch_queue *queue = context;
    for (int number = 0; number < THREAD_BODIES; number++) {
        struct buf body = buf_with_ceiling(THREAD_BODY_BYTES);
        buf_append_format(&body, "%d", number);
        while (!batch_queue_push(queue, &body, NULL)) {
            (void)sched_yield();
        }
        buf_done(&body);
    }
    return NULL;
}

static void two_threads_lose_and_reorder_nothing_through_a_small_queue(void **state) {
    (void)state;
    struct batch_queue *queue = queue_of(20 * BATCH_OVERHEAD_BYTES);
    pthread_t pusher;
    assert_int_equal(pthread_create(&pusher, NULL, push_numbers, queue), 0);
    for (int number = 0; number < THREAD_BODIES;) {
        struct batch *batch = batch_queue_pop(queue);
        if (batch == NULL) {
            (void)sched_yield();
            continue;
        }
        assert_int_equal(strtol(buf_text(&batch->body), NULL, 10), number);
        batch_queue_release(queue, batch_bytes(batch));
        batch_free(batch);
        number++;
    }
    assert_int_equal(pthread_join(pusher, NULL), 0);
    assert_true(batch_queue_is_empty(queue));
    batch_queue_destroy(queue);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_come_out_in_the_order_they_went_in),
        cmocka_unit_test(a_body_is_handed_over_when_it_is_taken),
        cmocka_unit_test(refuses_when_full_and_leaves_the_body_with_the_caller),
        cmocka_unit_test(is_filled_exactly_up_to_its_limit),
        cmocka_unit_test(what_was_popped_counts_until_it_is_released),
        cmocka_unit_test(the_memory_of_a_body_is_for_one_that_fills_it_nearly),
        cmocka_unit_test(the_latest_memories_are_kept_and_none_too_small_or_too_large),
        cmocka_unit_test(no_memory_is_kept_while_the_queue_is_half_full),
        cmocka_unit_test(a_body_that_there_is_no_room_for_gets_no_memory),
        cmocka_unit_test(a_body_larger_than_the_limit_passes_when_nothing_else_is_counted),
        cmocka_unit_test(the_limit_bounds_tiny_and_empty_bodies_too),
        cmocka_unit_test(releasing_more_than_is_counted_does_not_lift_the_limit),
        cmocka_unit_test(destroying_it_frees_what_is_inside),
        cmocka_unit_test(two_threads_lose_and_reorder_nothing_through_a_small_queue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
