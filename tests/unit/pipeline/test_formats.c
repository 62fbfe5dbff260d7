// SPDX-License-Identifier: MIT
#include "pipeline/format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct line lines[] = {
    {.head = {"{\"a\":1", 6}, .tail = {",\"b\":2}", 7}},
    {.head = {"{\"c\":3}", 7}},
};

/* A record of the first `count` lines behind other bytes. */
static struct buf record_of(const struct format *format, size_t count) {
    struct buf out = buf_with_ceiling(1000);
    buf_append(&out, SPAN("before"));
    if (format->open != NULL) {
        format->open(&out);
    }
    for (size_t i = 0; i < count; i++) {
        format->append(&out, &lines[i], i == 0);
    }
    if (format->close != NULL) {
        format->close(&out, 6);
    }
    return out;
}

static void a_record_is_its_lines_in_the_frame_of_the_format(void **state) {
    (void)state;
    static const struct {
        const struct format *format;
        size_t lines;
        const char *record;
    } cases[] = {
        {&format_ndjson, 1, "before{\"a\":1,\"b\":2}\n"},
        {&format_ndjson, 2, "before{\"a\":1,\"b\":2}\n{\"c\":3}\n"},
        {&format_event, 1, "before{\"a\":1,\"b\":2}\n"},
        {&format_batch, 1, "before[{\"a\":1,\"b\":2}]\n"},
        {&format_batch, 2, "before[{\"a\":1,\"b\":2},{\"c\":3}]\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out = record_of(cases[i].format, cases[i].lines);
        assert_string_equal(buf_text(&out), cases[i].record);
        buf_done(&out);
    }
}

static void no_record_has_more_framing_than_its_format_says(void **state) {
    (void)state;
    static const struct format *const formats[] = {&format_ndjson, &format_event, &format_batch};
    for (size_t i = 0; i < 3; i++) {
        for (size_t count = 1; count <= 2; count++) {
            struct buf out = record_of(formats[i], count);
            size_t text = line_length(&lines[0]) + (count == 2 ? line_length(&lines[1]) : 0);
            assert_true(out.len - 6 <=
                        text + formats[i]->framing_bytes + count * formats[i]->line_framing_bytes);
            buf_done(&out);
        }
    }
}

static void formats_are_found_by_their_exact_names(void **state) {
    (void)state;
    assert_ptr_equal(format_by_name(SPAN("ndjson")), &format_ndjson);
    assert_ptr_equal(format_by_name(SPAN("event")), &format_event);
    assert_ptr_equal(format_by_name(SPAN("batch")), &format_batch);
    assert_null(format_by_name(SPAN("")));
    assert_null(format_by_name(SPAN("NDJSON")));
    assert_null(format_by_name(SPAN("ndjso")));
    assert_null(format_by_name(SPAN("ndjson ")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_its_lines_in_the_frame_of_the_format),
        cmocka_unit_test(no_record_has_more_framing_than_its_format_says),
        cmocka_unit_test(formats_are_found_by_their_exact_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
