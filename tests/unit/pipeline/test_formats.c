// SPDX-License-Identifier: MIT
#include "pipeline/format.h"

#include "base/crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct record_heading heading = {
    .partition_key = {"5f3c9a7e12d4", 12},
    .envelope = {"{\"logEvents\":[", 14},
};

static const struct line lines[] = {
    {.head = {"{\"a\":1", 6}, .tail = {",\"b\":2}", 7}},
    {.head = {"{\"c\":3}", 7}},
};

/* A record of the first `count` lines behind other bytes. */
static struct buf record_of(const struct format *format, size_t count) {
    struct buf out = buf_with_ceiling(1000);
    buf_append(&out, SPAN("before"));
    if (format->open != NULL) {
        format->open(&out, &heading);
    }
    for (size_t i = 0; i < count; i++) {
        format->append(&out, &lines[i], i == 0);
    }
    if (format->close != NULL) {
        assert_true(format->close(&out, 6));
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
        {&format_cloudwatch, 1, "before{\"logEvents\":[{\"a\":1,\"b\":2}]}"},
        {&format_cloudwatch, 2, "before{\"logEvents\":[{\"a\":1,\"b\":2},{\"c\":3}]}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out = record_of(cases[i].format, cases[i].lines);
        assert_string_equal(buf_text(&out), cases[i].record);
        buf_done(&out);
    }
}

/* The message as protobuf encodes it: fields 1 (key) and 3 (records of fields 1 and 3). */
static void an_aggregated_record_is_magic_message_and_checksum(void **state) {
    (void)state;
    static const char message[] = "\x0a\x0c"
                                  "5f3c9a7e12d4"
                                  "\x1a\x12\x08\0\x1a\x0e{\"a\":1,\"b\":2}\n"
                                  "\x1a\x0c\x08\0\x1a\x08{\"c\":3}\n";
    struct buf out = record_of(&format_kpl, 2);
    struct span record = span_skip(buf_span(&out), 6);
    assert_int_equal(record.len, 4 + sizeof message - 1 + MD5_BYTES);
    assert_memory_equal(record.ptr, "\xf3\x89\x9a\xc2", 4);
    assert_memory_equal(record.ptr + 4, message, sizeof message - 1);
    uint8_t sum[MD5_BYTES];
    assert_true(crypto_md5(span_of(message, sizeof message - 1), sum, NULL));
    assert_memory_equal(record.ptr + record.len - MD5_BYTES, sum, MD5_BYTES);
    buf_done(&out);
}

/* A varint has seven bits a byte: the lengths at which one more is needed, and those around. */
static void a_line_of_any_length_has_its_length_before_it(void **state) {
    (void)state;
    static const struct {
        size_t line;
        const char *start;
        size_t bytes;
    } cases[] = {
        {122, "\x1a\x7f\x08\0\x1a\x7b", 6},
        {123, "\x1a\x80\x01\x08\0\x1a\x7c", 7},
        {126, "\x1a\x83\x01\x08\0\x1a\x7f", 7},
        {127, "\x1a\x85\x01\x08\0\x1a\x80\x01", 8},
        {16377, "\x1a\xff\x7f\x08\0\x1a\xfa\x7f", 8},
        {16378, "\x1a\x80\x80\x01\x08\0\x1a\xfb\x7f", 9},
        {1000000, "\x1a\xc7\x84\x3d\x08\0\x1a\xc1\x84\x3d", 10},
    };
    static char text[1000000];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out = buf_with_ceiling(SIZE_MAX);
        const struct line line = {.head = span_of(text, cases[i].line)};
        format_kpl.append(&out, &line, true);
        assert_memory_equal(out.ptr, cases[i].start, cases[i].bytes);
        assert_int_equal(out.len, cases[i].bytes + cases[i].line + 1);
        assert_true(out.len <= cases[i].line + format_kpl.line_framing_bytes);
        buf_done(&out);
    }
}

static const struct format *const formats[] = {&format_ndjson, &format_event, &format_batch,
                                               &format_kpl, &format_cloudwatch};

enum { FORMATS = sizeof formats / sizeof formats[0] };

static void no_record_has_more_framing_than_its_format_says(void **state) {
    (void)state;
    for (size_t i = 0; i < FORMATS; i++) {
        const struct format *format = formats[i];
        size_t opening = format->opening_bytes == NULL ? 0 : format->opening_bytes(&heading);
        for (size_t count = 1; count <= 2; count++) {
            struct buf out = record_of(format, count);
            size_t text = line_length(&lines[0]) + (count == 2 ? line_length(&lines[1]) : 0);
            assert_true(out.len - 6 <= text + opening + count * format->line_framing_bytes +
                                           format->closing_bytes);
            buf_done(&out);
        }
    }
}

static void formats_are_found_by_their_exact_names(void **state) {
    (void)state;
    assert_ptr_equal(format_by_name(SPAN("ndjson")), &format_ndjson);
    assert_ptr_equal(format_by_name(SPAN("event")), &format_event);
    assert_ptr_equal(format_by_name(SPAN("batch")), &format_batch);
    assert_ptr_equal(format_by_name(SPAN("kpl")), &format_kpl);
    assert_ptr_equal(format_by_name(SPAN("cloudwatch")), &format_cloudwatch);
    assert_null(format_by_name(SPAN("")));
    assert_null(format_by_name(SPAN("NDJSON")));
    assert_null(format_by_name(SPAN("ndjso")));
    assert_null(format_by_name(SPAN("ndjson ")));
}

static int set_up(void **state) {
    (void)state;
    return crypto_init(NULL) ? 0 : -1;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_is_its_lines_in_the_frame_of_the_format),
        cmocka_unit_test(an_aggregated_record_is_magic_message_and_checksum),
        cmocka_unit_test(a_line_of_any_length_has_its_length_before_it),
        cmocka_unit_test(no_record_has_more_framing_than_its_format_says),
        cmocka_unit_test(formats_are_found_by_their_exact_names),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
