// SPDX-License-Identifier: MIT
#include "base/gzip.h"

#include "base/crypto.h"

#include "../guarded.h"
#include "../gunzip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct buf text_of(size_t length) {
    struct buf text = buf_with_ceiling(SIZE_MAX);
    for (size_t i = 0; i < length; i++) {
        buf_append_char(&text, (char)(i * i % 251));
    }
    return text;
}

static void what_was_deflated_inflates_to_the_same_at_every_level(void **state) {
    (void)state;
    static const size_t lengths[] = {0, 1, 2, 100, 5000, 70000, 1000000};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        for (int level = 1; level <= 12; level += 11) {
            struct buf text = text_of(lengths[i]);
            struct buf small = buf_with_ceiling(SIZE_MAX);
            struct buf back = buf_with_ceiling(SIZE_MAX);
            assert_true(deflate_append(&small, buf_span(&text), level, NULL));
            assert_true(inflate_append(&back, buf_span(&small), text.len, NULL));
            assert_true(span_equals(buf_span(&back), buf_span(&text)));
            buf_done(&text);
            buf_done(&small);
            buf_done(&back);
        }
    }
}

static void they_append_behind_what_is_there(void **state) {
    (void)state;
    struct buf out = buf_with_ceiling(1000);
    struct buf back = buf_with_ceiling(1000);
    buf_append(&out, SPAN("before"));
    buf_append(&back, SPAN("before"));
    assert_true(deflate_append(&out, SPAN("aaaaaaaaaaaaaaaaaaaaaaaa"), 1, NULL));
    assert_true(span_starts_with(buf_span(&out), SPAN("before")));
    assert_true(inflate_append(&back, span_skip(buf_span(&out), 6), 24, NULL));
    assert_true(span_equals(buf_span(&back), SPAN("beforeaaaaaaaaaaaaaaaaaaaaaaaa")));
    buf_done(&out);
    buf_done(&back);
}

static void another_size_than_said_is_an_error_and_leaves_nothing(void **state) {
    (void)state;
    struct buf small = buf_with_ceiling(1000);
    struct buf back = buf_with_ceiling(1000);
    assert_true(deflate_append(&small, SPAN("some text"), 1, NULL));
    for (size_t said = 0; said < 20; said++) {
        struct error err = {0};
        if (said != 9) {
            assert_false(inflate_append(&back, buf_span(&small), said, &err));
            assert_int_equal(err.code, ERR_INVALID);
            assert_int_equal(back.len, 0);
        }
    }
    buf_done(&small);
    buf_done(&back);
}

static void what_is_cut_anywhere_is_an_error_and_nothing_is_read_behind_it(void **state) {
    (void)state;
    struct buf text = text_of(300);
    struct buf small = buf_with_ceiling(1000);
    assert_true(deflate_append(&small, buf_span(&text), 1, NULL));
    for (size_t length = 0; length < small.len; length++) {
        struct guarded guarded = guarded_copy(span_first(buf_span(&small), length));
        struct buf back = buf_with_ceiling(1000);
        struct error err = {0};
        assert_false(inflate_append(&back, guarded.text, text.len, &err));
        assert_int_equal(err.code, ERR_INVALID);
        buf_done(&back);
        guarded_done(&guarded);
    }
    buf_done(&text);
    buf_done(&small);
}

static void without_room_there_is_no_result(void **state) {
    (void)state;
    struct buf out = buf_with_ceiling(4);
    struct error err = {0};
    assert_false(deflate_append(&out, SPAN("some text that is longer than that"), 1, &err));
    assert_int_equal(err.code, ERR_MEMORY);
    buf_clear(&out);
    assert_false(inflate_append(&out, SPAN("whatever"), 100, &err));
    assert_int_equal(err.code, ERR_MEMORY);
    assert_int_equal(out.len, 0);
    buf_done(&out);
}

static void the_checksum_is_that_of_gzip(void **state) {
    (void)state;
    assert_int_equal(crc32_of(SPAN("123456789")), 0xcbf43926);
    assert_int_equal(crc32_of(SPAN("")), 0);
    assert_int_equal(crc32_of(span_of(NULL, 0)), 0);
}

static void a_member_holds_what_was_compressed(void **state) {
    (void)state;
    static const size_t lengths[] = {0, 1, 100, 70000, 1000000};
    struct gzip_compressor compressor;
    assert_true(gzip_compressor_init(&compressor, 1, NULL));
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct buf text = text_of(lengths[i]);
        struct buf small = buf_with_ceiling(SIZE_MAX);
        assert_true(gzip_append(&compressor, &small, buf_span(&text), NULL));
        struct buf back = gunzip(buf_span(&small));
        assert_true(span_equals(buf_span(&back), buf_span(&text)));
        buf_done(&text);
        buf_done(&small);
        buf_done(&back);
    }
    gzip_compressor_done(&compressor);
    gzip_compressor_done(&compressor);
}

/* Records are filled up to their limit on the strength of this. */
static void no_bytes_become_more_than_the_bound(void **state) {
    (void)state;
    static const size_t lengths[] = {0, 1, 5000, 65536, 1048576, 3000000};
    struct gzip_compressor compressor;
    assert_true(gzip_compressor_init(&compressor, 1, NULL));
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        size_t length = lengths[i];
        struct buf noise = buf_with_ceiling(SIZE_MAX);
        struct buf out = buf_with_ceiling(gzip_bound(length));
        assert_true(crypto_random(buf_reserve(&noise, length + 1), length, NULL));
        buf_commit(&noise, length);
        assert_true(gzip_append(&compressor, &out, buf_span(&noise), NULL));
        assert_true(gzip_bound(length) - length <= gzip_bound(length + 1) - (length + 1));
        assert_true(gzip_bound(length) <= length + length / 500 + 100);
        buf_done(&noise);
        buf_done(&out);
    }
    gzip_compressor_done(&compressor);
}

static void a_member_without_room_is_an_error_and_leaves_nothing(void **state) {
    (void)state;
    struct gzip_compressor compressor;
    struct buf out = buf_with_ceiling(gzip_bound(9) - 1);
    struct error err = {0};
    assert_true(gzip_compressor_init(&compressor, 1, NULL));
    assert_false(gzip_append(&compressor, &out, SPAN("some text"), &err));
    assert_int_equal(err.code, ERR_MEMORY);
    assert_int_equal(out.len, 0);
    gzip_compressor_done(&compressor);
    buf_done(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_deflated_inflates_to_the_same_at_every_level),
        cmocka_unit_test(they_append_behind_what_is_there),
        cmocka_unit_test(another_size_than_said_is_an_error_and_leaves_nothing),
        cmocka_unit_test(what_is_cut_anywhere_is_an_error_and_nothing_is_read_behind_it),
        cmocka_unit_test(without_room_there_is_no_result),
        cmocka_unit_test(a_member_holds_what_was_compressed),
        cmocka_unit_test(no_bytes_become_more_than_the_bound),
        cmocka_unit_test(a_member_without_room_is_an_error_and_leaves_nothing),
        cmocka_unit_test(the_checksum_is_that_of_gzip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
