// SPDX-License-Identifier: MIT
/* The directory that segments lie in: a file for each, named by its number, mode 0600, written
 * under another name and renamed when it is whole. The directory is ours alone: mode 0700, not
 * through a symbolic link, locked against other processes.
 *
 * No fsync: a frozen environment keeps its page cache, and one that dies loses its disk as well.
 * Calls block for as long as the local disk takes. */
#pragma once

#include "base/attributes.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/span.h"

#include <stdbool.h>
#include <stdint.h>

struct segment_directory {
    int descriptor; /* -1: not open */
    char *path;
};

/* Makes the directory when it is missing. ERR_UNAVAILABLE (the message says why) or ERR_MEMORY. */
MUST_CHECK bool segment_directory_open(struct segment_directory *directory, const char *path,
                                       struct error *err);

/* Leaves the files where they are. A closed one is fine. */
void segment_directory_close(struct segment_directory *directory);

enum segment_file_kind {
    SEGMENT_FILE_WHOLE,     /* by its name */
    SEGMENT_FILE_SET_ASIDE, /* earlier */
    SEGMENT_FILE_OTHER,     /* not ours, or torn and set aside just now */
};

struct segment_file {
    enum segment_file_kind kind;
    uint64_t id; /* of a whole one */
    uint64_t bytes;
};

/* Calls `on_file` for each file until it returns false (for lack of memory). */
MUST_CHECK bool segment_directory_list(const struct segment_directory *directory,
                                       bool (*on_file)(void *context, struct segment_file file),
                                       void *context, struct error *err);

/* Puts a segment in its place, also in that of an older one with the same number. When somebody has
 * deleted the directory, it is made anew. ERR_FULL when the disk is, else ERR_SYSTEM; what was
 * there before is still there then. */
MUST_CHECK bool segment_directory_write(struct segment_directory *directory, uint64_t id,
                                        struct span bytes, struct error *err);

enum segment_reading {
    SEGMENT_READ,
    SEGMENT_MISSING,
    SEGMENT_UNREADABLE, /* or larger than the ceiling of the buffer */
    SEGMENT_NOT_NOW,    /* for lack of memory or file descriptors */
};

MUST_CHECK enum segment_reading segment_directory_read(const struct segment_directory *directory,
                                                       uint64_t id, struct buf *ret);

bool segment_directory_has(const struct segment_directory *directory, uint64_t id);
void segment_directory_remove(const struct segment_directory *directory, uint64_t id);

/* Out of the way, but not deleted: somebody may want to see it. */
void segment_directory_set_aside(const struct segment_directory *directory, uint64_t id);
