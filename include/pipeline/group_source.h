// SPDX-License-Identifier: MIT
/* Yields the groups of records that are to be sent, oldest first: those on disk before those that
 * are still events. Moves events to disk when memory runs short, and at the end. Main thread. */
#pragma once

#include "base/attributes.h"
#include "base/error.h"
#include "pipeline/ledger.h"
#include "pipeline/line_source.h"
#include "pipeline/record_group.h"
#include "pipeline/record_packer.h"
#include "pipeline/spool.h"

#include <stdbool.h>
#include <stdint.h>

/* Everything pointed to must outlive the source. */
struct group_source_settings {
    struct line_source_settings lines;
    struct record_packer_settings packer;
    struct spool *spool; /* NULL: none */
    size_t spill_bytes; /* a queue that holds more is moved to disk while nothing can be sent … */
    size_t spill_group_bytes; /* … in groups of this size */
};

/* Where a group came from. */
struct group_origin {
    uint64_t first_position; /* of its oldest event; 0: of an earlier process */
    uint64_t segment;        /* in the spool; 0: none */
};

struct group_source {
    struct group_source_settings settings;
    struct line_source lines;
    struct record_packer packer;
    /* A group that was packed for the disk, but the disk did not take it: it goes on in memory, and
     * nothing more is moved to disk until it is on its way, or the disk takes it after all. */
    struct record_group stranded;
    struct group_origin stranded_origin;
    int64_t offered_ms; /* when the disk last did not take it */
    /* A line that found no memory although nothing else is in its group. */
    unsigned starved_tries;
    int64_t starved_ms; /* of the last of them */
    bool ending;        /* there is no later */
};

void group_source_init(struct group_source *source, const struct group_source_settings *settings);
void group_source_done(struct group_source *source);

/* An empty group that is large enough for any that the source yields. */
struct record_group group_source_new_group(const struct group_source *source);

/* Fills a group, which is cleared first; false when there is nothing to send now. */
MUST_CHECK bool group_source_next(struct group_source *source, struct record_group *group,
                                  struct group_origin *ret);

/* A group's records are all delivered or dropped. */
void group_source_settled(struct group_source *source, struct group_origin origin);

/* While the queue holds too much and the spool takes it: moves the oldest events to disk. */
void group_source_spill(struct group_source *source);

/* From now on all that waits for longer than it takes to look at it is moved to disk: the end may
 * come before there is time for it. */
void group_source_hurry(struct group_source *source);

/* The end: puts the undelivered records of a group on disk, then everything that is not read yet.
 * What the spool does not take is booked as dropped by shutdown. */
void group_source_keep(struct group_source *source, const struct record_group *group,
                       struct group_origin origin);
void group_source_keep_rest(struct group_source *source);

bool group_source_has_input(const struct group_source *source);

/* The position of the oldest event that is read and in no group that was yielded. */
uint64_t group_source_first_position(const struct group_source *source);
