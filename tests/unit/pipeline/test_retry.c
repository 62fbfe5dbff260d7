// SPDX-License-Identifier: MIT
#include "pipeline/retry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const enum retry_pace paces[] = {PACE_NOW, PACE_TRANSIENT, PACE_THROTTLED,
                                        PACE_MISCONFIGURED, PACE_SMALLER};

enum { PACES = sizeof paces / sizeof paces[0] };

static void the_bound_doubles_with_each_failure_up_to_the_cap(void **state) {
    (void)state;
    static const struct {
        enum retry_pace pace;
        uint32_t failures;
        int64_t bound_ms;
    } cases[] = {
        {PACE_NOW, 1, 0},
        {PACE_NOW, 50, 0},
        {PACE_TRANSIENT, 0, 50},
        {PACE_TRANSIENT, 1, 50},
        {PACE_TRANSIENT, 2, 100},
        {PACE_TRANSIENT, 5, 800},
        {PACE_TRANSIENT, 9, 12800},
        {PACE_TRANSIENT, 10, 20000},
        {PACE_TRANSIENT, UINT32_MAX, 20000},
        {PACE_SMALLER, 3, 200},
        {PACE_THROTTLED, 1, 1000},
        {PACE_THROTTLED, 4, 8000},
        {PACE_THROTTLED, 6, 20000},
        {PACE_MISCONFIGURED, 1, 1000},
        {PACE_MISCONFIGURED, 5, 16000},
        {PACE_MISCONFIGURED, 6, 30000},
        {PACE_MISCONFIGURED, UINT32_MAX, 30000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t most = retry_delay_ms(cases[i].pace, cases[i].failures, UINT32_MAX, 0, -1);
        assert_in_range(cases[i].bound_ms - most, 0, 1);
        assert_int_equal(retry_delay_ms(cases[i].pace, cases[i].failures, 0, 0, -1), 0);
        int64_t half = retry_delay_ms(cases[i].pace, cases[i].failures, UINT32_MAX / 2, 0, -1);
        assert_in_range(cases[i].bound_ms / 2 - half, 0, 1);
    }
}

static void never_sooner_than_the_service_asked_for_but_not_for_ever(void **state) {
    (void)state;
    assert_int_equal(retry_delay_ms(PACE_TRANSIENT, 1, 0, 700, -1), 700);
    assert_int_equal(retry_delay_ms(PACE_NOW, 1, 0, 700, -1), 700);
    assert_true(retry_delay_ms(PACE_THROTTLED, 3, UINT32_MAX, 700, -1) > 3900);
    assert_int_equal(retry_delay_ms(PACE_TRANSIENT, 1, 0, INT64_MAX, -1), RETRY_CAP_MS);
}

static void a_few_tries_fit_before_the_deadline(void **state) {
    (void)state;
    for (size_t i = 0; i < PACES; i++) {
        if (paces[i] == PACE_MISCONFIGURED) {
            continue;
        }
        assert_true(retry_delay_ms(paces[i], 20, UINT32_MAX, 5000, 2000) <= 500);
        assert_int_equal(retry_delay_ms(paces[i], 20, UINT32_MAX, 5000, 0), 0);
        assert_true(retry_delay_ms(paces[i], 1, UINT32_MAX, 0, INT64_MAX) <= 1000);
    }
    assert_int_equal(retry_delay_ms(PACE_THROTTLED, 20, UINT32_MAX, 0, 2000), 500);
}

/* It would fail like the one before. */
static void no_deadline_hurries_a_retry_that_needs_a_mistake_to_be_mended(void **state) {
    (void)state;
    assert_true(retry_delay_ms(PACE_MISCONFIGURED, 20, UINT32_MAX, 0, 2000) > 29000);
    assert_true(retry_delay_ms(PACE_MISCONFIGURED, 1, UINT32_MAX, 0, 0) >= 999);
}

static void no_delay_is_negative(void **state) {
    (void)state;
    for (size_t i = 0; i < PACES; i++) {
        for (uint32_t failures = 0; failures < 40; failures++) {
            int64_t delay = retry_delay_ms(paces[i], failures, failures * 107374182, 0,
                                           (int64_t)failures * 10 - 1);
            assert_in_range(delay, 0, RETRY_MISCONFIGURED_CAP_MS);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_bound_doubles_with_each_failure_up_to_the_cap),
        cmocka_unit_test(never_sooner_than_the_service_asked_for_but_not_for_ever),
        cmocka_unit_test(a_few_tries_fit_before_the_deadline),
        cmocka_unit_test(no_deadline_hurries_a_retry_that_needs_a_mistake_to_be_mended),
        cmocka_unit_test(no_delay_is_negative),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
