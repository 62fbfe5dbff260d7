// SPDX-License-Identifier: MIT
#include "base/cbor_reader.h"

#include "../guarded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Bytes of a literal, placed before a page that cannot be read. */
#define BYTES(literal) guarded_copy(SPAN(literal))

/* Whether the bytes are one item and nothing else. */
static bool is_one_item(struct span bytes) {
    struct guarded guarded = guarded_copy(bytes);
    struct cbor_reader reader = cbor_reader_of(guarded.text);
    cbor_skip(&reader);
    bool whole = !cbor_failed(&reader) && reader.rest.len == 0;
    guarded_done(&guarded);
    return whole;
}

static bool reads_text(struct span bytes, const char *text) {
    char found[16];
    struct guarded guarded = guarded_copy(bytes);
    struct cbor_reader reader = cbor_reader_of(guarded.text);
    bool is_text = cbor_read_text(&reader, found, sizeof found);
    guarded_done(&guarded);
    assert_string_equal(found, is_text ? text : "");
    return is_text;
}

static const struct span well_formed[] = {
    /* RFC 8949, appendix A */
    {"\x00", 1},
    {"\x18\x64", 2},
    {"\x1b\xff\xff\xff\xff\xff\xff\xff\xff", 9},
    {"\x3b\xff\xff\xff\xff\xff\xff\xff\xff", 9},
    {"\xc2\x49\x01\x00\x00\x00\x00\x00\x00\x00\x00", 11},
    {"\xf9\x3c\x00", 3},
    {"\xfa\x47\xc3\x50\x00", 5},
    {"\xfb\x3f\xf1\x99\x99\x99\x99\x99\x9a", 9},
    {"\xf4", 1},
    {"\xf6", 1},
    {"\xf7", 1},
    {"\xf8\xff", 2},
    {"\xc1\xfb\x41\xd4\x52\xd9\xec\x20\x00\x00", 10},
    {"\xd8\x20\x64IETF", 7},
    {"\x5f\x42\x01\x02\x43\x03\x04\x05\xff", 9},
    {"\x7f\x65strea\x64ming\xff", 13},
    {"\x9f\xff", 2},
    {"\x9f\x01\x82\x02\x03\x9f\x04\x05\xff\xff", 10},
    {"\xbf\x61\x61\x01\x61\x62\x9f\x02\x03\xff\xff", 11},
    {"\xa5\x61\x61\x61\x41\x61\x62\x61\x42\x61\x63\x61\x43\x61\x64\x61\x44\x61\x65\x61\x45", 21},
    {"\xa0", 1},
    {"\x5f\xff", 2},
    {"\xd9\xd9\xf7\xa0", 4},
};

static void every_well_formed_item_is_passed_over_whole(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof well_formed / sizeof well_formed[0]; i++) {
        assert_true(is_one_item(well_formed[i]));
    }
}

static void an_item_that_is_cut_short_anywhere_fails(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof well_formed / sizeof well_formed[0]; i++) {
        for (size_t length = 0; length < well_formed[i].len; length++) {
            assert_false(is_one_item(span_first(well_formed[i], length)));
        }
    }
}

static void what_the_standard_does_not_allow_fails(void **state) {
    (void)state;
    static const struct span bad[] = {
        {"\xff", 1},                     /* a break without a beginning */
        {"\x1c", 1},                     /* reserved */
        {"\xfe", 1},                     /* reserved */
        {"\x1f", 1},                     /* a number of indefinite length */
        {"\xdf\x00", 2},                 /* a tag of indefinite length */
        {"\xc0\xff", 2},                 /* a tag of nothing */
        {"\x81\xff", 2},                 /* a break in an array of known length */
        {"\xa1\x00\xff", 3},             /* and in a map */
        {"\xbf\x00\xff", 3},             /* a key without its value */
        {"\x5f\x61\x61\xff", 4},         /* text in bytes */
        {"\x7f\x41\x61\xff", 4},         /* bytes in text */
        {"\x7f\x7f\x61\x61\xff\xff", 6}, /* chunks in a chunk */
        {"\x5f\xc0\x41\x61\xff", 5},     /* a tag in a string */
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(is_one_item(bad[i]));
    }
}

static void no_length_is_believed(void **state) {
    (void)state;
    static const struct span huge[] = {
        {"\x5b\xff\xff\xff\xff\xff\xff\xff\xff", 9},
        {"\x7b\x7f\xff\xff\xff\xff\xff\xff\xff", 9},
        {"\x9b\xff\xff\xff\xff\xff\xff\xff\xff\x00", 10},
        {"\xbb\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00", 11},
        {"\xbb\x80\x00\x00\x00\x00\x00\x00\x00", 9},
        {"\x9a\x00\x01\x00\x00\x00", 6},
    };
    for (size_t i = 0; i < sizeof huge / sizeof huge[0]; i++) {
        assert_false(is_one_item(huge[i]));
    }
}

static void nesting_has_a_limit(void **state) {
    (void)state;
    char nested[CBOR_DEPTH_MAX + 1];
    memset(nested, '\x81', sizeof nested);
    nested[CBOR_DEPTH_MAX] = '\x80';
    assert_false(is_one_item(span_of(nested, sizeof nested)));
    assert_true(is_one_item(span_of(nested + 1, CBOR_DEPTH_MAX)));
    char deep[100000];
    memset(deep, '\x9f', sizeof deep);
    assert_false(is_one_item(span_of(deep, sizeof deep)));
}

static void a_map_is_read_pair_by_pair(void **state) {
    (void)state;
    struct guarded bytes = BYTES("\xbf\x61\x61\x81\xf9\x3c\x00\xc1\x61\x62\x63xyz\xff\x61z");
    struct cbor_reader reader = cbor_reader_of(bytes.text);
    struct cbor_items pairs;
    char text[8];
    assert_true(cbor_enter_map(&reader, &pairs));
    assert_true(cbor_next(&reader, &pairs));
    assert_true(cbor_read_text(&reader, text, sizeof text));
    assert_string_equal(text, "a");
    cbor_skip(&reader);
    assert_true(cbor_next(&reader, &pairs));
    assert_true(cbor_read_text(&reader, text, sizeof text));
    assert_string_equal(text, "b");
    assert_true(cbor_read_text(&reader, text, sizeof text));
    assert_string_equal(text, "xyz");
    assert_false(cbor_next(&reader, &pairs));
    assert_false(cbor_failed(&reader));
    assert_int_equal(reader.rest.len, 2);
    guarded_done(&bytes);
}

static void an_array_is_read_item_by_item(void **state) {
    (void)state;
    struct guarded bytes = BYTES("\x82\x61\x61\xf6");
    struct cbor_reader reader = cbor_reader_of(bytes.text);
    struct cbor_items items;
    char text[8];
    assert_true(cbor_enter_array(&reader, &items));
    assert_true(cbor_next(&reader, &items));
    assert_true(cbor_read_text(&reader, text, sizeof text));
    assert_true(cbor_next(&reader, &items));
    assert_false(cbor_read_text(&reader, text, sizeof text));
    assert_string_equal(text, "");
    assert_false(cbor_next(&reader, &items));
    assert_false(cbor_failed(&reader));
    guarded_done(&bytes);
}

static void another_type_than_the_one_asked_for_fails_the_reader(void **state) {
    (void)state;
    struct cbor_items items;
    struct cbor_reader map = cbor_reader_of(SPAN("\xa0"));
    assert_false(cbor_enter_array(&map, &items));
    assert_true(cbor_failed(&map));
    struct cbor_reader text = cbor_reader_of(SPAN("\x61z"));
    assert_false(cbor_enter_map(&text, &items));
    assert_true(cbor_failed(&text));
    char found[4];
    assert_false(cbor_read_text(&text, found, sizeof found));
    assert_false(cbor_next(&text, &items));
}

static void a_text_is_joined_cut_and_ended(void **state) {
    (void)state;
    assert_true(reads_text(SPAN("\x64IETF"), "IETF"));
    assert_true(reads_text(SPAN("\x7f\x65strea\x64ming\xff"), "streaming"));
    assert_true(reads_text(SPAN("\x7f\xff"), ""));
    assert_true(reads_text(SPAN("\x74"
                                "01234567890123456789"),
                           "012345678901234"));
    assert_true(reads_text(SPAN("\x7f\x70"
                                "0123456789012345\x61z\xff"),
                           "012345678901234"));
    assert_true(reads_text(SPAN("\xc0\x61z"), "z"));
    assert_false(reads_text(SPAN("\x41z"), ""));
    assert_false(reads_text(SPAN("\xf6"), ""));
    assert_false(reads_text(SPAN("\x7f\x61z\x18\xff"), ""));
    assert_false(reads_text(SPAN("\x63zz"), ""));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_well_formed_item_is_passed_over_whole),
        cmocka_unit_test(an_item_that_is_cut_short_anywhere_fails),
        cmocka_unit_test(what_the_standard_does_not_allow_fails),
        cmocka_unit_test(no_length_is_believed),
        cmocka_unit_test(nesting_has_a_limit),
        cmocka_unit_test(a_map_is_read_pair_by_pair),
        cmocka_unit_test(an_array_is_read_item_by_item),
        cmocka_unit_test(another_type_than_the_one_asked_for_fails_the_reader),
        cmocka_unit_test(a_text_is_joined_cut_and_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
