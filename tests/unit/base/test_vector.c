// SPDX-License-Identifier: MIT
#include "base/vector.h"

#include "../guarded.h"
#include "base/base64.h"
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { BYTES = 1000, ROUNDS = 200 };

/* The same bytes each time. */
static void fill(char *bytes, size_t count, uint32_t seed) {
    for (size_t i = 0; i < count; i++) {
        seed = seed * 1664525U + 1013904223U;
        bytes[i] = (char)(seed >> 24);
    }
}

/* By the book: six bits at a time, whatever byte they are in. */
static void encode_plainly(struct span bytes, char *to) {
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t bit = 0; bit + 6 <= bytes.len * 8; bit += 6) {
        unsigned value = 0;
        for (size_t i = bit; i < bit + 6; i++) {
            unsigned byte = (unsigned char)bytes.ptr[i / 8];
            value = value << 1 | (byte >> (7 - i % 8) & 1);
        }
        *to++ = alphabet[value];
    }
}

static void base64_is_that_of_the_bytes_taken(void **state) {
    (void)state;
    for (size_t length = 0; length <= 200; length++) {
        char bytes[200];
        char expected[268];
        char text[268] = {0};
        fill(bytes, length, (uint32_t)length);
        struct guarded input = guarded_copy(span_of(bytes, length));
        size_t taken = vector_base64(input.text, text);
        guarded_done(&input);
        assert_true(taken <= length);
        assert_int_equal(taken % 3, 0);
        encode_plainly(span_of(bytes, taken), expected);
        assert_memory_equal(text, expected, taken / 3 * 4);
    }
}

/* Each character of the alphabet in each place. */
static void base64_of_every_value_of_three_bytes(void **state) {
    (void)state;
    char bytes[3 * 64];
    char expected[4 * 64];
    for (uint32_t value = 0; value < 1U << 24; value += 257) {
        for (size_t i = 0; i < sizeof bytes; i += 3) {
            uint32_t rotated = value + (uint32_t)i * 0x01010101U;
            bytes[i] = (char)(rotated >> 16);
            bytes[i + 1] = (char)(rotated >> 8);
            bytes[i + 2] = (char)rotated;
        }
        char text[4 * 64];
        size_t taken = vector_base64(span_of(bytes, sizeof bytes), text);
        encode_plainly(span_of(bytes, taken), expected);
        assert_memory_equal(text, expected, taken / 3 * 4);
    }
}

static void vectors_and_portable_code_make_one_base64(void **state) {
    (void)state;
    for (uint32_t round = 0; round < ROUNDS; round++) {
        char bytes[BYTES];
        char expected[BYTES * 4 / 3];
        size_t length = (size_t)round * 4 % BYTES / 3 * 3;
        fill(bytes, length, round);
        CLEANUP(buf_done) struct buf out = buf_with_ceiling(2 * BYTES);
        base64_append(&out, span_of(bytes, length));
        encode_plainly(span_of(bytes, length), expected);
        assert_int_equal(out.len, length / 3 * 4);
        assert_memory_equal(buf_span(&out).ptr, expected, out.len);
    }
}

/* One character after the other. */
static size_t valid_length(struct span text) {
    size_t at = 0;
    size_t length;
    while ((length = utf8_sequence_length(span_skip(text, at))) > 0) {
        at += length;
    }
    return at;
}

static bool is_within_character(struct span text, size_t at) {
    return at < text.len && ((unsigned char)text.ptr[at] & 0xc0) == 0x80;
}

/* All that is valid but the last incomplete sixteen bytes and a character, and nothing else. */
static void assert_takes_what_is_valid(struct span text) {
    static const char ascii[] = "0123456789abcdef";
    size_t block = vector_utf8(span_of(ascii, 16)); /* 0 without vectors */
    size_t valid = valid_length(text);
    size_t taken = vector_utf8(text);
    assert_in_range(taken, 0, valid);
    assert_true(block == 0 || taken + 4 >= valid / block * block);
    assert_true(taken == valid || !is_within_character(text, taken));
}

/* The bytes at which a rule of RFC 3629 begins or ends, four in a row, at every place of a block
 * and across its end. */
static void utf8_is_valid_by_every_rule_at_every_place(void **state) {
    (void)state;
    static const unsigned char edges[] = {0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf,
                                          0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed,
                                          0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff};
    const size_t count = sizeof edges;
    for (size_t number = 0; number < count * count * count * count; number++) {
        char text[48];
        memset(text, 'a', sizeof text);
        char *four = text + number % 31;
        four[0] = (char)edges[number % count];
        four[1] = (char)edges[number / count % count];
        four[2] = (char)edges[number / count / count % count];
        four[3] = (char)edges[number / count / count / count];
        assert_takes_what_is_valid(span_of(text, sizeof text));
    }
}

static void append_character(char **to, uint32_t point) {
    char *at = *to;
    if (point < 0x80) {
        *at++ = (char)point;
    } else if (point < 0x800) {
        *at++ = (char)(0xc0 | point >> 6);
    } else if (point < 0x10000) {
        *at++ = (char)(0xe0 | point >> 12);
        *at++ = (char)(0x80 | (point >> 6 & 0x3f));
    } else {
        *at++ = (char)(0xf0 | point >> 18);
        *at++ = (char)(0x80 | (point >> 12 & 0x3f));
        *at++ = (char)(0x80 | (point >> 6 & 0x3f));
    }
    if (point >= 0x80) {
        *at++ = (char)(0x80 | (point & 0x3f));
    }
    *to = at;
}

/* Surrogates among them, which are none. */
static void utf8_is_valid_for_every_code_point(void **state) {
    (void)state;
    for (uint32_t point = 0; point <= 0x110000; point += 8) {
        char text[64];
        char *end = text;
        for (uint32_t i = 0; i < 8; i++) {
            append_character(&end, point + i);
        }
        memset(end, 'a', 20);
        assert_takes_what_is_valid(span_of(text, (size_t)(end - text) + 20));
    }
}

static void utf8_may_end_anywhere(void **state) {
    (void)state;
    static const char text[] = "a\xC3\xBC\xE2\x82\xAC\xF0\x9F\x98\x80 Gr\xC3\xB6\xC3\x9F"
                               "e \xE5\x8F\x97\xE6\xB3\xA8\xE3\x82\x92\xE5\x87\xA6";
    for (size_t length = 0; length < sizeof text; length++) {
        struct guarded guarded = guarded_copy(span_of(text, length));
        assert_takes_what_is_valid(guarded.text);
        guarded_done(&guarded);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_is_that_of_the_bytes_taken),
        cmocka_unit_test(base64_of_every_value_of_three_bytes),
        cmocka_unit_test(vectors_and_portable_code_make_one_base64),
        cmocka_unit_test(utf8_is_valid_by_every_rule_at_every_place),
        cmocka_unit_test(utf8_is_valid_for_every_code_point),
        cmocka_unit_test(utf8_may_end_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
