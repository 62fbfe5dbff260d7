// SPDX-License-Identifier: MIT
/* A spool in a directory that the test made, and groups that are told apart by their seeds. */
#pragma once

#include "pipeline/spool.h"

#include "../scratch.h"
#include "groups.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { LIMIT = 64 * 1024 * 1024 };

static char directory[SCRATCH_PATH_BYTES];
static struct spool *spool;

static inline int set_up(void **state) {
    (void)state;
    (void)scratch_make();
    (void)snprintf(directory, sizeof directory, "%s", scratch_path("spool"));
    return 0;
}

static inline int tear_down(void **state) {
    (void)state;
    spool_close(spool);
    spool = NULL;
    scratch_remove();
    return 0;
}

static inline void open_with(uint64_t limit_bytes) {
    struct error err = {0};
    spool_close(spool);
    spool = spool_open(directory, limit_bytes, GROUP_RECORDS_MAX, &err);
    assert_string_equal(err.message, "");
    assert_non_null(spool);
}

/* What the next process does, too. */
static inline void open_it(void) { open_with(LIMIT); }

static inline void append(unsigned seed, uint64_t position) {
    struct record_group group = group_make(seed, 3, 200);
    assert_true(spool_append(spool, &group, position, NULL));
    record_group_done(&group);
}

/* Takes the next segment, which must be this one; returns its number. */
static inline uint64_t take(unsigned seed, uint64_t position) {
    struct record_group expected = group_make(seed, 3, 200);
    struct record_group read = record_group_empty(GROUP_CEILING);
    struct spooled spooled = {0};
    assert_true(spool_take(spool, &read, &spooled));
    group_expect_same(&expected, &read);
    assert_int_equal(spooled.first_position, position);
    record_group_done(&expected);
    record_group_done(&read);
    return spooled.id;
}

static inline void take_and_remove(unsigned seed, uint64_t position) {
    spool_remove(spool, take(seed, position));
}

static inline void expect_no_more(void) {
    struct record_group read = record_group_empty(GROUP_CEILING);
    struct spooled spooled;
    assert_false(spool_take(spool, &read, &spooled));
    assert_int_equal(read.count, 0);
    assert_false(spool_has_untaken(spool));
    record_group_done(&read);
}

static inline size_t segments(void) { return scratch_count(directory, ".segment"); }

static inline void expect_refused(const char *reason) {
    struct error err = {0};
    assert_null(spool_open(directory, LIMIT, GROUP_RECORDS_MAX, &err));
    assert_int_equal(err.code, ERR_UNAVAILABLE);
    assert_non_null(strstr(err.message, reason));
}
