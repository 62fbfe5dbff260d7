// SPDX-License-Identifier: MIT
#include "pipeline/json_plain.h"

#include "../guarded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { LENGTH_MAX = 150, AHEAD = 31 };

/* One byte after the other. */
static size_t plain_length(struct span text) {
    size_t at = 0;
    while (at < text.len) {
        unsigned char c = (unsigned char)text.ptr[at];
        bool is_escape =
            c == '\\' && at + 1 < text.len && memchr("\"\\/bfnrt", text.ptr[at + 1], 8) != NULL;
        if (c < ' ' || c == '"' || (c == '\\' && !is_escape)) {
            return at;
        }
        at += is_escape ? 2 : 1;
    }
    return at;
}

static bool has_long(struct span text) {
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.ptr[i] >= 0x80) {
            return true;
        }
    }
    return false;
}

static void assert_skips_what_is_plain(struct span text) {
    struct guarded guarded = guarded_copy(text);
    const char *start = guarded.text.ptr;
    bool is_ascii = true;
    const char *at = json_skip_plain(start, start + text.len, &is_ascii);
    size_t skipped = (size_t)(at - start);
    guarded_done(&guarded);
    if (skipped != plain_length(text)) {
        print_error("%zu of %zu bytes: %.*s\n", skipped, text.len, SPAN_ARGS(text));
        fail();
    }
    assert_false(is_ascii && has_long(span_first(text, skipped)));
    assert_true(is_ascii || has_long(span_first(text, skipped + 1 + AHEAD)));
}

static void stops_at_each_special_byte_at_every_place(void **state) {
    (void)state;
    static const char special[] = {'"', '\0', '\n', 0x1f, '\\', (char)0x80, (char)0xff, 0x20, 0x7f};
    for (size_t length = 1; length <= LENGTH_MAX; length++) {
        for (size_t number = 0; number < length * sizeof special; number++) {
            char text[LENGTH_MAX];
            memset(text, 'a', length);
            text[number % length] = special[number / length];
            assert_skips_what_is_plain(span_of(text, length));
        }
    }
}

static void skips_each_short_escape_at_every_place(void **state) {
    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        for (size_t place = 0; place + 1 < 80; place++) {
            char text[80];
            memset(text, 'n', sizeof text);
            text[place] = '\\';
            text[place + 1] = (char)c;
            assert_skips_what_is_plain(span_of(text, sizeof text));
        }
    }
}

/* Runs of backslashes, too, which escape each other. */
static void is_right_for_any_mixture(void **state) {
    (void)state;
    static const char bytes[] = "aaaaaaaa\\\\\\\\nntt\"u\xc3\xa4\n";
    uint32_t seed = 1;
    for (size_t round = 0; round < 200000; round++) {
        char text[LENGTH_MAX];
        size_t length = round % LENGTH_MAX;
        /* In two of three rounds without those that end the way at once. */
        uint32_t kinds = round % 3 == 0 ? sizeof bytes - 1 : 16;
        for (size_t i = 0; i < length; i++) {
            seed = seed * 1664525U + 1013904223U;
            text[i] = bytes[(seed >> 16) % kinds];
        }
        assert_skips_what_is_plain(span_of(text, length));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stops_at_each_special_byte_at_every_place),
        cmocka_unit_test(skips_each_short_escape_at_every_place),
        cmocka_unit_test(is_right_for_any_mixture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
