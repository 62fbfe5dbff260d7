// SPDX-License-Identifier: MIT
#include "spool_case.h"

static void what_came_first_goes_first(void **state) {
    (void)state;
    open_it();
    expect_no_more();
    for (unsigned i = 1; i <= 5; i++) {
        append(i, i * 10);
    }
    assert_true(spool_has_untaken(spool));
    for (unsigned i = 1; i <= 5; i++) {
        take_and_remove(i, i * 10);
    }
    expect_no_more();
    assert_int_equal(segments(), 0);
}

static void the_next_process_goes_on_with_what_the_last_one_left(void **state) {
    (void)state;
    open_it();
    append(1, 10);
    append(2, 20);
    open_it();
    append(3, 5);
    open_it();
    append(4, 1);
    for (unsigned i = 1; i <= 3; i++) {
        take_and_remove(i, 0);
    }
    take_and_remove(4, 1);
    expect_no_more();
}

/* At the end, what was in flight is kept, which is older than what was moved to disk before. */
static void older_events_come_before_newer_ones_that_were_there_already(void **state) {
    (void)state;
    open_it();
    append(3, 30);
    append(4, 40);
    append(1, 10);
    append(2, 20);
    assert_int_equal(spool_first_position(spool), 10);
    open_it();
    for (unsigned i = 1; i <= 4; i++) {
        take_and_remove(i, 0);
    }
}

static void an_event_in_parts_may_begin_several_segments(void **state) {
    (void)state;
    open_it();
    append(1, 10);
    append(2, 10);
    append(4, 11);
    append(3, 10);
    for (unsigned i = 1; i <= 3; i++) {
        take_and_remove(i, 10);
    }
    take_and_remove(4, 11);
}

static void a_segment_is_taken_once_and_its_file_stays_until_it_is_removed(void **state) {
    (void)state;
    open_it();
    append(1, 10);
    uint64_t id = take(1, 10);
    expect_no_more();
    assert_int_equal(segments(), 1);
    open_it(); /* a crash: delivered or not, it is there */
    assert_int_equal(take(1, 0), id);
    spool_remove(spool, id);
    spool_remove(spool, id);
    spool_remove(spool, id + 1);
    assert_int_equal(segments(), 0);
}

static void many_segments_are_listed_in_order(void **state) {
    (void)state;
    enum { MANY = 1500 };
    open_it();
    for (unsigned i = 0; i < MANY; i++) {
        append(MANY - i, MANY - i);
    }
    open_it();
    for (unsigned i = 1; i <= MANY; i++) {
        take_and_remove(i, 0);
    }
    expect_no_more();
}

static void positions_are_those_of_this_process_that_are_not_taken(void **state) {
    (void)state;
    open_it();
    assert_true(spool_first_position(spool) == UINT64_MAX);
    append(1, 7);
    append(2, 9);
    assert_int_equal(spool_first_position(spool), 7);
    (void)take(1, 7);
    assert_int_equal(spool_first_position(spool), 9);
    open_it();
    assert_true(spool_first_position(spool) == UINT64_MAX);
}

/* --- what is left of a segment --- */

/* Keeps the records of the taken segment that `keep` says. */
static bool keep(uint64_t id, unsigned seed, const uint8_t *kept, bool *ret_kept) {
    struct record_group group = group_make(seed, 3, 200);
    record_group_retain(&group, kept);
    *ret_kept = spool_keep(spool, id, &group);
    size_t events = record_group_events(&group);
    record_group_done(&group);
    return spool_untaken_events(spool).events == events;
}

static void a_segment_of_which_nothing_was_delivered_stays_as_it_is(void **state) {
    (void)state;
    bool kept = false;
    open_it();
    append(1, 10);
    struct buf before = scratch_read(scratch_first(directory, ".segment"));
    assert_true(keep(take(1, 10), 1, (const uint8_t[]){1, 1, 1}, &kept));
    assert_true(kept);
    struct buf after = scratch_read(scratch_first(directory, ".segment"));
    assert_true(span_equals(buf_span(&before), buf_span(&after)));
    buf_done(&before);
    buf_done(&after);
    take_and_remove(1, 10);
}

static void only_what_is_left_of_a_segment_stays_and_in_its_place(void **state) {
    (void)state;
    bool kept = false;
    const uint8_t rest[] = {0, 1, 0};
    open_it();
    append(1, 10);
    append(2, 20);
    open_it();
    append(3, 30);
    assert_true(spool_untaken_events(spool).events == 6);
    uint64_t id = take(1, 0);
    (void)keep(id, 1, rest, &kept);
    assert_true(kept);
    assert_int_equal(spool_untaken_events(spool).events, 6 + 2);
    open_it();
    struct record_group read = record_group_empty(GROUP_CEILING);
    struct spooled spooled;
    assert_true(spool_take(spool, &read, &spooled));
    assert_int_equal(read.count, 1);
    assert_true(span_starts_with(record_group_data(&read, 0), SPAN("r-1-1 ")));
    record_group_done(&read);
    take_and_remove(2, 0);
    take_and_remove(3, 0);
}

static void a_segment_whose_file_is_gone_is_written_again(void **state) {
    (void)state;
    bool kept = false;
    open_it();
    append(1, 10);
    uint64_t id = take(1, 10);
    assert_int_equal(unlink(scratch_first(directory, ".segment")), 0);
    assert_true(keep(id, 1, (const uint8_t[]){1, 1, 1}, &kept));
    assert_true(kept);
    take_and_remove(1, 10);
}

static void one_that_is_not_known_is_not_kept(void **state) {
    (void)state;
    bool kept = true;
    open_it();
    (void)keep(77, 1, (const uint8_t[]){1, 1, 1}, &kept);
    assert_false(kept);
}

/* --- bounds --- */

static void at_its_limit_it_takes_no_more_and_less_makes_room(void **state) {
    (void)state;
    struct record_group group = group_make(1, 3, 200);
    struct error err = {0};
    open_it();
    append(1, 10);
    struct stat status;
    assert_int_equal(stat(scratch_first(directory, ".segment"), &status), 0);
    open_with((uint64_t)status.st_size * 2 + (uint64_t)status.st_size / 2);
    append(2, 20);
    assert_false(spool_append(spool, &group, 30, &err));
    assert_int_equal(err.code, ERR_FULL);
    assert_int_equal(segments(), 2);
    take_and_remove(1, 0);
    append(3, 30);
    take_and_remove(2, 20);
    take_and_remove(3, 30);
    record_group_done(&group);
}

/* It must not grow over it because of files that are never removed. */
static void files_that_were_set_aside_count_against_the_limit(void **state) {
    (void)state;
    struct record_group group = group_make(1, 3, 200);
    struct error err = {0};
    open_it();
    append(1, 10);
    scratch_write(scratch_first(directory, ".segment"), SPAN("garbage"));
    assert_int_equal(truncate(scratch_first(directory, ".segment"), 100000), 0);
    open_with(100000);
    expect_no_more();
    assert_false(spool_append(spool, &group, 10, &err));
    assert_int_equal(err.code, ERR_FULL);
    open_with(100000);
    assert_false(spool_append(spool, &group, 10, &err));
    assert_int_equal(err.code, ERR_FULL);
    record_group_done(&group);
}

static void a_limit_below_what_is_there_loses_nothing(void **state) {
    (void)state;
    struct record_group group = group_make(3, 3, 200);
    struct error err = {0};
    open_it();
    append(1, 10);
    append(2, 20);
    open_with(1);
    assert_false(spool_append(spool, &group, 30, &err));
    take_and_remove(1, 0);
    take_and_remove(2, 0);
    record_group_done(&group);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(what_came_first_goes_first),
        TEST(the_next_process_goes_on_with_what_the_last_one_left),
        TEST(older_events_come_before_newer_ones_that_were_there_already),
        TEST(an_event_in_parts_may_begin_several_segments),
        TEST(a_segment_is_taken_once_and_its_file_stays_until_it_is_removed),
        TEST(many_segments_are_listed_in_order),
        TEST(positions_are_those_of_this_process_that_are_not_taken),
        TEST(a_segment_of_which_nothing_was_delivered_stays_as_it_is),
        TEST(only_what_is_left_of_a_segment_stays_and_in_its_place),
        TEST(a_segment_whose_file_is_gone_is_written_again),
        TEST(one_that_is_not_known_is_not_kept),
        TEST(at_its_limit_it_takes_no_more_and_less_makes_room),
        TEST(files_that_were_set_aside_count_against_the_limit),
        TEST(a_limit_below_what_is_there_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
