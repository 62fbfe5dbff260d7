// SPDX-License-Identifier: MIT
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void an_empty_buffer_owns_no_memory(void **state) {
    (void)state;
    struct buf b = buf_with_ceiling(100);
    assert_null(b.ptr);
    assert_int_equal(buf_span(&b).len, 0);
    buf_done(&b);
    buf_done(&b);
}

static void appends_of_all_kinds_follow_each_other(void **state) {
    (void)state;
    CLEANUP(buf_done) struct buf b = buf_with_ceiling(1000);
    buf_append(&b, SPAN("ab"));
    buf_append(&b, span_of(NULL, 0));
    buf_append_text(&b, "cd");
    buf_append_char(&b, '-');
    buf_append_u64(&b, UINT64_MAX);
    buf_append_format(&b, "/%s=%d", "x", -5);
    assert_string_equal(buf_text(&b), "abcd-18446744073709551615/x=-5");
}

static void grows_up_to_the_ceiling_and_no_further(void **state) {
    (void)state;
    CLEANUP(buf_done) struct buf b = buf_with_ceiling(1000);
    for (int i = 0; i < 1000; i++) {
        buf_append_char(&b, 'x');
    }
    assert_false(buf_failed(&b));
    assert_int_equal(b.len, 1000);
    assert_true(b.capacity <= 1000);
    buf_append_char(&b, 'y');
    assert_true(buf_failed(&b));
    assert_int_equal(b.len, 1000);
}

static void a_failed_append_adds_no_byte_and_sticks(void **state) {
    (void)state;
    CLEANUP(buf_done) struct buf b = buf_with_ceiling(4);
    buf_append_text(&b, "abc");
    buf_append_text(&b, "de");
    assert_true(buf_failed(&b));
    assert_int_equal(b.len, 3);
    buf_append_char(&b, 'f'); /* would fit, but comes behind a hole */
    assert_int_equal(b.len, 3);
    assert_null(buf_reserve(&b, 1));
    assert_null(buf_text(&b));
}

static void a_request_larger_than_memory_fails(void **state) {
    (void)state;
    CLEANUP(buf_done) struct buf b = buf_with_ceiling(SIZE_MAX);
    buf_append_char(&b, 'a');
    assert_null(buf_reserve(&b, SIZE_MAX));
    assert_true(buf_failed(&b));
}

static void clearing_forgets_content_and_failure_but_keeps_memory(void **state) {
    (void)state;
    CLEANUP(buf_done) struct buf b = buf_with_ceiling(4);
    buf_append_text(&b, "abcd");
    buf_append_text(&b, "e");
    const char *memory = b.ptr;
    buf_clear(&b);
    assert_false(buf_failed(&b));
    buf_append_text(&b, "xyz");
    assert_ptr_equal(b.ptr, memory);
    assert_true(span_equals(buf_span(&b), SPAN("xyz")));
}

static void taking_moves_the_content(void **state) {
    (void)state;
    CLEANUP(buf_done) struct buf b = buf_with_ceiling(10);
    buf_append_text(&b, "abc");
    const char *memory = b.ptr;
    CLEANUP(buf_done) struct buf taken = buf_take(&b);
    assert_ptr_equal(taken.ptr, memory);
    assert_int_equal(taken.len, 3);
    assert_null(b.ptr);
    assert_int_equal(b.len, 0);
    assert_int_equal(b.ceiling, 10);
}

static void reserved_bytes_count_once_committed(void **state) {
    (void)state;
    CLEANUP(buf_done) struct buf b = buf_with_ceiling(1000);
    char *to = buf_reserve(&b, 3);
    assert_non_null(to);
    memcpy(to, "abc", 3);
    assert_int_equal(b.len, 0);
    buf_commit(&b, 2);
    assert_true(span_equals(buf_span(&b), SPAN("ab")));
}

static void truncating_only_shortens(void **state) {
    (void)state;
    CLEANUP(buf_done) struct buf b = buf_with_ceiling(10);
    buf_append_text(&b, "abcdef");
    buf_truncate(&b, 2);
    buf_truncate(&b, 5);
    assert_true(span_equals(buf_span(&b), SPAN("ab")));
}

static void the_terminator_is_not_content(void **state) {
    (void)state;
    CLEANUP(buf_done) struct buf b = buf_with_ceiling(10);
    assert_string_equal(buf_text(&b), "");
    buf_append_text(&b, "ab");
    assert_string_equal(buf_text(&b), "ab");
    buf_append_text(&b, "c");
    assert_string_equal(buf_text(&b), "abc");
    assert_int_equal(b.len, 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_buffer_owns_no_memory),
        cmocka_unit_test(appends_of_all_kinds_follow_each_other),
        cmocka_unit_test(grows_up_to_the_ceiling_and_no_further),
        cmocka_unit_test(a_failed_append_adds_no_byte_and_sticks),
        cmocka_unit_test(a_request_larger_than_memory_fails),
        cmocka_unit_test(clearing_forgets_content_and_failure_but_keeps_memory),
        cmocka_unit_test(taking_moves_the_content),
        cmocka_unit_test(reserved_bytes_count_once_committed),
        cmocka_unit_test(truncating_only_shortens),
        cmocka_unit_test(the_terminator_is_not_content),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
