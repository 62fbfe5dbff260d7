// SPDX-License-Identifier: MIT
#include "app/traffic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { MAX_DELAY = 1000, HOUR = 3600 * 1000, FOLLOWS_WITHIN = 5 };

static struct traffic traffic;

static int set_up(void **state) {
    (void)state;
    traffic_init(&traffic, MAX_DELAY);
    return 0;
}

/* After so many more invocations with this gap. */
static bool is_held_after(int invocations, int64_t gap_ms) {
    bool held = false;
    for (int i = 0; i < invocations; i++) {
        held = traffic_begin(&traffic, gap_ms);
    }
    return held;
}

static void the_first_invocations_are_held_whatever_their_gaps(void **state) {
    (void)state;
    for (int i = 0; i < TRAFFIC_FIRST_HELD; i++) {
        assert_true(traffic_begin(&traffic, 0));
    }
    assert_false(traffic_begin(&traffic, 0));
}

static void rare_invocations_are_held_and_frequent_ones_are_not(void **state) {
    (void)state;
    static const struct {
        int64_t gap_ms;
        bool held;
    } cases[] = {
        {0, false},         {1, false},   {100, false}, {MAX_DELAY / 2, false},
        {MAX_DELAY, false}, {1100, true}, {5000, true}, {HOUR, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        traffic_init(&traffic, MAX_DELAY);
        assert_true(is_held_after(20, cases[i].gap_ms) == cases[i].held);
    }
}

static void a_change_of_traffic_is_followed_within_a_few_invocations(void **state) {
    (void)state;
    assert_true(is_held_after(50, HOUR));
    assert_false(is_held_after(FOLLOWS_WITHIN, 10));
    assert_false(is_held_after(50, 10));
    assert_true(is_held_after(FOLLOWS_WITHIN, 2 * MAX_DELAY));
}

/* One pause says nothing of the next. */
static void one_long_pause_does_not_hold_frequent_invocations_for_long(void **state) {
    (void)state;
    assert_false(is_held_after(50, 10));
    (void)is_held_after(1, HOUR);
    assert_false(is_held_after(2, 10));
}

/* It is about the gaps between invocations; before the first there is none. */
static void the_time_before_the_first_invocation_does_not_count(void **state) {
    (void)state;
    assert_true(is_held_after(1, HOUR));
    assert_true(is_held_after(2, 10));
    assert_false(is_held_after(1, 10));
}

static void where_no_delay_is_allowed_all_are_held(void **state) {
    (void)state;
    traffic_init(&traffic, 0);
    assert_true(is_held_after(20, 0));
    assert_true(is_held_after(20, 10));
    assert_true(is_held_after(20, HOUR));
}

static void the_longest_delay_makes_no_difference_to_the_arithmetic(void **state) {
    (void)state;
    traffic_init(&traffic, 900000);
    assert_false(is_held_after(20, 60000));
    assert_true(is_held_after(20, INT64_MAX / 8));
    assert_false(is_held_after(20, 60000));
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(the_first_invocations_are_held_whatever_their_gaps),
        TEST(rare_invocations_are_held_and_frequent_ones_are_not),
        TEST(a_change_of_traffic_is_followed_within_a_few_invocations),
        TEST(one_long_pause_does_not_hold_frequent_invocations_for_long),
        TEST(the_time_before_the_first_invocation_does_not_count),
        TEST(where_no_delay_is_allowed_all_are_held),
        TEST(the_longest_delay_makes_no_difference_to_the_arithmetic),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
