// SPDX-License-Identifier: MIT
#include "pipeline/gathering.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct gathering gathering_of(int64_t limit_ms) {
    return (struct gathering){.limit_ms = limit_ms, .enough_bytes = 1000};
}

static void the_first_event_waits_as_long_as_is_allowed_and_no_longer(void **state) {
    (void)state;
    struct gathering gathering = gathering_of(500);
    assert_true(gathering_ends_ms(&gathering) == INT64_MAX);
    gathering_watch(&gathering, true, 7000);
    assert_int_equal(gathering_ends_ms(&gathering), 7500);
    assert_false(gathering_is_over(&gathering, 10, 7499));
    gathering_watch(&gathering, true, 7400); /* another one came */
    assert_int_equal(gathering_ends_ms(&gathering), 7500);
    assert_true(gathering_is_over(&gathering, 20, 7500));
}

static void enough_of_them_need_not_wait(void **state) {
    (void)state;
    struct gathering gathering = gathering_of(500);
    gathering_watch(&gathering, true, 7000);
    assert_false(gathering_is_over(&gathering, 999, 7000));
    assert_true(gathering_is_over(&gathering, 1000, 7000));
}

static void the_time_of_the_next_ones_begins_anew(void **state) {
    (void)state;
    struct gathering gathering = gathering_of(500);
    gathering_watch(&gathering, true, 7000);
    gathering_watch(&gathering, false, 7500);
    assert_true(gathering_ends_ms(&gathering) == INT64_MAX);
    gathering_watch(&gathering, true, 8000);
    assert_int_equal(gathering_ends_ms(&gathering), 8500);
}

static void without_a_limit_nothing_waits(void **state) {
    (void)state;
    struct gathering gathering = gathering_of(0);
    assert_true(gathering_is_over(&gathering, 1, 7000));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_event_waits_as_long_as_is_allowed_and_no_longer),
        cmocka_unit_test(enough_of_them_need_not_wait),
        cmocka_unit_test(the_time_of_the_next_ones_begins_anew),
        cmocka_unit_test(without_a_limit_nothing_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
