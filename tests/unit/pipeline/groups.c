// SPDX-License-Identifier: MIT
#include "groups.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static void add_record(struct record_group *group, unsigned seed, unsigned index, unsigned length) {
    char key[32];
    size_t start = group->data.len;
    (void)snprintf(key, sizeof key, "key-%u-%u", seed, index);
    buf_append_format(&group->data, "r-%u-%u ", seed, index);
    while (group->data.len - start < length) {
        buf_append_char(&group->data, (char)('a' + (group->data.len * seed + index) % 26));
    }
    assert_false(buf_failed(&group->data));
    assert_true(
        record_group_add(group, start, span_of_text(key), index + 1, 10 * (index + 1), NULL));
}

struct record_group group_make(unsigned seed, unsigned count, unsigned length) {
    struct record_group group = record_group_empty(GROUP_CEILING);
    for (unsigned i = 0; i < count; i++) {
        add_record(&group, seed, i, length);
    }
    return group;
}

void group_expect_same(const struct record_group *a, const struct record_group *b) {
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        assert_true(span_equals(record_group_data(a, i), record_group_data(b, i)));
        assert_true(span_equals(record_group_key(a, i), record_group_key(b, i)));
        assert_int_equal(a->records[i].events, b->records[i].events);
        assert_int_equal(a->records[i].event_bytes, b->records[i].event_bytes);
    }
}
