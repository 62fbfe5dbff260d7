// SPDX-License-Identifier: MIT
#include "base/vector.h"

#include "../guarded.h"
#include "base/base64.h"

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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_is_that_of_the_bytes_taken),
        cmocka_unit_test(base64_of_every_value_of_three_bytes),
        cmocka_unit_test(vectors_and_portable_code_make_one_base64),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
