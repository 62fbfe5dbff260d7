// SPDX-License-Identifier: MIT
#include "base/base64.h"

#include "../guarded.h"
#include "no_vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void encodes_the_vectors_of_rfc_4648(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        const char *text;
    } cases[] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CLEANUP(buf_done) struct buf out = buf_with_ceiling(64);
        base64_append(&out, span_of_text(cases[i].bytes));
        assert_string_equal(buf_text(&out), cases[i].text);
        assert_int_equal(out.len, base64_encoded_length(strlen(cases[i].bytes)));
    }
}

/* A decoder of the plainest kind, so that every length and byte value is checked. */
static uint8_t value_of(char c) {
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = strchr(alphabet, c);
    assert_non_null(at);
    assert_true(c != '\0');
    return (uint8_t)(at - alphabet);
}

static size_t decode(struct span text, uint8_t *ret) {
    size_t count = 0;
    for (size_t i = 0; i < text.len; i += 4) {
        uint32_t bits = 0;
        size_t digits = 0;
        while (digits < 4 && text.ptr[i + digits] != '=') {
            bits |= (uint32_t)value_of(text.ptr[i + digits]) << (18 - 6 * digits);
            digits++;
        }
        for (size_t k = 0; k + 1 < digits; k++) {
            ret[count++] = (uint8_t)(bits >> (16 - 8 * k));
        }
    }
    return count;
}

static void any_bytes_of_any_length_come_back(void **state) {
    (void)state;
    uint8_t bytes[300];
    uint8_t decoded[300];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (uint8_t)(255 - i * 7);
    }
    for (size_t length = 0; length <= sizeof bytes; length++) {
        CLEANUP(buf_done) struct buf out = buf_with_ceiling(1024);
        struct guarded input = guarded_copy(span_of((const char *)bytes, length));
        base64_append(&out, input.text);
        guarded_done(&input);
        assert_int_equal(out.len % 4, 0);
        assert_int_equal(decode(buf_span(&out), decoded), length);
        assert_memory_equal(decoded, bytes, length);
    }
}

static void appends_behind_what_is_there(void **state) {
    (void)state;
    CLEANUP(buf_done) struct buf out = buf_with_ceiling(64);
    buf_append_text(&out, "data:");
    base64_append(&out, SPAN("foo"));
    assert_string_equal(buf_text(&out), "data:Zm9v");
}

static void adds_nothing_when_it_does_not_fit(void **state) {
    (void)state;
    CLEANUP(buf_done) struct buf out = buf_with_ceiling(7);
    base64_append(&out, SPAN("foob"));
    assert_true(buf_failed(&out));
    assert_int_equal(out.len, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodes_the_vectors_of_rfc_4648),
        cmocka_unit_test(any_bytes_of_any_length_come_back),
        cmocka_unit_test(appends_behind_what_is_there),
        cmocka_unit_test(adds_nothing_when_it_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
