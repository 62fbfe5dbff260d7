// SPDX-License-Identifier: MIT
#include "base/utf8.h"

#include "../guarded.h"
#include "no_vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void measures_valid_sequences(void **state) {
    (void)state;
    static const struct {
        struct span text;
        size_t length;
    } cases[] = {
        {{"a", 1}, 1},
        {{"\0", 1}, 1},
        {{"\x7f", 1}, 1},
        {{"\xC2\x80", 2}, 2},
        {{"\xDF\xBF", 2}, 2},
        {{"\xE0\xA0\x80", 3}, 3},
        {{"\xED\x9F\xBF", 3}, 3}, /* U+D7FF, just below the surrogates */
        {{"\xEE\x80\x80", 3}, 3}, /* U+E000, just above them */
        {{"\xEF\xBF\xBF", 3}, 3},
        {{"\xF0\x90\x80\x80", 4}, 4},
        {{"\xF4\x8F\xBF\xBF", 4}, 4}, /* U+10FFFF, the last */
        {{"\xC3\xA4x", 3}, 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(utf8_sequence_length(cases[i].text), cases[i].length);
    }
}

static void refuses_what_rfc_3629_forbids(void **state) {
    (void)state;
    static const struct span cases[] = {
        {"\x80", 1},             /* a continuation alone */
        {"\xC0\x80", 2},         /* overlong NUL */
        {"\xC1\xBF", 2},         /* overlong */
        {"\xE0\x9F\xBF", 3},     /* overlong */
        {"\xED\xA0\x80", 3},     /* a surrogate */
        {"\xED\xBF\xBF", 3},     /* a surrogate */
        {"\xF0\x8F\xBF\xBF", 4}, /* overlong */
        {"\xF4\x90\x80\x80", 4}, /* above U+10FFFF */
        {"\xF5\x80\x80\x80", 4},
        {"\xFF", 1},
        {"\xC3", 1},
        {"\xC3(", 2},
        {"\xE2\x82", 2},
        {"\xE2\x82(", 3},
        {"\xF0\x9F\x98", 3},
        {"\xF0\x9F\x98(", 4},
        {"\xF0(\x98\x80", 4},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(utf8_sequence_length(cases[i]), 0);
        assert_false(utf8_is_valid(cases[i]));
    }
}

/* Every code point that is one, encoded by its definition. */
static void knows_every_code_point(void **state) {
    (void)state;
    for (uint32_t point = 0x800; point <= 0xFFFF; point++) {
        const char text[] = {(char)(0xE0 | point >> 12), (char)(0x80 | (point >> 6 & 0x3F)),
                             (char)(0x80 | (point & 0x3F))};
        bool surrogate = point >= 0xD800 && point <= 0xDFFF;
        assert_int_equal(utf8_sequence_length(span_of(text, 3)), surrogate ? 0 : 3);
    }
}

static void text_is_valid_when_all_of_it_is(void **state) {
    (void)state;
    assert_true(utf8_is_valid(SPAN("")));
    assert_true(utf8_is_valid(span_of(NULL, 0)));
    assert_true(utf8_is_valid(SPAN("Gr\xC3\xBC\xC3\x9F"
                                   "e \xF0\x9F\x98\x80")));
    assert_false(utf8_is_valid(SPAN("ok \xC3")));
    assert_int_equal(utf8_sequence_length(SPAN("")), 0);
}

static void valid_text_ends_before_what_is_not(void **state) {
    (void)state;
    assert_int_equal(utf8_valid_length(SPAN("")), 0);
    assert_int_equal(utf8_valid_length(SPAN("abc")), 3);
    assert_int_equal(utf8_valid_length(SPAN("\xC3\xBC\xC3")), 2);
    assert_int_equal(utf8_valid_length(SPAN("a\x80z")), 1);
}

static void reads_no_byte_behind_its_input(void **state) {
    (void)state;
    static const struct span cut[] = {{"\xC3", 1}, {"\xE2\x82", 2}, {"\xF0\x9F\x98", 3}, {"", 0}};
    for (size_t i = 0; i < sizeof cut / sizeof cut[0]; i++) {
        struct guarded text = guarded_copy(cut[i]);
        assert_int_equal(utf8_sequence_length(text.text), 0);
        guarded_done(&text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(measures_valid_sequences),
        cmocka_unit_test(refuses_what_rfc_3629_forbids),
        cmocka_unit_test(knows_every_code_point),
        cmocka_unit_test(reads_no_byte_behind_its_input),
        cmocka_unit_test(text_is_valid_when_all_of_it_is),
        cmocka_unit_test(valid_text_ends_before_what_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
