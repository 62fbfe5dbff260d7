// SPDX-License-Identifier: MIT
#include "pipeline/json_scanner.h"

#include "../guarded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* How a scan of the whole text ends. */
enum outcome { WHOLE, SHORT, WRONG, MORE };

static enum outcome scan(struct span text) {
    struct guarded guarded = guarded_copy(text);
    struct json_scanner scanner = json_scanner_over(guarded.text);
    struct span value;
    enum outcome outcome = WHOLE;
    if (!json_scan_value(&scanner, &value)) {
        outcome = scanner.ran_out ? SHORT : WRONG;
    } else if (scanner.at != scanner.end) {
        outcome = MORE;
    }
    guarded_done(&guarded);
    return outcome;
}

struct scan_case {
    struct span text;
    enum outcome outcome;
};

static void assert_outcomes(const struct scan_case *cases, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (scan(cases[i].text) != cases[i].outcome) {
            print_error("case %zu: %.*s\n", i, SPAN_ARGS(cases[i].text));
            fail();
        }
    }
}

#define ASSERT_OUTCOMES(cases) assert_outcomes(cases, sizeof cases / sizeof *cases)

static void takes_the_grammar_and_nothing_else(void **state) {
    (void)state;
    const struct scan_case cases[] = {
        {SPAN("0"), WHOLE},
        {SPAN("-0"), WHOLE},
        {SPAN("10.25e-07"), WHOLE},
        {SPAN("1E+9"), WHOLE},
        {SPAN("01"), MORE},
        {SPAN("+1"), WRONG},
        {SPAN(".5"), WRONG},
        {SPAN("1."), SHORT},
        {SPAN("1.x"), WRONG},
        {SPAN("1e"), SHORT},
        {SPAN("1e+"), SHORT},
        {SPAN("1e+x"), WRONG},
        {SPAN("-"), SHORT},
        {SPAN("-x"), WRONG},
        {SPAN("0x10"), MORE},
        {SPAN("NaN"), WRONG},
        {SPAN("Infinity"), WRONG},
        {SPAN("true"), WHOLE},
        {SPAN("false"), WHOLE},
        {SPAN("null"), WHOLE},
        {SPAN("tru"), SHORT},
        {SPAN("trux"), WRONG},
        {SPAN("True"), WRONG},
        {SPAN("nullx"), MORE},
        {SPAN("[]"), WHOLE},
        {SPAN(" [ ] "), MORE},
        {SPAN("[1,[2,{\"a\":[]}]]"), WHOLE},
        {SPAN("[1,]"), WRONG},
        {SPAN("[,1]"), WRONG},
        {SPAN("[1 2]"), WRONG},
        {SPAN("[1}"), WRONG},
        {SPAN("[1"), SHORT},
        {SPAN("["), SHORT},
        {SPAN("{}"), WHOLE},
        {SPAN("{ \"a\" : 1 }"), WHOLE},
        {SPAN("{\"a\":1,}"), WRONG},
        {SPAN("{\"a\" 1}"), WRONG},
        {SPAN("{a:1}"), WRONG},
        {SPAN("{1:1}"), WRONG},
        {SPAN("{\"a\":1]"), WRONG},
        {SPAN("{\"a\":}"), WRONG},
        {SPAN("{\"a\":"), SHORT},
        {SPAN("{\"a\""), SHORT},
        {SPAN("{"), SHORT},
        {SPAN("{\"a\":1\"b\":2}"), WRONG},
        {SPAN(""), SHORT},
        {SPAN("  "), SHORT},
        {SPAN("]"), WRONG},
        {SPAN("\0"), WRONG},
        {SPAN("[\0]"), WRONG},
        {SPAN("\f1"), WRONG},
        {SPAN("[1]//"), MORE},
        {SPAN("\t\r\n 1"), WHOLE},
        {SPAN("[1\v]"), WRONG},
    };
    ASSERT_OUTCOMES(cases);
}

static void strings_hold_whole_characters(void **state) {
    (void)state;
    const struct scan_case cases[] = {
        {SPAN("\"\""), WHOLE},
        {SPAN("\"plain text that is longer than a few words\""), WHOLE},
        {SPAN("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uABCD\""), WHOLE},
        {SPAN("\"\\ud83d\\ude80 \\uD83D\\uDE80\""), WHOLE},
        {SPAN("\"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x9a\x80 \x7f\""), WHOLE},
        {SPAN("\"abc"), SHORT},
        {SPAN("\""), SHORT},
        {SPAN("\"\\"), SHORT},
        {SPAN("\"\\u12"), SHORT},
        {SPAN("\"\\ud83d"), SHORT},
        {SPAN("\"\\ud83d\\"), SHORT},
        {SPAN("\"\\ud83d\\ude8"), SHORT},
        {SPAN("\"\xf0\x9f\x9a"), SHORT},
        {SPAN("\"\xe2"), SHORT},
        {SPAN("\"\\x\""), WRONG},
        {SPAN("\"\\U0041\""), WRONG},
        {SPAN("\"\\u00g0\""), WRONG},
        {SPAN("\"\\u12\""), WRONG},
        {SPAN("\"\\ud83d\""), WRONG},
        {SPAN("\"\\ud83dx\""), WRONG},
        {SPAN("\"\\ud83d\\n\""), WRONG},
        {SPAN("\"\\ud83d\\u0041\""), WRONG},
        {SPAN("\"\\ud83d\\ud83d\""), WRONG},
        {SPAN("\"\\ude80\""), WRONG},
        {SPAN("\"\n\""), WRONG},
        {SPAN("\"\x1f\""), WRONG},
        {SPAN("\"\0\""), WRONG},
        {SPAN("\"\x80\""), WRONG},
        {SPAN("\"\xff\""), WRONG},
        {SPAN("\"\xc0\xaf\""), WRONG},
        {SPAN("\"\xe0\x80\xaf\""), WRONG},
        {SPAN("\"\xed\xa0\x80\""), WRONG},
        {SPAN("\"\xf4\x90\x80\x80\""), WRONG},
        {SPAN("\"\xe2\x82\""), WRONG},
        {SPAN("\"\xe2x"), WRONG},
        {SPAN("\"\xff"), WRONG},
        {SPAN("\"\xc1"), WRONG},
        {SPAN("\"\x80"), WRONG},
    };
    ASSERT_OUTCOMES(cases);
}

/* Sixteen bytes are looked at together: every byte must be seen at every place among them. */
static void every_byte_counts_wherever_it_is_in_a_string(void **state) {
    (void)state;
    for (unsigned byte = 0; byte < 256; byte++) {
        bool plain = byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
        for (size_t at = 1; at <= 40; at++) {
            char text[] = "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"";
            text[at] = (char)byte;
            assert_int_equal(scan(span_of(text, sizeof text - 1)) == WHOLE, plain);
        }
    }
}

static void every_escape_counts_wherever_it_is_in_a_string(void **state) {
    (void)state;
    for (unsigned byte = 1; byte < 256; byte++) {
        bool is_escape = strchr("\"\\/bfnrt", (int)byte) != NULL;
        for (size_t at = 1; at < 40; at++) {
            char text[] = "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"";
            text[at] = '\\';
            text[at + 1] = (char)byte;
            assert_int_equal(scan(span_of(text, sizeof text - 1)) == WHOLE, is_escape);
        }
    }
}

/* Any number of them in a row: half are backslashes that escape, half are escaped. */
static void backslashes_in_a_row_count_in_pairs(void **state) {
    (void)state;
    for (size_t count = 1; count <= 40; count++) {
        char text[] = "\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"";
        memset(text + 1 + (40 - count), '\\', count);
        assert_int_equal(scan(span_of(text, sizeof text - 1)), count % 2 == 0 ? WHOLE : SHORT);
    }
}

static void nesting_is_bounded(void **state) {
    (void)state;
    static char text[2 * JSON_DEPTH_MAX + 2];
    memset(text, '[', JSON_DEPTH_MAX);
    memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
    assert_int_equal(scan(span_of(text, sizeof text - 2)), WHOLE);
    memset(text, '[', JSON_DEPTH_MAX + 1);
    memset(text + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
    assert_int_equal(scan(span_of(text, sizeof text)), WRONG);
}

static void walks_through_the_members_of_an_object(void **state) {
    (void)state;
    struct guarded text = guarded_copy(SPAN(" { \"a\" : 1 , \"b\\n\":{\"c\":[]},\"\":\"x\" } "));
    struct json_object object = json_object_over(text.text);
    struct json_member member;
    static const char *const expected[][2] = {{"a", "1"}, {"b\\n", "{\"c\":[]}"}, {"", "\"x\""}};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(json_object_next(&object, &member), JSON_MEMBER);
        assert_true(span_equals(member.name, span_of_text(expected[i][0])));
        assert_true(span_equals(member.value, span_of_text(expected[i][1])));
    }
    assert_int_equal(json_object_next(&object, &member), JSON_CLOSED);
    assert_int_equal(object.scanner.end - object.scanner.at, 1);
    guarded_done(&text);
}

static void what_is_no_object_breaks_the_walk(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int members;
        bool ran_out;
    } cases[] = {
        {"", 0, true},
        {"1", 0, false},
        {"[1]", 0, false},
        {"{", 0, true},
        {"{,}", 0, false},
        {"{\"a\"}", 0, false},
        {"{\"a\":1", 1, true},
        {"{\"a\":1,}", 1, false},
        {"{\"a\":1{\"b\":2}}", 1, false},
        {"{\"a\":1]", 1, false},
        {"{\"a\":1,\"b\":", 1, true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct guarded text = guarded_copy(span_of_text(cases[i].text));
        struct json_object object = json_object_over(text.text);
        struct json_member member;
        enum json_step step;
        int members = 0;
        while ((step = json_object_next(&object, &member)) == JSON_MEMBER) {
            members++;
        }
        assert_int_equal(step, JSON_BROKEN);
        assert_int_equal(members, cases[i].members);
        assert_int_equal(object.scanner.ran_out, cases[i].ran_out);
        guarded_done(&text);
    }
}

static void only_strings_have_string_content(void **state) {
    (void)state;
    assert_true(span_equals(json_string_content(SPAN("\"a\\n\"")), SPAN("a\\n")));
    assert_int_equal(json_string_content(SPAN("\"\"")).len, 0);
    assert_int_equal(json_string_content(SPAN("12")).len, 0);
    assert_int_equal(json_string_content(SPAN("")).len, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_the_grammar_and_nothing_else),
        cmocka_unit_test(strings_hold_whole_characters),
        cmocka_unit_test(every_byte_counts_wherever_it_is_in_a_string),
        cmocka_unit_test(every_escape_counts_wherever_it_is_in_a_string),
        cmocka_unit_test(backslashes_in_a_row_count_in_pairs),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(walks_through_the_members_of_an_object),
        cmocka_unit_test(what_is_no_object_breaks_the_walk),
        cmocka_unit_test(only_strings_have_string_content),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
