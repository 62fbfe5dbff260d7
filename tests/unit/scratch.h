// SPDX-License-Identifier: MIT
/* A directory that a test may fill, and what it may want to do to the files in it. */
#pragma once

#include "base/buf.h"

#include <stddef.h>
#include <sys/types.h>

enum { SCRATCH_PATH_BYTES = 512 };

/* Makes a new empty directory; its path stays the same until the next. */
const char *scratch_make(void);

/* Deletes it with all that is in it. */
void scratch_remove(void);

/* The path of `name` in it; valid until the next call. */
const char *scratch_path(const char *name);

/* How many files of a directory end so, and the path of the alphabetically first of them. */
size_t scratch_count(const char *directory, const char *suffix);
const char *scratch_first(const char *directory, const char *suffix);

struct buf scratch_read(const char *path);
void scratch_write(const char *path, struct span bytes);
mode_t scratch_mode(const char *path);
