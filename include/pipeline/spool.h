// SPDX-License-Identifier: MIT
/* Records on disk: what does not fit the memory, and what a shutdown left undelivered. First in,
 * first out, also across processes of one execution environment.
 *
 * A directory of its own (segment_directory.h) holds a file for each group of records. A file that
 * is torn, or is not a segment, is set aside and counted; it still counts against the limit. One
 * process at a time: a second one gets an error.
 *
 * Reads and writes block for as long as the local disk takes. Main thread. */
#pragma once

#include "base/attributes.h"
#include "base/error.h"
#include "pipeline/ledger.h"
#include "pipeline/record_group.h"

#include <stdbool.h>
#include <stdint.h>

struct spool;

/* `directory` is created when it is missing. `limit_bytes`: of all files together.
 * `max_records`: a segment of more is not one of ours. ERR_UNAVAILABLE when the directory
 * cannot be used (the message says why): the program goes on without a spool. */
MUST_CHECK struct spool *spool_open(const char *directory, uint64_t limit_bytes, size_t max_records,
                                    struct error *err);

/* Leaves the files where they are. NULL is fine. */
void spool_close(struct spool *spool);

/* Writes a group as a new segment. `first_position`: of its oldest event (line_source.h), which
 * decides on its place among the segments of this process. ERR_FULL when the limit or the disk does
 * not allow it, ERR_SYSTEM or ERR_MEMORY; then nothing was written. */
MUST_CHECK bool spool_append(struct spool *spool, const struct record_group *group,
                             uint64_t first_position, struct error *err);

/* What spool_take() has found. */
struct spooled {
    uint64_t id;             /* for spool_remove() */
    uint64_t first_position; /* 0: of an earlier process */
};

/* Reads the oldest segment that was not taken yet into an empty group; its file stays until it is
 * removed. False when there is none. Segments that cannot be read are set aside on the way. */
MUST_CHECK bool spool_take(struct spool *spool, struct record_group *group, struct spooled *ret);

/* The records of a taken segment are all delivered or dropped: forgets it and deletes the file. */
void spool_remove(struct spool *spool, uint64_t id);

/* Gives a taken segment back, of which only the records of `group` are left: they take its place,
 * or, if that cannot be written, all of it stays, and what was delivered may be so again. False
 * when its file is gone and cannot be written again: then it is forgotten. */
MUST_CHECK bool spool_keep(struct spool *spool, uint64_t id, const struct record_group *group);

/* Events of this process that were in segments which are gone or cannot be read; each is told once.
 */
struct tally spool_take_lost(struct spool *spool);

/* Whether spool_take() may find something. */
bool spool_has_untaken(const struct spool *spool);

/* The oldest position in a segment of this process that was not taken; UINT64_MAX when there is
 * none. */
uint64_t spool_first_position(const struct spool *spool);

/* Events of this process in segments that were not taken, and whose files are still there. */
struct tally spool_untaken_events(struct spool *spool);

/* Files that were set aside, or were there and are not ours. */
uint64_t spool_set_aside(const struct spool *spool);
