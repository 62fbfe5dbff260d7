// SPDX-License-Identifier: MIT
#include "scratch.h"

#include <dirent.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char scratch[SCRATCH_PATH_BYTES / 2];

const char *scratch_make(void) {
    const char *parent = getenv("TMPDIR");
    int length =
        snprintf(scratch, sizeof scratch, "%s/scratch-XXXXXX", parent == NULL ? "/tmp" : parent);
    assert_in_range(length, 1, sizeof scratch - 1);
    assert_non_null(mkdtemp(scratch));
    return scratch;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *where) {
    (void)status;
    (void)type;
    (void)where;
    return remove(path);
}

void scratch_remove(void) {
    if (scratch[0] != '\0') {
        assert_int_equal(nftw(scratch, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
        scratch[0] = '\0';
    }
}

const char *scratch_path(const char *name) {
    static char path[SCRATCH_PATH_BYTES];
    (void)snprintf(path, sizeof path, "%s/%s", scratch, name);
    return path;
}

/* The alphabetically first file of a directory that ends so, "" when there is none. */
static size_t look(const char *directory, const char *suffix, char first[SCRATCH_PATH_BYTES]) {
    DIR *listing = opendir(directory);
    size_t count = 0;
    assert_non_null(listing);
    first[0] = '\0';
    for (struct dirent *file; (file = readdir(listing)) != NULL;) {
        if (file->d_name[0] == '.' ||
            !span_ends_with(span_of_text(file->d_name), span_of_text(suffix))) {
            continue;
        }
        if (count++ == 0 || strcmp(file->d_name, first) < 0) {
            (void)snprintf(first, SCRATCH_PATH_BYTES, "%s", file->d_name);
        }
    }
    (void)closedir(listing);
    return count;
}

size_t scratch_count(const char *directory, const char *suffix) {
    char first[SCRATCH_PATH_BYTES];
    return look(directory, suffix, first);
}

const char *scratch_first(const char *directory, const char *suffix) {
    static char path[2 * SCRATCH_PATH_BYTES];
    char first[SCRATCH_PATH_BYTES];
    assert_true(look(directory, suffix, first) > 0);
    (void)snprintf(path, sizeof path, "%s/%s", directory, first);
    return path;
}

struct buf scratch_read(const char *path) {
    struct buf bytes = buf_with_ceiling(SIZE_MAX);
    FILE *file = fopen(path, "rb");
    char part[4096];
    assert_non_null(file);
    for (size_t got; (got = fread(part, 1, sizeof part, file)) > 0;) {
        buf_append(&bytes, span_of(part, got));
    }
    (void)fclose(file);
    return bytes;
}

void scratch_write(const char *path, struct span bytes) {
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes.ptr, 1, bytes.len, file), bytes.len);
    assert_int_equal(fclose(file), 0);
}

mode_t scratch_mode(const char *path) {
    struct stat status;
    assert_int_equal(lstat(path, &status), 0);
    return status.st_mode & 07777;
}
