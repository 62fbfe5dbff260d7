// SPDX-License-Identifier: MIT
#include "pipeline/text_fields.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct buf out;

static int set_up(void **state) {
    (void)state;
    out = buf_with_ceiling(SSIZE_MAX);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    buf_done(&out);
    return 0;
}

static void expect_text(const char *expected) {
    const char *text = buf_text(&out);
    assert_non_null(text);
    assert_string_equal(text, expected);
}

static void expect_fields(const char *object, const char *expected) {
    static const struct text_field fields[] = {
        {"Name: ", "name", "; ", false},
        {"Duration: ", "durationMs", " ms; ", true},
        {"Size: ", "size", " MB", false},
    };
    buf_clear(&out);
    TEXT_FIELDS_APPEND(&out, span_of_text(object), fields);
    expect_text(expected);
}

static void fields_stand_in_the_order_of_the_line_and_those_that_are_missing_do_not(void **state) {
    (void)state;
    expect_fields("{\"size\":128,\"durationMs\":17.301,\"name\":\"a\"}",
                  "Name: a; Duration: 17.30 ms; Size: 128 MB");
    expect_fields("{ \"size\" : 1e3 }", "Size: 1e3 MB");
    expect_fields("{}", "");
}

static void what_is_no_object_has_no_fields(void **state) {
    (void)state;
    static const char *const others[] = {"", "null", "\"name\"", "[{\"name\":\"a\"}]", "7"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        expect_fields(others[i], "");
    }
}

static void only_strings_and_numbers_are_values(void **state) {
    (void)state;
    expect_fields("{\"name\":{\"a\":1},\"durationMs\":[1],\"size\":null}", "");
    expect_fields("{\"name\":true,\"durationMs\":\"soon\",\"size\":\"\"}", "Duration: soon ms; ");
    expect_fields("{\"size\":1234567890123456789012345678901}",
                  "Size: 1234567890123456789012345678901 MB");
    expect_fields("{\"size\":12345678901234567890123456789012}", "");
}

static void two_decimals_are_for_numbers_of_any_form(void **state) {
    (void)state;
    expect_fields("{\"durationMs\":3000}", "Duration: 3000.00 ms; ");
    expect_fields("{\"durationMs\":0.006}", "Duration: 0.01 ms; ");
    expect_fields("{\"durationMs\":-1.5e2}", "Duration: -150.00 ms; ");
}

static void escapes_stay_escapes(void **state) {
    (void)state;
    expect_fields("{\"name\":\"a\\\"b\\n\\u00e9\"}", "Name: a\\\"b\\n\\u00e9; ");
}

static void expect_list(const char *object, const char *expected) {
    buf_clear(&out);
    text_fields_append_list(&out, span_of_text(object), "events");
    expect_text(expected);
}

static void a_list_names_its_strings(void **state) {
    (void)state;
    expect_list("{\"events\":[\"INVOKE\",\"SHUTDOWN\"]}", "[INVOKE, SHUTDOWN]");
    expect_list("{\"events\": [ \"INVOKE\" ] }", "[INVOKE]");
    expect_list("{\"events\":[]}", "[]");
    expect_list("{\"events\":\"INVOKE\"}", "[]");
    expect_list("{}", "[]");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(fields_stand_in_the_order_of_the_line_and_those_that_are_missing_do_not),
        TEST(what_is_no_object_has_no_fields),
        TEST(only_strings_and_numbers_are_values),
        TEST(two_decimals_are_for_numbers_of_any_form),
        TEST(escapes_stay_escapes),
        TEST(a_list_names_its_strings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
