// SPDX-License-Identifier: MIT
#include "pipeline/record_group.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void add(struct record_group *group, struct span data, struct span key, uint32_t events) {
    size_t offset = group->data.len;
    buf_append(&group->data, data);
    assert_true(record_group_add(group, offset, key, events, events * 10, NULL));
}

static void expect(const struct record_group *group, size_t index, const char *data,
                   const char *key) {
    assert_true(span_equals(record_group_data(group, index), span_of_text(data)));
    assert_true(span_equals(record_group_key(group, index), span_of_text(key)));
}

static void records_keep_their_data_keys_and_counts(void **state) {
    (void)state;
    struct record_group group = record_group_empty(1000);
    assert_int_equal(record_group_bytes(&group), 0);
    add(&group, SPAN("first"), SPAN("k1"), 2);
    add(&group, SPAN(""), SPAN("k2"), 0);
    add(&group, SPAN("third one"), SPAN("k"), 3);
    assert_int_equal(group.count, 3);
    expect(&group, 0, "first", "k1");
    expect(&group, 1, "", "k2");
    expect(&group, 2, "third one", "k");
    assert_int_equal(record_group_bytes(&group), 5 + 2 + 0 + 2 + 9 + 1);
    assert_int_equal(record_group_events(&group), 5);
    assert_int_equal(record_group_event_bytes(&group), 50);
    record_group_done(&group);
    record_group_done(&group);
}

static void retains_what_is_kept_in_its_order(void **state) {
    (void)state;
    struct record_group group = record_group_empty(1000);
    add(&group, SPAN("a"), SPAN("ka"), 1);
    add(&group, SPAN("bb"), SPAN("kb"), 2);
    add(&group, SPAN("ccc"), SPAN("kc"), 4);
    add(&group, SPAN("dddd"), SPAN("kd"), 8);
    const uint8_t keep[] = {0, 1, 0, 1};
    record_group_retain(&group, keep);
    assert_int_equal(group.count, 2);
    expect(&group, 0, "bb", "kb");
    expect(&group, 1, "dddd", "kd");
    assert_int_equal(record_group_events(&group), 10);
    const uint8_t none[] = {0, 0};
    record_group_retain(&group, none);
    assert_int_equal(group.count, 0);
    assert_int_equal(record_group_bytes(&group), 0);
    record_group_done(&group);
}

static void holds_as_many_records_as_a_request_may_have(void **state) {
    (void)state;
    struct record_group group = record_group_empty(100000);
    char key[256];
    memset(key, 'k', sizeof key);
    for (int i = 0; i < 500; i++) {
        add(&group, SPAN("some data"), span_of(key, sizeof key), 1);
    }
    assert_int_equal(record_group_bytes(&group), 500 * (9 + 256));
    record_group_done(&group);
}

static void clearing_it_keeps_the_memory_for_the_next_records(void **state) {
    (void)state;
    struct record_group group = record_group_empty(1000);
    add(&group, SPAN("data"), SPAN("key"), 1);
    const char *memory = group.data.ptr;
    record_group_clear(&group);
    assert_int_equal(group.count, 0);
    assert_int_equal(group.data.len, 0);
    add(&group, SPAN("next"), SPAN("yek"), 1);
    assert_ptr_equal(group.data.ptr, memory);
    expect(&group, 0, "next", "yek");
    record_group_done(&group);
}

static void a_key_without_room_leaves_the_table_as_it_was(void **state) {
    (void)state;
    struct record_group group = record_group_empty(1000);
    struct error err = {0};
    add(&group, SPAN("data"), SPAN("key"), 1);
    group.keys.ceiling = 5;
    assert_false(record_group_add(&group, 0, SPAN("another"), 1, 1, &err));
    assert_int_equal(err.code, ERR_MEMORY);
    assert_int_equal(group.count, 1);
    expect(&group, 0, "data", "key");
    assert_true(record_group_add(&group, 0, SPAN("k"), 1, 1, &err));
    record_group_done(&group);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_keep_their_data_keys_and_counts),
        cmocka_unit_test(retains_what_is_kept_in_its_order),
        cmocka_unit_test(holds_as_many_records_as_a_request_may_have),
        cmocka_unit_test(clearing_it_keeps_the_memory_for_the_next_records),
        cmocka_unit_test(a_key_without_room_leaves_the_table_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
