// SPDX-License-Identifier: MIT
#include "pipeline/segment_directory.h"

#include "spool_case.h"

#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>

static void directory_and_files_are_for_nobody_else(void **state) {
    (void)state;
    mode_t before = umask(0);
    open_it();
    append(1, 10);
    (void)umask(before);
    assert_int_equal(scratch_mode(directory), 0700);
    assert_int_equal(scratch_mode(scratch_first(directory, ".segment")), 0600);
    assert_int_equal(scratch_count(directory, ""), 1);
}

static void a_directory_that_others_may_use_is_refused(void **state) {
    (void)state;
    static const mode_t modes[] = {0770, 0707, 0720, 0701, 0755, 01777};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        assert_int_equal(mkdir(directory, 0700), 0);
        assert_int_equal(chmod(directory, modes[i]), 0);
        expect_refused("open for somebody else");
        assert_int_equal(rmdir(directory), 0);
    }
}

static void a_directory_of_somebody_else_is_refused(void **state) {
    (void)state;
    assert_int_equal(mkdir(directory, 0700), 0);
    if (chown(directory, 12345, 12345) != 0) {
        skip(); /* only root can give it away */
    }
    expect_refused("belongs to");
}

static void a_symbolic_link_is_refused(void **state) {
    (void)state;
    assert_int_equal(mkdir(scratch_path("elsewhere"), 0700), 0);
    assert_int_equal(symlink("elsewhere", directory), 0);
    expect_refused("cannot be opened");
}

static void a_file_in_its_place_is_refused(void **state) {
    (void)state;
    scratch_write(directory, SPAN("no directory"));
    expect_refused("cannot be opened");
}

static void without_a_parent_it_is_refused(void **state) {
    (void)state;
    (void)snprintf(directory, sizeof directory, "%s", scratch_path("none/spool"));
    expect_refused("cannot be made");
}

static void a_second_process_is_locked_out_until_the_first_is_gone(void **state) {
    (void)state;
    open_it();
    append(1, 10);
    expect_refused("another process uses it");
    spool_close(spool);
    spool = NULL;
    open_it();
    take_and_remove(1, 0);
}

/* Functions clean up /tmp. */
static void a_directory_that_was_deleted_is_made_anew(void **state) {
    (void)state;
    open_it();
    append(1, 10);
    assert_int_equal(unlink(scratch_first(directory, ".segment")), 0);
    assert_int_equal(rmdir(directory), 0);
    append(2, 20);
    assert_int_equal(scratch_mode(directory), 0700);
    expect_refused("another process uses it");
    take_and_remove(2, 20);
    assert_int_equal(spool_take_lost(spool).events, 6);
    assert_int_equal(rmdir(directory), 0);
    assert_int_equal(symlink("elsewhere", directory), 0);
    struct record_group group = group_make(3, 3, 200);
    struct error err = {0};
    assert_false(spool_append(spool, &group, 30, &err));
    assert_int_equal(err.code, ERR_SYSTEM);
    assert_int_equal(unlink(directory), 0);
    assert_true(spool_append(spool, &group, 30, &err));
    take_and_remove(3, 30);
    record_group_done(&group);
}

static void nothing_is_left_of_a_segment_that_could_not_be_written(void **state) {
    (void)state;
    struct record_group group = group_make(1, 3, 200);
    struct error err = {0};
    char path[2 * SCRATCH_PATH_BYTES];
    open_it();
    (void)snprintf(path, sizeof path, "%s/%016x.unfinished", directory, 10 << 16);
    assert_int_equal(mkdir(path, 0700), 0); /* in its way */
    assert_false(spool_append(spool, &group, 10, &err));
    assert_int_equal(err.code, ERR_SYSTEM);
    assert_non_null(strstr(err.message, "cannot be written"));
    expect_no_more();
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(scratch_count(directory, ""), 0);
    assert_true(spool_append(spool, &group, 10, &err));
    take_and_remove(1, 10);
    record_group_done(&group);
}

/* --- disks and processes that are full --- */

static struct segment_directory opened(void) {
    struct segment_directory opened;
    assert_true(segment_directory_open(&opened, directory, NULL));
    return opened;
}

static void expect_content(const struct segment_directory *from, uint64_t id, struct span content) {
    struct buf bytes = buf_with_ceiling(SIZE_MAX);
    assert_int_equal(segment_directory_read(from, id, &bytes), SEGMENT_READ);
    assert_true(span_equals(buf_span(&bytes), content));
    buf_done(&bytes);
}

/* Writes more than fits over a segment that is there, which must survive it. */
static void expect_no_room(enum error_code code) {
    struct segment_directory full = opened();
    struct error err = {0};
    struct buf large = buf_with_ceiling(SIZE_MAX);
    for (int i = 0; i < 1000000; i++) {
        buf_append_char(&large, 'x');
    }
    assert_true(segment_directory_write(&full, 1, SPAN("small"), NULL));
    assert_false(segment_directory_write(&full, 1, buf_span(&large), &err));
    assert_int_equal(err.code, code);
    assert_false(segment_directory_write(&full, 2, buf_span(&large), &err));
    assert_false(segment_directory_has(&full, 2));
    assert_int_equal(scratch_count(directory, ""), 1);
    expect_content(&full, 1, SPAN("small"));
    assert_true(segment_directory_write(&full, 2, SPAN("small, too"), NULL));
    buf_done(&large);
    segment_directory_close(&full);
}

static void on_a_full_disk_nothing_is_left_of_what_did_not_fit(void **state) {
    (void)state;
    assert_int_equal(mkdir(directory, 0700), 0);
    if (mount("scratch", directory, "tmpfs", 0, "size=64k,mode=0700") != 0) {
        skip(); /* only root can make a small disk */
    }
    expect_no_room(ERR_FULL);
    assert_int_equal(umount(directory), 0);
}

static void a_file_that_may_not_grow_so_large_is_no_reason_to_die(void **state) {
    (void)state;
    struct rlimit before;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){65536, before.rlim_max}), 0);
    expect_no_room(ERR_SYSTEM);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    (void)signal(SIGXFSZ, handler);
}

/* What cannot be read now is not to be given up. */
static void without_a_descriptor_or_memory_a_segment_is_for_later(void **state) {
    (void)state;
    struct segment_directory good = opened();
    struct buf bytes = buf_with_ceiling(SIZE_MAX);
    struct rlimit before;
    assert_true(segment_directory_write(&good, 1, SPAN("text"), NULL));
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &(struct rlimit){0, before.rlim_max}), 0);
    enum segment_reading reading = segment_directory_read(&good, 1, &bytes);
    bool written = segment_directory_write(&good, 2, SPAN("text"), NULL);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(reading, SEGMENT_NOT_NOW);
    assert_false(written);
    assert_true(segment_directory_has(&good, 1));
    expect_content(&good, 1, SPAN("text"));
    buf_done(&bytes);
    segment_directory_close(&good);
}

static void a_file_larger_than_the_buffer_may_get_is_unreadable(void **state) {
    (void)state;
    struct segment_directory good = opened();
    struct buf small = buf_with_ceiling(3);
    assert_true(segment_directory_write(&good, 1, SPAN("text"), NULL));
    assert_int_equal(segment_directory_read(&good, 1, &small), SEGMENT_UNREADABLE);
    assert_int_equal(segment_directory_read(&good, 2, &small), SEGMENT_MISSING);
    buf_done(&small);
    segment_directory_close(&good);
}

static void closing_may_happen_twice(void **state) {
    (void)state;
    struct segment_directory good = opened();
    segment_directory_close(&good);
    segment_directory_close(&good);
    assert_false(segment_directory_has(&good, 1));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(directory_and_files_are_for_nobody_else),
        TEST(a_directory_that_others_may_use_is_refused),
        TEST(a_directory_of_somebody_else_is_refused),
        TEST(a_symbolic_link_is_refused),
        TEST(a_file_in_its_place_is_refused),
        TEST(without_a_parent_it_is_refused),
        TEST(a_second_process_is_locked_out_until_the_first_is_gone),
        TEST(a_directory_that_was_deleted_is_made_anew),
        TEST(nothing_is_left_of_a_segment_that_could_not_be_written),
        TEST(on_a_full_disk_nothing_is_left_of_what_did_not_fit),
        TEST(a_file_that_may_not_grow_so_large_is_no_reason_to_die),
        TEST(without_a_descriptor_or_memory_a_segment_is_for_later),
        TEST(a_file_larger_than_the_buffer_may_get_is_unreadable),
        TEST(closing_may_happen_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
