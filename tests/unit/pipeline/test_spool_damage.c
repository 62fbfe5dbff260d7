// SPDX-License-Identifier: MIT
/* Segments that are torn, damaged, deleted or not ours. */
#include "spool_case.h"

static void torn_and_damaged_segments_are_set_aside_and_the_others_go_on(void **state) {
    (void)state;
    for (unsigned damage = 0; damage < 3; damage++) {
        open_it();
        append(1, 10);
        append(2, 20);
        struct buf bytes = scratch_read(scratch_first(directory, ".segment"));
        if (damage == 0) {
            buf_clear(&bytes);
        } else if (damage == 1) {
            buf_truncate(&bytes, bytes.len / 2);
        } else {
            bytes.ptr[bytes.len / 2] ^= 1;
        }
        scratch_write(scratch_first(directory, ".segment"), buf_span(&bytes));
        buf_done(&bytes);
        open_it();
        take_and_remove(2, 0);
        expect_no_more();
        assert_int_equal(spool_set_aside(spool), 1);
        assert_int_equal(segments(), 0);
        assert_int_equal(unlink(scratch_first(directory, ".bad")), 0);
    }
}

/* Whatever a crash or the disk makes of a file, what is read is what was written or nothing. */
static void no_damage_of_a_file_is_ever_taken_for_logs(void **state) {
    (void)state;
    open_it();
    append(1, 10);
    char path[SCRATCH_PATH_BYTES];
    (void)snprintf(path, sizeof path, "%.*s", (int)sizeof path - 1,
                   scratch_first(directory, ".segment"));
    struct buf bytes = scratch_read(path);
    for (size_t at = 0; at < 2 * bytes.len; at++) {
        struct buf damaged = scratch_read(path);
        buf_clear(&damaged);
        buf_append(&damaged, span_first(buf_span(&bytes), at < bytes.len ? at : bytes.len));
        if (at >= bytes.len) {
            damaged.ptr[at - bytes.len] ^= (char)0x55;
        }
        scratch_write(path, buf_span(&damaged));
        buf_done(&damaged);
        open_it();
        expect_no_more();
        assert_int_equal(spool_set_aside(spool), 1);
        assert_int_equal(unlink(scratch_first(directory, ".bad")), 0);
        scratch_write(path, buf_span(&bytes));
    }
    open_it();
    take_and_remove(1, 0);
    buf_done(&bytes);
}

static void events_of_this_process_in_a_segment_that_is_gone_are_told_as_lost_once(void **state) {
    (void)state;
    open_it();
    append(1, 10);
    append(2, 20);
    assert_int_equal(unlink(scratch_first(directory, ".segment")), 0);
    take_and_remove(2, 20);
    struct tally lost = spool_take_lost(spool);
    assert_int_equal(lost.events, 6);
    assert_int_equal(lost.bytes, 60);
    assert_int_equal(spool_take_lost(spool).events, 0);
    assert_int_equal(spool_untaken_events(spool).events, 0);
    assert_int_equal(spool_set_aside(spool), 0);
}

static void what_is_gone_at_the_end_does_not_count_as_left_on_disk(void **state) {
    (void)state;
    open_it();
    append(1, 10);
    append(2, 20);
    assert_int_equal(unlink(scratch_first(directory, ".segment")), 0);
    assert_int_equal(spool_untaken_events(spool).events, 6);
    assert_int_equal(spool_take_lost(spool).events, 6);
}

static void events_of_an_earlier_process_are_not_counted_twice(void **state) {
    (void)state;
    open_it();
    append(1, 10);
    open_it();
    assert_int_equal(spool_untaken_events(spool).events, 0);
    assert_int_equal(unlink(scratch_first(directory, ".segment")), 0);
    expect_no_more();
    assert_int_equal(spool_take_lost(spool).events, 0);
}

static void the_next_process_sets_unfinished_files_aside(void **state) {
    (void)state;
    open_it();
    append(1, 10);
    char path[2 * SCRATCH_PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/0000000000000001.unfinished", directory);
    scratch_write(path, SPAN("KSLSEG01 but no more"));
    open_it();
    assert_int_equal(spool_set_aside(spool), 1);
    assert_int_equal(scratch_count(directory, ".bad"), 1);
    assert_int_equal(scratch_count(directory, ".unfinished"), 0);
    take_and_remove(1, 0);
    open_it();
    assert_int_equal(spool_set_aside(spool), 0); /* that was told before */
}

static void files_of_others_are_counted_and_left_alone(void **state) {
    (void)state;
    static const char *const names[] = {
        "notes.txt",
        "0000000000000001.segment.tmp",
        "000000000000001.segment",
        "000000000000000G.segment",
        "000000000000000A.segment",
        "ffffffffffffffff.segment",
        "x0000000000000001.segment",
        ".segment",
    };
    open_it();
    append(1, 10);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[2 * SCRATCH_PATH_BYTES];
        (void)snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        scratch_write(path, SPAN("somebody's"));
    }
    open_it();
    assert_int_equal(spool_set_aside(spool), sizeof names / sizeof *names - 1); /* one is hidden */
    take_and_remove(1, 0);
    expect_no_more();
    assert_int_equal(scratch_count(directory, ""), sizeof names / sizeof *names - 1);
}

/* A directory, a link, a pipe or a huge file under the name of a segment neither blocks nor costs
 * memory. */
static void what_only_has_the_name_of_a_segment_is_no_obstacle(void **state) {
    (void)state;
    char path[2 * SCRATCH_PATH_BYTES];
    open_it();
    append(9, 10);
    (void)snprintf(path, sizeof path, "%s/0000000000000001.segment", directory);
    assert_int_equal(mkdir(path, 0700), 0);
    (void)snprintf(path, sizeof path, "%s/0000000000000002.segment", directory);
    assert_int_equal(symlink("/dev/zero", path), 0);
    (void)snprintf(path, sizeof path, "%s/0000000000000003.segment", directory);
    assert_int_equal(mkfifo(path, 0600), 0);
    (void)snprintf(path, sizeof path, "%s/0000000000000004.segment", directory);
    scratch_write(path, SPAN(""));
    assert_int_equal(truncate(path, 1LL << 33), 0);
    open_it();
    take_and_remove(9, 0);
    expect_no_more();
    assert_int_equal(spool_set_aside(spool), 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(torn_and_damaged_segments_are_set_aside_and_the_others_go_on),
        TEST(no_damage_of_a_file_is_ever_taken_for_logs),
        TEST(events_of_this_process_in_a_segment_that_is_gone_are_told_as_lost_once),
        TEST(what_is_gone_at_the_end_does_not_count_as_left_on_disk),
        TEST(events_of_an_earlier_process_are_not_counted_twice),
        TEST(the_next_process_sets_unfinished_files_aside),
        TEST(files_of_others_are_counted_and_left_alone),
        TEST(what_only_has_the_name_of_a_segment_is_no_obstacle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
