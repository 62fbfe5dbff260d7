// SPDX-License-Identifier: MIT
#include "app/hold.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { HOLD_MS = 1000, TIMEOUT_MS = 25, BEGIN = 50000, DEADLINE = BEGIN + 60000 };
enum {
    FIRST_SILENCE = TIMEOUT_MS + HOLD_FIRST_SILENCE_MS, /* until the first event */
    SILENCE = TIMEOUT_MS + HOLD_SILENCE_MS,             /* after each */
    LATEST = DEADLINE - HOLD_MARGIN_MS,
};

static struct hold hold;

static int set_up(void **state) {
    (void)state;
    hold_init(&hold, (struct hold_settings){.hold_ms = HOLD_MS, .timeout_ms = TIMEOUT_MS});
    return 0;
}

static void begin(void) { hold_begin(&hold, true, "r-1", BEGIN, DEADLINE); }

static void on(enum event_kind kind, const char *request_id, uint64_t position, int64_t now_ms) {
    hold_on_event(&hold, kind, span_of_text(request_id), position, now_ms);
}

static void expect_end(int64_t time_ms) { assert_int_equal(hold_ends_ms(&hold), time_ms); }

static bool ends_with_delivery_of(uint64_t position) {
    uint64_t needed = 0;
    return hold_needs_delivery(&hold, &needed) && needed == position;
}

static void nothing_is_held_before_the_first_invocation(void **state) {
    (void)state;
    assert_true(hold_ends_ms(&hold) == INT64_MAX);
    assert_false(hold_waits_for_runtime_done(&hold));
    assert_false(ends_with_delivery_of(0));
}

static void a_hold_ends_when_everything_up_to_runtime_done_is_delivered(void **state) {
    (void)state;
    begin();
    assert_true(hold_waits_for_runtime_done(&hold));
    on(EVENT_START, "r-1", 1, BEGIN + 30);
    on(EVENT_FUNCTION, "", 2, BEGIN + 100);
    assert_true(hold_waits_for_runtime_done(&hold));
    assert_false(ends_with_delivery_of(2));
    on(EVENT_RUNTIME_DONE, "r-1", 3, BEGIN + 200);
    assert_false(hold_waits_for_runtime_done(&hold));
    assert_true(ends_with_delivery_of(3));
    on(EVENT_FUNCTION, "", 4, BEGIN + 210);
    assert_true(ends_with_delivery_of(3));
}

static void a_function_that_logs_is_held_up_to_its_deadline_and_no_further(void **state) {
    (void)state;
    begin();
    on(EVENT_START, "r-1", 1, BEGIN + 30);
    for (int64_t now = BEGIN + 30; now < LATEST - SILENCE; now += HOLD_SILENCE_MS) {
        on(EVENT_FUNCTION, "", 2, now);
        expect_end(now + SILENCE);
    }
    on(EVENT_FUNCTION, "", 3, LATEST - 5);
    expect_end(LATEST);
}

static void it_ends_hold_ms_after_runtime_done_when_delivery_does_not(void **state) {
    (void)state;
    begin();
    on(EVENT_START, "r-1", 1, BEGIN + 30);
    on(EVENT_RUNTIME_DONE, "r-1", 2, BEGIN + 5000);
    expect_end(BEGIN + 5000 + HOLD_MS);
    on(EVENT_RUNTIME_DONE, "r-1", 9, BEGIN + 5500); /* said twice, it counts once */
    expect_end(BEGIN + 5000 + HOLD_MS);
}

static void the_deadline_goes_before_hold_ms(void **state) {
    (void)state;
    begin();
    on(EVENT_RUNTIME_DONE, "r-1", 2, DEADLINE - 500);
    expect_end(LATEST);
}

static void it_ends_when_no_event_comes(void **state) {
    (void)state;
    begin();
    expect_end(BEGIN + FIRST_SILENCE);
    assert_true(hold_waits_for_runtime_done(&hold));
}

static void it_ends_when_a_runtime_done_is_lost(void **state) {
    (void)state;
    begin();
    on(EVENT_START, "r-1", 1, BEGIN + 30);
    expect_end(BEGIN + 30 + SILENCE);
    on(EVENT_FUNCTION, "", 2, BEGIN + 2000);
    expect_end(BEGIN + 2000 + SILENCE);
    on(EVENT_PLATFORM, "", 3, BEGIN + 2100);
    expect_end(BEGIN + 2100 + SILENCE);
    assert_true(hold_waits_for_runtime_done(&hold));
}

static void events_of_other_invocations_break_the_silence_but_end_nothing(void **state) {
    (void)state;
    begin();
    on(EVENT_REPORT, "r-0", 1, BEGIN + 10);
    on(EVENT_START, "r-0", 2, BEGIN + 10);
    on(EVENT_RUNTIME_DONE, "r-0", 3, BEGIN + 10);
    on(EVENT_START, "", 5, BEGIN + 20);
    expect_end(BEGIN + 20 + SILENCE);
    assert_true(hold_waits_for_runtime_done(&hold));
}

static void silence_is_measured_on_top_of_the_platforms_buffering_time(void **state) {
    (void)state;
    hold_init(&hold, (struct hold_settings){.hold_ms = 0, .timeout_ms = 30000});
    begin();
    expect_end(BEGIN + 30000 + HOLD_FIRST_SILENCE_MS);
    on(EVENT_START, "r-1", 1, BEGIN + 100);
    expect_end(BEGIN + 100 + 30000 + HOLD_SILENCE_MS);
}

static void a_deadline_before_the_silence_is_over_goes_first(void **state) {
    (void)state;
    hold_begin(&hold, true, "r-1", BEGIN, BEGIN + 2000);
    expect_end(BEGIN + 2000 - HOLD_MARGIN_MS);
}

static void a_deadline_that_is_over_holds_nothing(void **state) {
    (void)state;
    hold_begin(&hold, true, "r-1", BEGIN, BEGIN - 5);
    assert_true(hold_ends_ms(&hold) <= BEGIN);
}

static void an_unknown_deadline_leaves_the_other_bounds(void **state) {
    (void)state;
    hold_begin(&hold, true, "r-1", BEGIN, INT64_MAX);
    expect_end(BEGIN + FIRST_SILENCE);
    on(EVENT_START, "r-1", 1, BEGIN + 30);
    expect_end(BEGIN + 30 + SILENCE);
    on(EVENT_RUNTIME_DONE, "r-1", 2, BEGIN + 900000);
    expect_end(BEGIN + 900000 + HOLD_MS);
}

static void it_goes_on_as_continuous_when_the_platform_dropped_events(void **state) {
    (void)state;
    begin();
    on(EVENT_START, "r-1", 1, BEGIN + 30);
    on(EVENT_LOGS_DROPPED, "", 2, BEGIN + 10000);
    expect_end(BEGIN + 10000 + HOLD_MS);
    assert_true(hold_waits_for_runtime_done(&hold));
    on(EVENT_RUNTIME_DONE, "r-1", 3, BEGIN + 10500); /* it was not among them */
    assert_true(ends_with_delivery_of(3));
    expect_end(BEGIN + 10500 + HOLD_MS);
}

static void while_events_come_it_does_not_give_up_even_if_some_were_dropped(void **state) {
    (void)state;
    begin();
    on(EVENT_LOGS_DROPPED, "", 1, BEGIN + 100);
    on(EVENT_FUNCTION, "", 2, BEGIN + 900);
    expect_end(BEGIN + 900 + HOLD_MS);
    on(EVENT_FUNCTION, "", 3, LATEST - 1);
    expect_end(LATEST);
}

static void a_start_that_comes_late_or_twice_undoes_nothing(void **state) {
    (void)state;
    begin();
    on(EVENT_START, "r-1", 1, BEGIN + 30);
    on(EVENT_LOGS_DROPPED, "", 2, BEGIN + 100);
    on(EVENT_START, "r-1", 3, BEGIN + 200);
    expect_end(BEGIN + 200 + HOLD_MS);
    on(EVENT_RUNTIME_DONE, "r-1", 4, BEGIN + 300);
    on(EVENT_START, "r-1", 5, BEGIN + 400);
    expect_end(BEGIN + 300 + HOLD_MS);
}

static void events_dropped_after_runtime_done_change_nothing(void **state) {
    (void)state;
    begin();
    on(EVENT_RUNTIME_DONE, "r-1", 1, BEGIN + 100);
    on(EVENT_LOGS_DROPPED, "", 2, BEGIN + 200);
    expect_end(BEGIN + 100 + HOLD_MS);
    assert_true(ends_with_delivery_of(1));
}

static void a_runtime_done_that_is_foreseen_starts_hold_ms(void **state) {
    (void)state;
    begin();
    on(EVENT_START, "r-1", 1, BEGIN + 30);
    hold_on_runtime_done_foreseen(&hold, BEGIN + 7000);
    expect_end(BEGIN + 7000 + HOLD_MS);
    assert_false(hold_waits_for_runtime_done(&hold));
    uint64_t position = 0;
    assert_false(hold_needs_delivery(&hold, &position));
    on(EVENT_RUNTIME_DONE, "r-1", 8, BEGIN + 7600);
    expect_end(BEGIN + 7000 + HOLD_MS);
    assert_true(ends_with_delivery_of(8));
}

static void without_waiting_a_hold_ends_as_it_begins(void **state) {
    (void)state;
    hold_begin(&hold, false, "r-1", BEGIN, DEADLINE);
    expect_end(BEGIN);
    assert_false(hold_waits_for_runtime_done(&hold));
    on(EVENT_START, "r-1", 1, BEGIN + 1);
    on(EVENT_RUNTIME_DONE, "r-1", 2, BEGIN + 1);
    expect_end(BEGIN);
    assert_false(ends_with_delivery_of(2));
}

static void a_hold_of_0_ms_ends_with_the_runtime(void **state) {
    (void)state;
    hold_init(&hold, (struct hold_settings){.hold_ms = 0, .timeout_ms = 25});
    begin();
    on(EVENT_RUNTIME_DONE, "r-1", 2, BEGIN + 100);
    expect_end(BEGIN + 100);
}

static void after_its_end_nothing_is_held_until_the_next_invocation(void **state) {
    (void)state;
    begin();
    on(EVENT_RUNTIME_DONE, "r-1", 3, BEGIN + 100);
    hold_end(&hold, BEGIN + 150);
    assert_true(hold_ends_ms(&hold) == INT64_MAX);
    assert_false(ends_with_delivery_of(3));
    on(EVENT_REPORT, "r-1", 4, BEGIN + 90000);
    hold_begin(&hold, true, "r-2", BEGIN + 90000, DEADLINE + 90000);
    assert_true(hold_waits_for_runtime_done(&hold));
    assert_false(ends_with_delivery_of(3));
    expect_end(BEGIN + 90000 + FIRST_SILENCE);
    on(EVENT_RUNTIME_DONE, "r-1", 5, BEGIN + 90010); /* late, and of the one before */
    assert_true(hold_waits_for_runtime_done(&hold));
}

/* On a starved processor the events of an invocation may be read before the answer that announces
 * it. */
static void a_start_that_was_read_before_the_invocation_breaks_the_silence(void **state) {
    (void)state;
    on(EVENT_START, "r-1", 1, BEGIN - 5);
    on(EVENT_FUNCTION, "", 2, BEGIN - 5);
    begin();
    expect_end(BEGIN + SILENCE);
    assert_true(hold_waits_for_runtime_done(&hold));
}

static void an_end_that_was_read_before_the_invocation_counts(void **state) {
    (void)state;
    on(EVENT_START, "r-1", 1, BEGIN - 5);
    on(EVENT_RUNTIME_DONE, "r-1", 3, BEGIN - 5);
    begin();
    expect_end(BEGIN + HOLD_MS);
    assert_true(ends_with_delivery_of(3));
    hold_end(&hold, BEGIN);
    hold_begin(&hold, true, "r-2", BEGIN, DEADLINE);
    assert_true(hold_waits_for_runtime_done(&hold));
}

static void events_may_come_without_a_request_id(void **state) {
    (void)state;
    on(EVENT_START, NULL, 1, BEGIN - 5);
    hold_begin(&hold, true, "", BEGIN, DEADLINE);
    on(EVENT_RUNTIME_DONE, "r-1", 2, BEGIN + 5);
    assert_true(hold_waits_for_runtime_done(&hold));
}

static void the_time_held_beyond_the_runtime_is_summed_up(void **state) {
    (void)state;
    begin();
    on(EVENT_RUNTIME_DONE, "r-1", 1, BEGIN + 100);
    hold_end(&hold, BEGIN + 130);
    hold_end(&hold, BEGIN + 5000); /* none is active */
    hold_begin(&hold, true, "r-2", BEGIN + 10000, DEADLINE);
    hold_on_runtime_done_foreseen(&hold, BEGIN + 11000);
    on(EVENT_RUNTIME_DONE, "r-2", 2, BEGIN + 11400);
    hold_end(&hold, BEGIN + 11500);
    assert_int_equal(hold.total_ms, 530);
}

static void time_in_which_the_function_runs_is_not_held(void **state) {
    (void)state;
    begin();
    on(EVENT_START, "r-1", 1, BEGIN + 100);
    hold_end(&hold, BEGIN + 20000); /* by silence */
    hold_begin(&hold, false, "r-2", BEGIN + 30000, DEADLINE);
    hold_end(&hold, BEGIN + 30000);
    assert_int_equal(hold.total_ms, 0);
}

static void a_queue_that_stays_full_ends_it(void **state) {
    (void)state;
    begin();
    on(EVENT_START, "r-1", 1, BEGIN + 10);
    hold_on_queue(&hold, true, BEGIN + 100);
    expect_end(BEGIN + 100 + HOLD_MS);
    hold_on_queue(&hold, true, BEGIN + 900);
    expect_end(BEGIN + 100 + HOLD_MS);
    hold_on_queue(&hold, false, BEGIN + 950);
    expect_end(BEGIN + 10 + SILENCE);
    hold_on_queue(&hold, true, BEGIN + 1000);
    expect_end(BEGIN + 1000 + HOLD_MS);
}

static void a_full_queue_matters_only_until_the_runtime_is_done(void **state) {
    (void)state;
    hold_on_queue(&hold, true, BEGIN - 10);
    begin();
    on(EVENT_START, "r-1", 1, BEGIN + 10);
    hold_on_queue(&hold, true, BEGIN + 100);
    on(EVENT_RUNTIME_DONE, "r-1", 2, BEGIN + 500);
    hold_on_queue(&hold, true, BEGIN + 500);
    expect_end(BEGIN + 500 + HOLD_MS);
}

static void retries_are_hurried_only_once_the_runtime_is_done(void **state) {
    (void)state;
    assert_true(hold_delivery_ends_ms(&hold) == INT64_MAX);
    begin();
    on(EVENT_START, "r-1", 1, BEGIN + 10);
    assert_true(hold_delivery_ends_ms(&hold) == INT64_MAX);
    on(EVENT_RUNTIME_DONE, "r-1", 2, BEGIN + 500);
    assert_int_equal(hold_delivery_ends_ms(&hold), BEGIN + 500 + HOLD_MS);
    hold_end(&hold, BEGIN + 600);
    assert_true(hold_delivery_ends_ms(&hold) == INT64_MAX);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_held_before_the_first_invocation),
        TEST(a_hold_ends_when_everything_up_to_runtime_done_is_delivered),
        TEST(a_function_that_logs_is_held_up_to_its_deadline_and_no_further),
        TEST(it_ends_hold_ms_after_runtime_done_when_delivery_does_not),
        TEST(the_deadline_goes_before_hold_ms),
        TEST(it_ends_when_no_event_comes),
        TEST(it_ends_when_a_runtime_done_is_lost),
        TEST(events_of_other_invocations_break_the_silence_but_end_nothing),
        TEST(silence_is_measured_on_top_of_the_platforms_buffering_time),
        TEST(a_deadline_before_the_silence_is_over_goes_first),
        TEST(a_deadline_that_is_over_holds_nothing),
        TEST(an_unknown_deadline_leaves_the_other_bounds),
        TEST(it_goes_on_as_continuous_when_the_platform_dropped_events),
        TEST(while_events_come_it_does_not_give_up_even_if_some_were_dropped),
        TEST(a_start_that_comes_late_or_twice_undoes_nothing),
        TEST(events_dropped_after_runtime_done_change_nothing),
        TEST(a_runtime_done_that_is_foreseen_starts_hold_ms),
        TEST(without_waiting_a_hold_ends_as_it_begins),
        TEST(a_hold_of_0_ms_ends_with_the_runtime),
        TEST(after_its_end_nothing_is_held_until_the_next_invocation),
        TEST(a_start_that_was_read_before_the_invocation_breaks_the_silence),
        TEST(an_end_that_was_read_before_the_invocation_counts),
        TEST(events_may_come_without_a_request_id),
        TEST(the_time_held_beyond_the_runtime_is_summed_up),
        TEST(time_in_which_the_function_runs_is_not_held),
        TEST(a_queue_that_stays_full_ends_it),
        TEST(a_full_queue_matters_only_until_the_runtime_is_done),
        TEST(retries_are_hurried_only_once_the_runtime_is_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
