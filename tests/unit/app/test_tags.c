// SPDX-License-Identifier: MIT
#include "app/tags.h"

#include "../guarded.h"
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct tag tags[TAGS_MAX];
static size_t count;

static void expect(size_t index, const char *key, const char *value) {
    assert_true(span_equals(tags[index].key, span_of_text(key)));
    assert_true(span_equals(tags[index].value, span_of_text(value)));
}

static void tags_are_pairs_of_key_and_value(void **state) {
    (void)state;
    assert_true(tags_parse(SPAN("team=payments, stage = prod ,note=,math=a=b"), tags, &count));
    assert_int_equal(count, 4);
    expect(0, "team", "payments");
    expect(1, "stage", "prod");
    expect(2, "note", "");
    expect(3, "math", "a=b");
    assert_true(tags_parse(SPAN("a=1,"), tags, &count));
    assert_int_equal(count, 1);
}

static void what_is_no_list_of_pairs_is_refused(void **state) {
    (void)state;
    static const char *const bad[] = {"",         " ",       ",",        "team",   "=v",
                                      " =v",      "a,b=2",   "a=1,b",    "a ,b=2", ",a=1",
                                      "a=1,,b=2", "a=1,a=2", "a=1, a =1"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct guarded text = guarded_copy(span_of_text(bad[i]));
        count = 77;
        assert_false(tags_parse(text.text, tags, &count));
        assert_int_equal(count, 77);
        guarded_done(&text);
    }
}

static void there_are_at_most_32(void **state) {
    (void)state;
    struct buf text = buf_with_ceiling(1000);
    for (int i = 0; i < TAGS_MAX; i++) {
        buf_append_format(&text, "%sk%d=v", i == 0 ? "" : ",", i);
    }
    assert_true(tags_parse(buf_span(&text), tags, &count));
    assert_int_equal(count, TAGS_MAX);
    expect(31, "k31", "v");
    buf_append(&text, SPAN(",one=more"));
    assert_false(tags_parse(buf_span(&text), tags, &count));
    buf_done(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tags_are_pairs_of_key_and_value),
        cmocka_unit_test(what_is_no_list_of_pairs_is_refused),
        cmocka_unit_test(there_are_at_most_32),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
