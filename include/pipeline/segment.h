// SPDX-License-Identifier: MIT
/* A group of records as bytes that can lie in a file: checked when it is read back, so that what
 * was torn or is not ours is never taken for logs. Pure.
 *
 *   "KSLSEG01"  magic and version
 *   u32         CRC-32 of all that follows
 *   u64         bytes of the body once inflated
 *   body        raw DEFLATE of: u32 count; for each record u32 length, u32 key length, u32 events,
 *               u64 event bytes; then all keys; then all data
 * Numbers are little-endian. */
#pragma once

#include "base/attributes.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/span.h"
#include "pipeline/record_group.h"

enum {
    SEGMENT_HEADER_BYTES = 8 + 4 + 8,
    /* Log lines shrink to a fifth or less even at the fastest level; more effort would cost a small
     * function more processor time than the space is worth. */
    SEGMENT_COMPRESSION_LEVEL = 1,
    /* A group of the largest records, should it not shrink at all. */
    SEGMENT_BYTES_MAX = 64 * 1024 * 1024,
};

/* Appends the group. ERR_MEMORY leaves nothing of it. */
MUST_CHECK bool segment_write(const struct record_group *group, struct buf *out, struct error *err);

/* Bytes that a segment may have whose records fit the empty group. */
size_t segment_bytes_max(const struct record_group *group, size_t max_records);

/* Reads a segment into an empty group. ERR_INVALID, with the group left empty, when the bytes are
 * not exactly one segment, or hold no record, more than `max_records`, or more data or keys than
 * the group may. */
MUST_CHECK bool segment_read(struct span bytes, size_t max_records, struct record_group *ret,
                             struct error *err);
