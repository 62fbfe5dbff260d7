// SPDX-License-Identifier: MIT
#include "pipeline/event_source.h"

#include "../fake_clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define EVENT(record) "{\"time\":\"t\",\"type\":\"function\",\"record\":\"" record "\"}"
#define CUT_HEAD "[{\"time\":\"t\",\"type\":\"function\",\"record\":{\"text\":\"one}]"
#define CUT_REST "[{\"time\":\"t\",\"type\":\"function\",\"record\": two\"}}]"
#define DONE(id)                                                                                   \
    "[{\"time\":\"t\",\"type\":\"platform.runtimeDone\",\"record\":{\"requestId\":\"" id "\"}}]"

enum { LIMIT = 4000 };

struct fixture {
    struct fake_clock clock;
    struct batch_queue *queue;
    struct event_source source;
};

static int set_up(void **state) {
    static struct fixture f;
    f = (struct fixture){.clock = fake_clock_at(5000, 0)};
    f.queue = batch_queue_create(LIMIT, NULL);
    assert_non_null(f.queue);
    event_source_init(&f.source, f.queue, &f.clock.clock);
    *state = &f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    event_source_done(&f->source);
    batch_queue_destroy(f->queue);
    return 0;
}

static bool push(struct fixture *f, struct span text) {
    struct buf body = buf_with_ceiling(1 << 20);
    buf_append(&body, text);
    bool pushed = batch_queue_push(f->queue, &body, NULL);
    buf_done(&body);
    return pushed;
}

/* Whether the queue takes a body as large as its limit besides what is counted: that is, nothing.
 */
static bool nothing_is_counted(struct fixture *f) {
    char text[LIMIT + 1] = {0};
    return push(f, span_of(text, sizeof text));
}

static void expect_event(struct fixture *f, const char *record) {
    struct event event = {0};
    assert_int_equal(event_source_next(&f->source, &event), READER_EVENT);
    assert_int_equal(event.record.len, strlen(record));
    assert_memory_equal(event.record.ptr, record, event.record.len);
}

static void expect_end(struct fixture *f) {
    struct event event = {0};
    assert_int_equal(event_source_next(&f->source, &event), READER_END);
}

/* Reads the head of a cut record, which is then held. */
static void hold_head(struct fixture *f) {
    assert_true(push(f, SPAN(CUT_HEAD)));
    assert_true(event_source_advance(&f->source));
    expect_end(f);
    assert_true(event_source_is_holding(&f->source));
}

static void yields_the_events_of_one_body_after_the_other(void **state) {
    struct fixture *f = *state;
    assert_false(event_source_has_input(&f->source));
    expect_end(f);
    assert_false(event_source_advance(&f->source));
    assert_true(push(f, SPAN("[" EVENT("a") "," EVENT("b") "]")));
    assert_true(push(f, SPAN("[" EVENT("c") "]")));
    assert_true(event_source_has_input(&f->source));
    assert_true(event_source_advance(&f->source));
    expect_event(f, "\"a\"");
    expect_event(f, "\"b\"");
    assert_true(event_source_has_input(&f->source));
    expect_end(f);
    assert_true(event_source_advance(&f->source));
    expect_event(f, "\"c\"");
    expect_end(f);
    assert_false(event_source_has_input(&f->source));
}

static void an_empty_body_is_input_too(void **state) {
    struct fixture *f = *state;
    struct event event = {0};
    assert_true(push(f, SPAN("")));
    assert_true(event_source_has_input(&f->source));
    assert_true(event_source_advance(&f->source));
    assert_true(event_source_has_input(&f->source));
    assert_int_equal(event_source_next(&f->source, &event), READER_UNPARSED);
    expect_end(f);
    assert_false(event_source_has_input(&f->source));
}

static void a_body_counts_in_the_queue_until_it_is_read_to_its_end(void **state) {
    struct fixture *f = *state;
    assert_true(push(f, SPAN("[" EVENT("a") "]")));
    assert_true(event_source_advance(&f->source));
    expect_event(f, "\"a\"");
    assert_false(nothing_is_counted(f));
    expect_end(f);
    assert_true(nothing_is_counted(f));
}

static void bodies_that_were_looked_into_count_and_keep_their_order(void **state) {
    struct fixture *f = *state;
    assert_true(push(f, SPAN("[" EVENT("a") "]")));
    assert_true(push(f, SPAN("[" EVENT("b") "]")));
    assert_false(event_source_foresees_runtime_done(&f->source, SPAN("r-1")));
    assert_true(batch_queue_is_empty(f->queue));
    assert_true(event_source_has_input(&f->source));
    assert_false(nothing_is_counted(f));
    assert_true(push(f, SPAN("[" EVENT("c") "]")));
    static const char *const records[] = {"\"a\"", "\"b\"", "\"c\""};
    for (size_t i = 0; i < 3; i++) {
        assert_true(event_source_advance(&f->source));
        expect_event(f, records[i]);
        expect_end(f);
    }
    assert_true(nothing_is_counted(f));
}

static void what_was_taken_but_not_read_is_freed_with_it(void **state) {
    struct fixture *f = *state;
    assert_true(push(f, SPAN("[" EVENT("a") "]")));
    assert_true(push(f, SPAN("[" EVENT("b") "]")));
    assert_false(event_source_foresees_runtime_done(&f->source, SPAN("r-1")));
    assert_true(event_source_advance(&f->source));
}

static void foresees_only_the_runtime_done_of_the_request(void **state) {
    struct fixture *f = *state;
    assert_false(event_source_foresees_runtime_done(&f->source, SPAN("r-1")));
    assert_true(push(f, SPAN("[" EVENT("platform.runtimeDone r-1") "]")));
    assert_false(event_source_foresees_runtime_done(&f->source, SPAN("r-1")));
    assert_true(push(f, SPAN(DONE("r-0"))));
    assert_false(event_source_foresees_runtime_done(&f->source, SPAN("r-1")));
    assert_true(push(f, SPAN(DONE("r-1"))));
    assert_true(event_source_foresees_runtime_done(&f->source, SPAN("r-1")));
}

static void foresees_it_in_the_body_that_is_being_read_but_not_in_one_that_was(void **state) {
    struct fixture *f = *state;
    struct event event = {0};
    assert_true(push(f, SPAN(DONE("r-1"))));
    assert_true(event_source_advance(&f->source));
    assert_true(event_source_foresees_runtime_done(&f->source, SPAN("r-1")));
    assert_int_equal(event_source_next(&f->source, &event), READER_EVENT);
    expect_end(f);
    assert_false(event_source_foresees_runtime_done(&f->source, SPAN("r-1")));
}

static void a_body_that_was_looked_into_in_vain_is_not_looked_into_again(void **state) {
    struct fixture *f = *state;
    assert_false(event_source_has_unsearched(&f->source));
    assert_true(push(f, SPAN("[" EVENT("a") "]")));
    assert_true(push(f, SPAN("[" EVENT("b") "]")));
    assert_true(event_source_has_unsearched(&f->source));
    assert_true(event_source_advance(&f->source));
    assert_true(event_source_has_unsearched(&f->source));
    assert_false(event_source_foresees_runtime_done(&f->source, SPAN("r-1")));
    assert_false(event_source_has_unsearched(&f->source));
    assert_true(push(f, SPAN(DONE("r-1"))));
    assert_true(event_source_has_unsearched(&f->source));
}

static void joins_a_record_that_was_cut(void **state) {
    struct fixture *f = *state;
    hold_head(f);
    assert_false(event_source_has_input(&f->source));
    assert_true(push(f, SPAN(CUT_REST)));
    assert_true(event_source_advance(&f->source));
    expect_event(f, "{\"text\":\"one two\"}");
    expect_end(f);
    assert_false(event_source_is_holding(&f->source));
}

static void a_held_head_never_keeps_its_rest_out_of_the_queue(void **state) {
    struct fixture *f = *state;
    hold_head(f);
    assert_true(nothing_is_counted(f));
}

static void a_head_that_was_given_up_is_input_and_is_yielded(void **state) {
    struct fixture *f = *state;
    struct event event = {0};
    hold_head(f);
    event_source_end(&f->source);
    assert_false(event_source_is_holding(&f->source));
    assert_true(event_source_has_input(&f->source));
    assert_int_equal(event_source_next(&f->source, &event), READER_UNPARSED);
    expect_end(f);
    assert_false(event_source_has_input(&f->source));
    assert_true(nothing_is_counted(f));
}

static void a_held_head_is_given_up_after_its_time(void **state) {
    struct fixture *f = *state;
    assert_true(event_source_wakeup_ms(&f->source) == INT64_MAX);
    hold_head(f);
    int64_t begin = f->clock.monotonic_ms;
    while (event_source_is_holding(&f->source)) {
        int64_t wakeup = event_source_wakeup_ms(&f->source);
        assert_in_range(wakeup, f->clock.monotonic_ms + 1, f->clock.monotonic_ms + 1000);
        f->clock.monotonic_ms = wakeup;
        event_source_watch(&f->source);
    }
    assert_int_equal(f->clock.monotonic_ms - begin, EVENT_SOURCE_HELD_MS);
    assert_true(event_source_wakeup_ms(&f->source) == INT64_MAX);
}

static void time_in_which_the_environment_was_frozen_does_not_count(void **state) {
    struct fixture *f = *state;
    hold_head(f);
    for (int thaw = 0; thaw < 3; thaw++) {
        fake_clock_pass(&f->clock, 600000);
        event_source_watch(&f->source);
        assert_true(event_source_is_holding(&f->source));
    }
}

static void a_head_is_not_given_up_while_something_is_there_to_read(void **state) {
    struct fixture *f = *state;
    hold_head(f);
    assert_true(push(f, SPAN(CUT_REST)));
    for (int i = 0; i < 100; i++) {
        fake_clock_pass(&f->clock, 50);
        event_source_watch(&f->source);
        event_source_end(&f->source);
    }
    assert_true(event_source_wakeup_ms(&f->source) == INT64_MAX);
    assert_true(event_source_advance(&f->source));
    expect_event(f, "{\"text\":\"one two\"}");
}

static void each_held_head_has_its_own_time(void **state) {
    struct fixture *f = *state;
    hold_head(f);
    for (int i = 0; i < 9; i++) {
        fake_clock_pass(&f->clock, 100);
        event_source_watch(&f->source);
    }
    assert_true(push(f, SPAN(CUT_REST)));
    assert_true(event_source_advance(&f->source));
    expect_event(f, "{\"text\":\"one two\"}");
    expect_end(f);
    hold_head(f);
    fake_clock_pass(&f->clock, 100);
    event_source_watch(&f->source);
    assert_true(event_source_is_holding(&f->source));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static void the_memory_of_a_body_that_was_read_goes_back_to_the_queue(void **state) {
    struct fixture *f = *state;
    static char text[BATCH_REUSED_BYTES_MIN];
    memset(text, ' ', sizeof text);
    memcpy(text, "[" EVENT("a"), SPAN("[" EVENT("a")).len);
    text[sizeof text - 1] = ']';
    assert_true(push(f, span_of(text, sizeof text))); /* the only one may exceed the limit */
    assert_true(event_source_advance(&f->source));
    expect_event(f, "\"a\"");
    expect_end(f);
    struct buf memory = batch_queue_memory_for(f->queue, sizeof text);
    assert_non_null(memory.ptr);
    buf_done(&memory);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(yields_the_events_of_one_body_after_the_other),
        TEST(an_empty_body_is_input_too),
        TEST(a_body_counts_in_the_queue_until_it_is_read_to_its_end),
        TEST(bodies_that_were_looked_into_count_and_keep_their_order),
        TEST(what_was_taken_but_not_read_is_freed_with_it),
        TEST(foresees_only_the_runtime_done_of_the_request),
        TEST(foresees_it_in_the_body_that_is_being_read_but_not_in_one_that_was),
        TEST(a_body_that_was_looked_into_in_vain_is_not_looked_into_again),
        TEST(joins_a_record_that_was_cut),
        TEST(a_held_head_never_keeps_its_rest_out_of_the_queue),
        TEST(a_head_that_was_given_up_is_input_and_is_yielded),
        TEST(a_held_head_is_given_up_after_its_time),
        TEST(time_in_which_the_environment_was_frozen_does_not_count),
        TEST(a_head_is_not_given_up_while_something_is_there_to_read),
        TEST(each_held_head_has_its_own_time),
        TEST(the_memory_of_a_body_that_was_read_goes_back_to_the_queue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
