// SPDX-License-Identifier: MIT
#include "app/variables.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static char first[] = "NAME=value";
static char second[] = "NAMES=other=more";
static char third[] = "EMPTY=";
static char fourth[] = "NAME=again";
static char fifth[] = "FLAG=True";
static char sixth[] = "NO_VALUE";
static char *const environment[] = {first, second, third, fourth, fifth, sixth, NULL};

static bool is(struct span value, const char *text) {
    return span_equals(value, span_of_text(text));
}

static void a_variable_is_found_by_its_whole_name(void **state) {
    (void)state;
    assert_true(is(variable(environment, "NAME"), "value"));
    assert_true(is(variable(environment, "NAMES"), "other=more"));
    assert_int_equal(variable(environment, "NAM").len, 0);
    assert_int_equal(variable(environment, "EMPTY").len, 0);
    assert_int_equal(variable(environment, "NO_VALUE").len, 0);
    assert_int_equal(variable(environment + 6, "NAME").len, 0);
}

static void an_empty_variable_gives_way_to_the_other(void **state) {
    (void)state;
    assert_true(is(variable_or(environment, "NAME", "NAMES"), "value"));
    assert_true(is(variable_or(environment, "EMPTY", "NAMES"), "other=more"));
    assert_true(is(variable_or(environment, "NONE", "EMPTY"), ""));
}

static void a_flag_is_true_in_any_case(void **state) {
    (void)state;
    assert_true(variable_is_true(environment, "FLAG"));
    assert_false(variable_is_true(environment, "NAME"));
    assert_false(variable_is_true(environment, "EMPTY"));
    assert_false(variable_is_true(environment, "NONE"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_variable_is_found_by_its_whole_name),
        cmocka_unit_test(an_empty_variable_gives_way_to_the_other),
        cmocka_unit_test(a_flag_is_true_in_any_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
