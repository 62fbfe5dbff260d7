// SPDX-License-Identifier: MIT
#include "pipeline/segment.h"

#include "../guarded.h"
#include "base/gzip.h"
#include "groups.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { HEADER = SEGMENT_HEADER_BYTES, SUM_AT = 8, SIZE_AT = 12, ENTRY = 20 };

static struct buf write_segment(const struct record_group *group) {
    struct buf bytes = buf_with_ceiling(SIZE_MAX);
    assert_true(segment_write(group, &bytes, NULL));
    return bytes;
}

/* What is refused leaves the group as it was: empty. */
static void expect_refused(struct span bytes, size_t max_records) {
    struct guarded guarded = guarded_copy(bytes);
    struct record_group read = record_group_empty(GROUP_CEILING);
    struct error err = {0};
    assert_false(segment_read(guarded.text, max_records, &read, &err));
    assert_int_equal(err.code, ERR_INVALID);
    assert_int_equal(read.count, 0);
    assert_int_equal(read.data.len, 0);
    record_group_done(&read);
    guarded_done(&guarded);
}

static void expect_round_trip(const struct record_group *group) {
    struct buf bytes = write_segment(group);
    struct record_group read = record_group_empty(GROUP_CEILING);
    assert_true(segment_read(buf_span(&bytes), GROUP_RECORDS_MAX, &read, NULL));
    group_expect_same(group, &read);
    assert_true(bytes.len <= segment_bytes_max(&read, GROUP_RECORDS_MAX));
    record_group_done(&read);
    buf_done(&bytes);
}

static void what_was_written_is_read(void **state) {
    (void)state;
    static const unsigned counts[] = {1, 2, 7, 500};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        struct record_group group = group_make(3, counts[i], 100);
        expect_round_trip(&group);
        record_group_done(&group);
    }
}

static void records_that_were_settled_before_are_not_in_it(void **state) {
    (void)state;
    struct record_group group = group_make(3, 6, 100);
    const uint8_t keep[] = {0, 1, 0, 0, 1, 1};
    record_group_retain(&group, keep);
    expect_round_trip(&group);
    record_group_done(&group);
}

static void any_byte_any_length_and_an_empty_record_are_kept(void **state) {
    (void)state;
    struct record_group group = record_group_empty(GROUP_CEILING);
    for (int byte = 0; byte < 256; byte++) {
        buf_append_char(&group.data, (char)byte);
    }
    assert_true(record_group_add(&group, 0, SPAN("\0\xff"), UINT32_MAX, UINT64_MAX, NULL));
    assert_true(record_group_add(&group, group.data.len, SPAN(""), 0, 0, NULL));
    expect_round_trip(&group);
    record_group_done(&group);
}

static void what_does_not_shrink_still_fits_the_bound(void **state) {
    (void)state;
    struct record_group group = record_group_empty(GROUP_CEILING);
    uint64_t noise = 1;
    while (group.data.len < GROUP_CEILING && !buf_failed(&group.data)) {
        noise = noise * 6364136223846793005ULL + 1442695040888963407ULL;
        buf_append_char(&group.data, (char)(noise >> 56));
    }
    assert_true(record_group_add(&group, 0, SPAN("key"), 1, 1, NULL));
    expect_round_trip(&group);
    record_group_done(&group);
}

static void log_lines_shrink(void **state) {
    (void)state;
    struct record_group group = group_make(26, 200, 1000);
    struct buf bytes = write_segment(&group);
    assert_true(bytes.len < group.data.len / 5);
    buf_done(&bytes);
    record_group_done(&group);
}

static void one_cut_anywhere_is_refused(void **state) {
    (void)state;
    struct record_group group = group_make(3, 4, 60);
    struct buf bytes = write_segment(&group);
    for (size_t length = 0; length < bytes.len; length++) {
        expect_refused(span_first(buf_span(&bytes), length), GROUP_RECORDS_MAX);
    }
    buf_done(&bytes);
    record_group_done(&group);
}

static void one_with_any_bit_flipped_is_refused(void **state) {
    (void)state;
    struct record_group group = group_make(3, 4, 60);
    struct buf bytes = write_segment(&group);
    for (size_t at = 0; at < bytes.len; at++) {
        for (int bit = 0; bit < 8; bit++) {
            bytes.ptr[at] ^= (char)(1 << bit);
            expect_refused(buf_span(&bytes), GROUP_RECORDS_MAX);
            bytes.ptr[at] ^= (char)(1 << bit);
        }
    }
    buf_done(&bytes);
    record_group_done(&group);
}

static void one_with_bytes_behind_it_or_twice_is_refused(void **state) {
    (void)state;
    struct record_group group = group_make(3, 4, 60);
    struct buf bytes = write_segment(&group);
    size_t whole = bytes.len;
    buf_append_char(&bytes, '\0');
    expect_refused(buf_span(&bytes), GROUP_RECORDS_MAX);
    buf_truncate(&bytes, whole);
    assert_true(segment_write(&group, &bytes, NULL));
    expect_refused(buf_span(&bytes), GROUP_RECORDS_MAX);
    buf_done(&bytes);
    record_group_done(&group);
}

static void more_records_or_more_data_than_a_group_may_have_are_refused(void **state) {
    (void)state;
    struct record_group group = group_make(3, 5, 100);
    struct buf bytes = write_segment(&group);
    expect_refused(buf_span(&bytes), 4);
    struct record_group small = record_group_empty(group.data.len - 1);
    struct error err = {0};
    assert_false(segment_read(buf_span(&bytes), GROUP_RECORDS_MAX, &small, &err));
    assert_int_equal(err.code, ERR_INVALID);
    assert_int_equal(small.count, 0);
    record_group_done(&small);
    buf_done(&bytes);
    record_group_done(&group);
}

/* --- somebody who knows the format --- */

static void put_number(char *to, uint64_t value, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) {
        to[i] = (char)(value >> (8 * i) & 0xff);
    }
}

/* A segment with this body, its sum right; `inflated`: what it claims to be. */
static struct buf forge(struct span body, uint64_t inflated) {
    struct buf bytes = buf_with_ceiling(SIZE_MAX);
    buf_append(&bytes, SPAN("KSLSEG01------------"));
    assert_true(deflate_append(&bytes, body, 1, NULL));
    put_number(bytes.ptr + SIZE_AT, inflated, 8);
    put_number(bytes.ptr + SUM_AT, crc32_of(span_skip(buf_span(&bytes), SIZE_AT)), 4);
    return bytes;
}

static void expect_forgery_refused(struct span body, uint64_t inflated) {
    struct buf bytes = forge(body, inflated);
    expect_refused(buf_span(&bytes), GROUP_RECORDS_MAX);
    buf_done(&bytes);
}

static void sizes_that_do_not_add_up_are_refused_even_with_the_right_sum(void **state) {
    (void)state;
    static const struct {
        uint64_t count, length, key_length;
        size_t behind;
    } cases[] = {
        {0, 0, 0, 0},          {0, 0, 0, 5},          {2, 2, 2, 4},          {1, 5, 0, 4},
        {1, 4, 1, 4},          {1, 2, 1, 4},          {UINT32_MAX, 2, 2, 4}, {1, UINT32_MAX, 0, 4},
        {1, 0, UINT32_MAX, 4}, {1, UINT32_MAX, 5, 4}, {501, 0, 0, 500 * 20},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf body = buf_with_ceiling(SIZE_MAX);
        size_t entry = cases[i].count == 0 ? 0 : ENTRY;
        for (size_t at = 0; at < 4 + entry + cases[i].behind; at++) {
            buf_append_char(&body, '\0');
        }
        put_number(body.ptr, cases[i].count, 4);
        if (entry > 0) {
            put_number(body.ptr + 4, cases[i].length, 4);
            put_number(body.ptr + 8, cases[i].key_length, 4);
        }
        expect_forgery_refused(buf_span(&body), body.len);
        buf_done(&body);
    }
}

static void a_body_of_another_size_than_said_is_refused(void **state) {
    (void)state;
    struct buf body = buf_with_ceiling(1000);
    for (size_t at = 0; at < 4 + ENTRY + 2; at++) {
        buf_append_char(&body, '\0');
    }
    put_number(body.ptr, 1, 4);
    put_number(body.ptr + 4, 1, 4);
    put_number(body.ptr + 8, 1, 4);
    struct record_group read = record_group_empty(GROUP_CEILING);
    struct buf good = forge(buf_span(&body), body.len);
    assert_true(segment_read(buf_span(&good), 1, &read, NULL));
    record_group_done(&read);
    buf_done(&good);
    expect_forgery_refused(buf_span(&body), body.len + 1);
    expect_forgery_refused(buf_span(&body), body.len - 1);
    expect_forgery_refused(buf_span(&body), 0);
    expect_forgery_refused(buf_span(&body), UINT64_MAX);
    expect_forgery_refused(SPAN(""), 0);
    buf_done(&body);
}

/* More than a group's table of keys may hold. */
static void more_keys_than_a_group_may_have_are_refused(void **state) {
    (void)state;
    struct record_group any = record_group_empty(GROUP_CEILING);
    size_t keys = any.keys.ceiling + 1;
    struct buf body = buf_with_ceiling(SIZE_MAX);
    for (size_t at = 0; at < 4 + ENTRY + keys; at++) {
        buf_append_char(&body, '\0');
    }
    put_number(body.ptr, 1, 4);
    put_number(body.ptr + 8, keys, 4);
    expect_forgery_refused(buf_span(&body), body.len);
    buf_done(&body);
}

/* A few kilobytes that claim to be gigabytes need no memory. */
static void a_bomb_is_refused_before_it_is_inflated(void **state) {
    (void)state;
    struct buf zeros = buf_with_ceiling(SIZE_MAX);
    char *to = buf_reserve(&zeros, 40u << 20);
    assert_non_null(to);
    memset(to, 0, 40u << 20);
    buf_commit(&zeros, 40u << 20);
    expect_forgery_refused(buf_span(&zeros), zeros.len);
    expect_forgery_refused(buf_span(&zeros), 1ULL << 40);
    buf_done(&zeros);
}

static void it_is_appended_and_when_there_is_no_room_nothing_is_left_of_it(void **state) {
    (void)state;
    struct record_group group = group_make(3, 4, 60);
    struct buf out = buf_with_ceiling(2000);
    buf_append(&out, SPAN("before"));
    assert_true(segment_write(&group, &out, NULL));
    struct record_group read = record_group_empty(GROUP_CEILING);
    assert_true(segment_read(span_skip(buf_span(&out), 6), GROUP_RECORDS_MAX, &read, NULL));
    buf_done(&out);
    for (size_t ceiling = 6; ceiling < 100; ceiling++) {
        struct error err = {0};
        out = buf_with_ceiling(ceiling);
        buf_append(&out, SPAN("before"));
        assert_false(segment_write(&group, &out, &err));
        assert_int_equal(err.code, ERR_MEMORY);
        assert_int_equal(out.len, 6);
        buf_done(&out);
    }
    record_group_done(&read);
    record_group_done(&group);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(records_that_were_settled_before_are_not_in_it),
        cmocka_unit_test(any_byte_any_length_and_an_empty_record_are_kept),
        cmocka_unit_test(what_does_not_shrink_still_fits_the_bound),
        cmocka_unit_test(log_lines_shrink),
        cmocka_unit_test(one_cut_anywhere_is_refused),
        cmocka_unit_test(one_with_any_bit_flipped_is_refused),
        cmocka_unit_test(one_with_bytes_behind_it_or_twice_is_refused),
        cmocka_unit_test(more_records_or_more_data_than_a_group_may_have_are_refused),
        cmocka_unit_test(sizes_that_do_not_add_up_are_refused_even_with_the_right_sum),
        cmocka_unit_test(a_body_of_another_size_than_said_is_refused),
        cmocka_unit_test(more_keys_than_a_group_may_have_are_refused),
        cmocka_unit_test(a_bomb_is_refused_before_it_is_inflated),
        cmocka_unit_test(it_is_appended_and_when_there_is_no_room_nothing_is_left_of_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
