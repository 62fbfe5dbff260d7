// SPDX-License-Identifier: MIT
/* Records that are sent in one request: their bytes one after the other, a table beside them.
 * Belongs to one thread. Memory is kept when it is cleared, so a steady load allocates nothing. */
#pragma once

#include "base/attributes.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/span.h"

#include <stdint.h>

struct record {
    size_t offset; /* of its data in `data` */
    size_t length;
    size_t key_offset; /* of its partition key in `keys` */
    size_t key_length;
    uint32_t events;      /* how many events it holds (a part counts with the last part) */
    uint64_t event_bytes; /* of these, as they were received */
};

struct record_group {
    struct buf data;
    struct buf keys;
    struct record *records;
    size_t count;
    size_t capacity; /* of `records` */
};

/* `data_ceiling`: bytes that all records together may have. Allocates nothing. */
struct record_group record_group_empty(size_t data_ceiling);
void record_group_done(struct record_group *group);
void record_group_clear(struct record_group *group);

struct span record_group_data(const struct record_group *group, size_t index);
struct span record_group_key(const struct record_group *group, size_t index);

/* Bytes that the service counts: data and keys of all records. */
size_t record_group_bytes(const struct record_group *group);
uint64_t record_group_events(const struct record_group *group);
uint64_t record_group_event_bytes(const struct record_group *group);

/* Adds a record over the bytes of `data` from `offset` to its end. ERR_MEMORY leaves the table as
 * it was. */
MUST_CHECK bool record_group_add(struct record_group *group, size_t offset, struct span key,
                                 uint32_t events, uint64_t event_bytes, struct error *err);

/* Puts the first record behind the others. Not for an empty group. */
void record_group_rotate(struct record_group *group);

/* Keeps the records with keep[i] != 0, in their order, and forgets the others. `keep` has an entry
 * for each record. */
void record_group_retain(struct record_group *group, const uint8_t *keep);
