// SPDX-License-Identifier: MIT
/* Packs lines into the records of a group: as many in a record as fit, in the format and with the
 * partition key that the user chose, within the limits of the destination. Main thread.
 *
 * With a compressor each record is compressed as a whole when it is closed. How small it becomes is
 * known only then, so a record is filled, and lines are cut, as if nothing could be compressed:
 * whatever the bytes are, the record is within the limit (docs/adr/0010). */
#pragma once

#include "base/attributes.h"
#include "base/buf.h"
#include "base/gzip.h"
#include "pipeline/destination.h"
#include "pipeline/enricher.h"
#include "pipeline/format.h"
#include "pipeline/ledger.h"
#include "pipeline/record_group.h"

#include <stdbool.h>
#include <stdint.h>

enum partition_key {
    PARTITION_KEY_RANDOM,      /* a new one for each record: even shards */
    PARTITION_KEY_ENVIRONMENT, /* one execution environment stays in order on a shard */
    PARTITION_KEY_FUNCTION,
    PARTITION_KEY_REQUEST, /* of the events' request; of the environment where they have none */
};

/* Characters of a random key: 64 bits, more than any stream has shards to spread over. */
enum { PARTITION_KEY_RANDOM_DIGITS = 16 };

/* Spans and pointers must outlive the packer. */
struct record_packer_settings {
    const struct format *format;
    enum partition_key partition_key;
    struct span environment_id;
    struct span function_name;
    struct span envelope;               /* of the format cloudwatch, else empty */
    struct gzip_compressor *compressor; /* NULL: records stay as they are */
    size_t record_bytes;    /* to fill a record up to, data and key, before compression; one line
                             * may exceed it */
    size_t stretched_bytes; /* that it may go on to, where long lines would leave much of its last
                             * billing unit empty; when not above record_bytes, it never does */
    size_t group_bytes;     /* of a usual group: see record_packer_begin() */
    struct destination_limits limits;
};

enum pack_outcome {
    PACK_ADDED,
    PACK_GROUP_FULL, /* send this group, then add the line to the next */
    PACK_TOO_LARGE,  /* the line fits no record alone: see record_packer_line_max() */
    PACK_NO_MEMORY,  /* nothing was changed */
};

struct record_packer {
    struct record_packer_settings settings;
    struct record_group *group; /* being filled, or NULL */
    size_t group_bytes;         /* to fill it up to */
    bool open;                  /* a record is begun */
    size_t start;               /* of the open record in group->data */
    bool empty;                 /* the open record has no line yet */
    uint32_t events;            /* in the open record */
    uint64_t event_bytes;
    struct buf key;        /* of the open record */
    uint8_t random[256];   /* bytes for keys … */
    size_t random_left;    /* … of which so many were not used */
    struct tally lost;     /* in records that could not be closed, not told yet */
    struct buf compressed; /* the record that is being closed */
    size_t framing;   /* bytes of a record of one line beside the line's and the key, at worst */
    size_t expansion; /* bytes that compression may add to a record, at worst */
};

void record_packer_init(struct record_packer *packer,
                        const struct record_packer_settings *settings);
void record_packer_done(struct record_packer *packer);

/* Starts to fill an empty group with up to `bytes`, data and keys; one record may exceed that. The
 * one before must have been closed. */
void record_packer_begin(struct record_packer *packer, struct record_group *group, size_t bytes);

/* Appends a line that stands for `events` events (0 for all parts of an event but the last) of
 * `event_bytes` bytes. */
MUST_CHECK enum pack_outcome record_packer_add(struct record_packer *packer,
                                               const struct line *line, uint32_t events,
                                               uint64_t event_bytes);

/* The delivery that the lines came from is over: formats that keep deliveries apart close here. */
void record_packer_end_delivery(struct record_packer *packer);

/* Ends the last record; the group is ready to be sent. */
void record_packer_close(struct record_packer *packer);

/* Events of records that there was no memory to close, and which the group does not have; each is
 * told once. */
struct tally record_packer_take_lost(struct record_packer *packer);

/* Bytes that a line may have to fit a record alone. */
size_t record_packer_line_max(const struct record_packer *packer);
