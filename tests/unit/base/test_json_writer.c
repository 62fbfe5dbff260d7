// SPDX-License-Identifier: MIT
#include "base/json_writer.h"

#include "base/utf8.h"

#include "../guarded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#define REPLACEMENT "\xEF\xBF\xBD"

static void writes_strings_as_json_has_them(void **state) {
    (void)state;
    static const struct {
        struct span text;
        const char *json;
    } cases[] = {
        {{"", 0}, "\"\""},
        {{"plain text/ok", 13}, "\"plain text/ok\""},
        {{"say \"hi\"", 8}, "\"say \\\"hi\\\"\""},
        {{"C:\\tmp", 6}, "\"C:\\\\tmp\""},
        {{"a\nb\rc\td", 7}, "\"a\\nb\\rc\\td\""},
        {{"\0\x01\x1f", 3}, "\"\\u0000\\u0001\\u001f\""},
        {{"\x7f", 1}, "\"\x7f\""},
        {{"gr\xC3\xBC\xF0\x9F\x98\x80", 8}, "\"gr\xC3\xBC\xF0\x9F\x98\x80\""},
        {{"\xFFx", 2}, "\"" REPLACEMENT "x\""},
        {{"\xE2\x82", 2}, "\"" REPLACEMENT REPLACEMENT "\""},
        {{"\xED\xA0\x80", 3}, "\"" REPLACEMENT REPLACEMENT REPLACEMENT "\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CLEANUP(buf_done) struct buf out = buf_with_ceiling(256);
        json_append_string(&out, cases[i].text);
        assert_string_equal(buf_text(&out), cases[i].json);
    }
}

static void every_byte_value_gives_valid_json_and_utf8(void **state) {
    (void)state;
    for (int first = 0; first < 256; first++) {
        const char text[] = {'a', (char)first, 'b'};
        CLEANUP(buf_done) struct buf out = buf_with_ceiling(256);
        json_append_string(&out, span_of(text, sizeof text));
        assert_true(utf8_is_valid(buf_span(&out)));
        cJSON *parsed = cJSON_ParseWithLength(out.ptr, out.len);
        assert_non_null(parsed);
        assert_true(cJSON_IsString(parsed));
        cJSON_Delete(parsed);
    }
}

static void what_another_parser_reads_is_what_was_written(void **state) {
    (void)state;
    static const char text[] = "tab\there \"quoted\" back\\slash \x01 \xE2\x82\xAC end";
    CLEANUP(buf_done) struct buf out = buf_with_ceiling(256);
    json_append_string(&out, span_of_text(text));
    cJSON *parsed = cJSON_ParseWithLength(out.ptr, out.len);
    assert_string_equal(cJSON_GetStringValue(parsed), text);
    cJSON_Delete(parsed);
}

static void writes_members(void **state) {
    (void)state;
    CLEANUP(buf_done) struct buf out = buf_with_ceiling(256);
    json_append_member(&out, SPAN("team"), SPAN("a\"b"));
    assert_string_equal(buf_text(&out), "\"team\":\"a\\\"b\"");
}

static void escaped_text_has_no_quotes_of_its_own(void **state) {
    (void)state;
    CLEANUP(buf_done) struct buf out = buf_with_ceiling(256);
    json_append_escaped(&out, SPAN("a\"b"));
    assert_string_equal(buf_text(&out), "a\\\"b");
}

static void a_full_buffer_stays_failed(void **state) {
    (void)state;
    CLEANUP(buf_done) struct buf out = buf_with_ceiling(8);
    json_append_string(&out, SPAN("\x01\x02\x03\x04"));
    assert_true(buf_failed(&out));
    assert_true(out.len <= 8);
}

static void reads_no_byte_behind_its_input(void **state) {
    (void)state;
    static const char *const texts[] = {"", "plain", "cut \xF0\x9F", "quote\"", "\xC3"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct guarded text = guarded_copy(span_of_text(texts[i]));
        CLEANUP(buf_done) struct buf out = buf_with_ceiling(256);
        json_append_string(&out, text.text);
        assert_true(utf8_is_valid(buf_span(&out)));
        guarded_done(&text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_strings_as_json_has_them),
        cmocka_unit_test(every_byte_value_gives_valid_json_and_utf8),
        cmocka_unit_test(what_another_parser_reads_is_what_was_written),
        cmocka_unit_test(writes_members),
        cmocka_unit_test(escaped_text_has_no_quotes_of_its_own),
        cmocka_unit_test(reads_no_byte_behind_its_input),
        cmocka_unit_test(a_full_buffer_stays_failed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
