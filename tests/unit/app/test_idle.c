// SPDX-License-Identifier: MIT
#include "app/idle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { BEGIN = 10000 };

static void the_gap_is_how_long_the_wait_has_lasted(void **state) {
    (void)state;
    struct idle idle = {0};
    idle_wait_begins(&idle, BEGIN);
    assert_int_equal(idle_gap_ms(&idle, BEGIN + 3), 3);
    assert_int_equal(idle_gap_ms(&idle, BEGIN + 70000), 70000);
}

static void a_delivery_just_before_the_invocation_does_not_hide_the_pause(void **state) {
    (void)state;
    struct idle idle = {0};
    idle_wait_begins(&idle, BEGIN);
    idle_wait_ended(&idle, BEGIN + 5000);
    idle_wait_begins(&idle, BEGIN + 5001);
    assert_int_equal(idle_gap_ms(&idle, BEGIN + 5010), 5000);
}

static void a_pause_is_forgotten_when_the_environment_has_been_busy_since(void **state) {
    (void)state;
    struct idle idle = {0};
    idle_wait_begins(&idle, BEGIN);
    idle_wait_ended(&idle, BEGIN + 5000);
    for (int64_t now = BEGIN + 5000; now < BEGIN + 6000; now += 50) {
        idle_wait_begins(&idle, now);
        idle_wait_ended(&idle, now + 40);
    }
    idle_wait_begins(&idle, BEGIN + 6000);
    assert_int_equal(idle_gap_ms(&idle, BEGIN + 6007), 7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_gap_is_how_long_the_wait_has_lasted),
        cmocka_unit_test(a_delivery_just_before_the_invocation_does_not_hide_the_pause),
        cmocka_unit_test(a_pause_is_forgotten_when_the_environment_has_been_busy_since),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
