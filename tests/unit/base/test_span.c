// SPDX-License-Identifier: MIT
#include "base/span.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define assert_span(s, text) assert_true(span_equals((s), span_of_text(text)))

static void compares_bytes_and_lengths(void **state) {
    (void)state;
    assert_true(span_equals(SPAN("ab"), span_of("abc", 2)));
    assert_true(span_equals(span_of(NULL, 0), SPAN("")));
    assert_false(span_equals(SPAN("ab"), SPAN("abc")));
    assert_false(span_equals(SPAN("ab"), SPAN("aB")));
    assert_true(span_equals(SPAN("a\0b"), span_of("a\0b", 3)));
    assert_false(span_equals(SPAN("a\0b"), SPAN("a\0c")));
}

static void compares_ascii_without_case(void **state) {
    (void)state;
    assert_true(span_equals_ignoring_case(SPAN("X-Amz-Date"), SPAN("x-AMZ-date")));
    assert_false(span_equals_ignoring_case(SPAN("a"), SPAN("ab")));
    assert_false(span_equals_ignoring_case(SPAN("["), SPAN("{")));
    assert_false(span_equals_ignoring_case(SPAN("\xC3\x84"), SPAN("\xC3\xA4")));
    assert_true(span_equals_ignoring_case(span_of(NULL, 0), SPAN("")));
}

static void knows_prefixes_and_suffixes(void **state) {
    (void)state;
    assert_true(span_starts_with(SPAN("abc"), SPAN("ab")));
    assert_true(span_starts_with(span_of(NULL, 0), span_of(NULL, 0)));
    assert_false(span_starts_with(SPAN("a"), SPAN("ab")));
    assert_true(span_ends_with(SPAN("abc"), SPAN("bc")));
    assert_false(span_ends_with(SPAN("abc"), SPAN("ab")));
    assert_true(span_ends_with(SPAN("abc"), SPAN("")));
}

static void skips_and_takes_no_more_than_there_is(void **state) {
    (void)state;
    assert_span(span_skip(SPAN("abc"), 1), "bc");
    assert_span(span_skip(SPAN("abc"), 9), "");
    assert_span(span_first(SPAN("abc"), 2), "ab");
    assert_span(span_first(SPAN("abc"), 9), "abc");
}

static void trims_blanks_at_both_ends(void **state) {
    (void)state;
    assert_span(span_trim(SPAN(" \t a b\r\n")), "a b");
    assert_span(span_trim(SPAN(" \r\n\t")), "");
    assert_span(span_trim(span_of(NULL, 0)), "");
}

static void cuts_at_the_first_separator(void **state) {
    (void)state;
    struct span rest = SPAN("a,,b");
    assert_span(span_cut(&rest, ','), "a");
    assert_span(span_cut(&rest, ','), "");
    assert_span(rest, "b");
    assert_span(span_cut(&rest, ','), "b");
    assert_int_equal(rest.len, 0);
    assert_span(span_cut(&rest, ','), "");
}

static void finds_the_first_place(void **state) {
    (void)state;
    struct span text = SPAN("one two two");
    assert_ptr_equal(span_find(text, SPAN("two")), text.ptr + 4);
    assert_null(span_find(text, SPAN("three")));
    assert_ptr_equal(span_find(text, SPAN("")), text.ptr);
    assert_null(span_find(span_of(NULL, 0), SPAN("x")));
}

static void reads_numbers_of_digits_only(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool valid;
        unsigned long long value;
    } cases[] = {
        {"0", true, 0},
        {"0042", true, 42},
        {"18446744073709551615", true, 18446744073709551615ULL},
        {"18446744073709551616", false, 0},
        {"99999999999999999999999", false, 0},
        {"", false, 0},
        {"-1", false, 0},
        {"+1", false, 0},
        {" 1", false, 0},
        {"1 ", false, 0},
        {"0x10", false, 0},
        {"1.0", false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        unsigned long long value = 7;
        assert_int_equal(span_to_u64(span_of_text(cases[i].text), &value), cases[i].valid);
        assert_true(value == (cases[i].valid ? cases[i].value : 7));
    }
}

static void prints_with_its_length(void **state) {
    (void)state;
    char text[16];
    (void)snprintf(text, sizeof text, "<%.*s>", SPAN_ARGS(span_of("abcdef", 3)));
    assert_string_equal(text, "<abc>");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares_bytes_and_lengths),
        cmocka_unit_test(compares_ascii_without_case),
        cmocka_unit_test(knows_prefixes_and_suffixes),
        cmocka_unit_test(skips_and_takes_no_more_than_there_is),
        cmocka_unit_test(trims_blanks_at_both_ends),
        cmocka_unit_test(cuts_at_the_first_separator),
        cmocka_unit_test(finds_the_first_place),
        cmocka_unit_test(reads_numbers_of_digits_only),
        cmocka_unit_test(prints_with_its_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
