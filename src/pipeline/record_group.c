// SPDX-License-Identifier: MIT
#include "pipeline/record_group.h"

#include <stdlib.h>

enum {
    FIRST_RECORDS = 16,
    /* 500 records with keys of up to 256 characters are the most that PutRecords takes. */
    KEYS_CEILING = 512 * 1024,
};

struct record_group record_group_empty(size_t data_ceiling) {
    return (struct record_group){
        .data = buf_with_ceiling(data_ceiling),
        .keys = buf_with_ceiling(KEYS_CEILING),
    };
}

void record_group_done(struct record_group *group) {
    buf_done(&group->data);
    buf_done(&group->keys);
    free(group->records);
    group->records = NULL;
    group->count = 0;
    group->capacity = 0;
}

void record_group_clear(struct record_group *group) {
    buf_clear(&group->data);
    buf_clear(&group->keys);
    group->count = 0;
}

struct span record_group_data(const struct record_group *group, size_t index) {
    const struct record *record = &group->records[index];
    return span_of(group->data.ptr + record->offset, record->length);
}

struct span record_group_key(const struct record_group *group, size_t index) {
    const struct record *record = &group->records[index];
    return span_of(group->keys.ptr + record->key_offset, record->key_length);
}

size_t record_group_bytes(const struct record_group *group) {
    size_t bytes = 0;
    for (size_t i = 0; i < group->count; i++) {
        bytes += group->records[i].length + group->records[i].key_length;
    }
    return bytes;
}

uint64_t record_group_events(const struct record_group *group) {
    uint64_t events = 0;
    for (size_t i = 0; i < group->count; i++) {
        events += group->records[i].events;
    }
    return events;
}

uint64_t record_group_event_bytes(const struct record_group *group) {
    uint64_t bytes = 0;
    for (size_t i = 0; i < group->count; i++) {
        bytes += group->records[i].event_bytes;
    }
    return bytes;
}

static bool make_room(struct record_group *group) {
    if (group->count < group->capacity) {
        return true;
    }
    size_t capacity = group->capacity == 0 ? FIRST_RECORDS : group->capacity * 2;
    struct record *grown = reallocarray(group->records, capacity, sizeof *grown);
    if (grown == NULL) {
        return false;
    }
    group->records = grown;
    group->capacity = capacity;
    return true;
}

bool record_group_add(struct record_group *group, size_t offset, struct span key, uint32_t events,
                      uint64_t event_bytes, struct error *err) {
    size_t key_offset = group->keys.len;
    if (!make_room(group)) {
        return error_set_memory(err, "the table of records");
    }
    buf_append(&group->keys, key);
    if (buf_failed(&group->keys)) {
        group->keys.failed = false;
        return error_set_memory(err, "a partition key");
    }
    group->records[group->count++] = (struct record){
        .offset = offset,
        .length = group->data.len - offset,
        .key_offset = key_offset,
        .key_length = key.len,
        .events = events,
        .event_bytes = event_bytes,
    };
    return true;
}

void record_group_rotate(struct record_group *group) {
    struct record first = group->records[0];
    memmove(&group->records[0], &group->records[1], (group->count - 1) * sizeof first);
    group->records[group->count - 1] = first;
}

void record_group_retain(struct record_group *group, const uint8_t *keep) {
    size_t kept = 0;
    for (size_t i = 0; i < group->count; i++) {
        if (keep[i]) {
            group->records[kept++] = group->records[i];
        }
    }
    group->count = kept;
}
