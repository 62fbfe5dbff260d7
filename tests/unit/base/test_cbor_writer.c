// SPDX-License-Identifier: MIT
#include "base/cbor_writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct buf out;

static int set_up(void **state) {
    (void)state;
    out = buf_with_ceiling(200000);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    buf_done(&out);
    return 0;
}

static void expect(struct span bytes) {
    assert_false(buf_failed(&out));
    assert_int_equal(out.len, bytes.len);
    assert_memory_equal(out.ptr, bytes.ptr, bytes.len);
    buf_clear(&out);
}

/* RFC 8949, appendix A. */
static void items_are_those_of_the_standard(void **state) {
    (void)state;
    cbor_append_array(&out, 0);
    expect(SPAN("\x80"));
    cbor_append_array(&out, 25);
    expect(SPAN("\x98\x19"));
    cbor_append_map(&out, 0);
    expect(SPAN("\xa0"));
    cbor_append_map(&out, 2);
    expect(SPAN("\xa2"));
    cbor_append_bytes(&out, SPAN("\x01\x02\x03\x04"));
    expect(SPAN("\x44\x01\x02\x03\x04"));
    cbor_append_bytes(&out, SPAN(""));
    expect(SPAN("\x40"));
    cbor_append_text(&out, SPAN(""));
    expect(SPAN("\x60"));
    cbor_append_text(&out, SPAN("IETF"));
    expect(SPAN("\x64IETF"));
    cbor_append_text(&out, SPAN("\xe6\xb0\xb4"));
    expect(SPAN("\x63\xe6\xb0\xb4"));
}

static void a_length_takes_as_few_bytes_as_it_can(void **state) {
    (void)state;
    static const struct {
        uint64_t items;
        struct span head;
    } cases[] = {
        {23, {"\x97", 1}},
        {24, {"\x98\x18", 2}},
        {255, {"\x98\xff", 2}},
        {256, {"\x99\x01\x00", 3}},
        {65535, {"\x99\xff\xff", 3}},
        {65536, {"\x9a\x00\x01\x00\x00", 5}},
        {UINT32_MAX, {"\x9a\xff\xff\xff\xff", 5}},
        {UINT32_MAX + 1ULL, {"\x9b\x00\x00\x00\x01\x00\x00\x00\x00", 9}},
        {UINT64_MAX, {"\x9b\xff\xff\xff\xff\xff\xff\xff\xff", 9}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        cbor_append_array(&out, cases[i].items);
        expect(cases[i].head);
    }
}

static void any_bytes_are_copied_as_they_are(void **state) {
    (void)state;
    static char bytes[70000];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (char)i;
    }
    cbor_append_bytes(&out, span_of(bytes, sizeof bytes));
    assert_int_equal(out.len, 5 + sizeof bytes);
    assert_memory_equal(out.ptr, "\x5a\x00\x01\x11\x70", 5);
    assert_memory_equal(out.ptr + 5, bytes, sizeof bytes);
}

static void what_is_not_utf8_is_replaced_so_that_a_text_is_one(void **state) {
    (void)state;
    cbor_append_text(&out, SPAN("a\xff"
                                "b\xc3"));
    expect(SPAN("\x68"
                "a\xef\xbf\xbd"
                "b\xef\xbf\xbd"));
    cbor_append_text(&out, SPAN("\xed\xa0\x80"));
    expect(SPAN("\x69\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"));
}

static void a_full_buffer_stays_failed(void **state) {
    (void)state;
    struct buf small = buf_with_ceiling(4);
    cbor_append_text(&small, SPAN("IETF"));
    assert_true(buf_failed(&small));
    cbor_append_text(&small, SPAN("\xff\xff\xff"));
    assert_true(buf_failed(&small));
    buf_done(&small);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(items_are_those_of_the_standard),
        TEST(a_length_takes_as_few_bytes_as_it_can),
        TEST(any_bytes_are_copied_as_they_are),
        TEST(what_is_not_utf8_is_replaced_so_that_a_text_is_one),
        TEST(a_full_buffer_stays_failed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
