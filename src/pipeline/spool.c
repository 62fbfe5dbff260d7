// SPDX-License-Identifier: MIT
#include "pipeline/spool.h"

#include "pipeline/segment.h"
#include "pipeline/segment_directory.h"

#include <inttypes.h>
#include <stdlib.h>

/* A segment's number says where its events stand in the order of all: that of the process, then
 * their position, then a counter, because an event in parts may begin several segments. */
enum { COUNTER_BITS = 16 };

struct entry {
    uint64_t id;
    uint64_t bytes;
    uint64_t first_position; /* 0: of an earlier process */
    struct tally events;     /* of this process */
    bool taken;
    size_t records; /* once it is taken */
};

struct spool {
    struct segment_directory directory;
    uint64_t limit_bytes;
    size_t max_records;
    uint64_t bytes;        /* of all files */
    uint64_t first_id;     /* of this process */
    struct entry *entries; /* by number */
    size_t count;
    size_t capacity;
    struct tally lost;
    uint64_t set_aside;
};

static struct tally tally_of(const struct record_group *group) {
    return (struct tally){
        .events = record_group_events(group),
        .bytes = record_group_event_bytes(group),
    };
}

/* --- the table of segments --- */

static bool make_room(struct spool *spool) {
    if (spool->count < spool->capacity) {
        return true;
    }
    size_t capacity = spool->capacity == 0 ? 64 : spool->capacity * 2;
    struct entry *grown = reallocarray(spool->entries, capacity, sizeof *grown);
    if (grown == NULL) {
        return false;
    }
    spool->entries = grown;
    spool->capacity = capacity;
    return true;
}

/* Where the entry with this number is, or belongs. */
static size_t find(const struct spool *spool, uint64_t id) {
    size_t from = 0;
    size_t to = spool->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (spool->entries[middle].id < id) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return from;
}

static bool has(const struct spool *spool, uint64_t id) {
    size_t at = find(spool, id);
    return at < spool->count && spool->entries[at].id == id;
}

static void insert_entry(struct spool *spool, struct entry entry) {
    size_t at = find(spool, entry.id);
    memmove(&spool->entries[at + 1], &spool->entries[at],
            (spool->count - at) * sizeof *spool->entries);
    spool->entries[at] = entry;
    spool->count++;
    spool->bytes += entry.bytes;
}

static void forget_entry(struct spool *spool, size_t index) {
    spool->count--;
    memmove(&spool->entries[index], &spool->entries[index + 1],
            (spool->count - index) * sizeof *spool->entries);
}

/* --- opening --- */

static int compare_entries(const void *a, const void *b) {
    uint64_t first = ((const struct entry *)a)->id;
    uint64_t second = ((const struct entry *)b)->id;
    return first < second ? -1 : first > second;
}

/* A file that an earlier process left, or somebody else put there. */
static bool note_file(void *context, struct segment_file file) {
    struct spool *spool = context;
    if (file.kind == SEGMENT_FILE_WHOLE) {
        if (!make_room(spool)) {
            return false;
        }
        spool->entries[spool->count++] = (struct entry){.id = file.id, .bytes = file.bytes};
    }
    spool->set_aside += file.kind == SEGMENT_FILE_OTHER;
    spool->bytes += file.bytes;
    return true;
}

static bool list_files(struct spool *spool, struct error *err) {
    if (!segment_directory_list(&spool->directory, note_file, spool, err)) {
        return false;
    }
    spool->first_id = 0;
    if (spool->count > 0) {
        qsort(spool->entries, spool->count, sizeof *spool->entries, compare_entries);
        uint64_t last = spool->entries[spool->count - 1].id;
        spool->first_id = ((last >> COUNTER_BITS) + 1) << COUNTER_BITS;
    }
    return true;
}

struct spool *spool_open(const char *directory, uint64_t limit_bytes, size_t max_records,
                         struct error *err) {
    struct spool *spool = calloc(1, sizeof *spool);
    if (spool == NULL) {
        error_set_memory(err, "the spool");
        return NULL;
    }
    spool->directory.descriptor = -1;
    spool->limit_bytes = limit_bytes;
    spool->max_records = max_records;
    if (!segment_directory_open(&spool->directory, directory, err) || !list_files(spool, err)) {
        spool_close(spool);
        return NULL;
    }
    return spool;
}

void spool_close(struct spool *spool) {
    if (spool == NULL) {
        return;
    }
    segment_directory_close(&spool->directory);
    free(spool->entries);
    free(spool);
}

/* --- writing --- */

static uint64_t new_id(const struct spool *spool, uint64_t first_position) {
    uint64_t id = spool->first_id + (first_position << COUNTER_BITS);
    while (has(spool, id)) {
        id++;
    }
    return id;
}

bool spool_append(struct spool *spool, const struct record_group *group, uint64_t first_position,
                  struct error *err) {
    CLEANUP(buf_done) struct buf bytes = buf_with_ceiling(SEGMENT_BYTES_MAX);
    uint64_t id = new_id(spool, first_position);
    if (!make_room(spool)) {
        return error_set_memory(err, "the list of segments");
    }
    if (!segment_write(group, &bytes, err)) {
        return false;
    }
    if (spool->bytes > spool->limit_bytes || bytes.len > spool->limit_bytes - spool->bytes) {
        return error_set(err, ERR_FULL, "the spool holds %" PRIu64 " bytes already", spool->bytes);
    }
    if (!segment_directory_write(&spool->directory, id, buf_span(&bytes), err)) {
        return false;
    }
    insert_entry(spool, (struct entry){
                            .id = id,
                            .bytes = bytes.len,
                            .first_position = first_position,
                            .events = tally_of(group),
                        });
    return true;
}

/* What is left of a segment takes its place. */
static bool write_again(struct spool *spool, struct entry *entry,
                        const struct record_group *group) {
    CLEANUP(buf_done) struct buf bytes = buf_with_ceiling(SEGMENT_BYTES_MAX);
    if (!segment_write(group, &bytes, NULL) ||
        !segment_directory_write(&spool->directory, entry->id, buf_span(&bytes), NULL)) {
        return false;
    }
    spool->bytes += bytes.len - entry->bytes;
    entry->bytes = bytes.len;
    return true;
}

bool spool_keep(struct spool *spool, uint64_t id, const struct record_group *group) {
    if (!has(spool, id)) {
        return false;
    }
    size_t index = find(spool, id);
    struct entry *entry = &spool->entries[index];
    bool is_there = segment_directory_has(&spool->directory, id);
    bool is_whole = is_there && group->count == entry->records;
    if (!is_whole && !write_again(spool, entry, group) && !is_there) {
        spool->bytes -= entry->bytes;
        forget_entry(spool, index);
        return false;
    }
    entry->events = tally_of(group);
    entry->taken = false;
    return true;
}

/* --- reading --- */

/* A segment cannot be had: its events are lost. */
static void lose(struct spool *spool, size_t index, enum segment_reading reading) {
    struct entry entry = spool->entries[index];
    ledger_add(&spool->lost, entry.events.events, entry.events.bytes);
    if (reading == SEGMENT_MISSING) {
        spool->bytes -= entry.bytes;
    } else {
        segment_directory_set_aside(&spool->directory, entry.id);
        spool->set_aside++;
    }
    forget_entry(spool, index);
}

static enum segment_reading load(struct spool *spool, struct entry *entry,
                                 struct record_group *group) {
    CLEANUP(buf_done)
    struct buf bytes = buf_with_ceiling(segment_bytes_max(group, spool->max_records));
    struct error err = {0};
    enum segment_reading reading = segment_directory_read(&spool->directory, entry->id, &bytes);
    if (reading != SEGMENT_READ) {
        return reading;
    }
    if (!segment_read(buf_span(&bytes), spool->max_records, group, &err)) {
        return err.code == ERR_MEMORY ? SEGMENT_NOT_NOW : SEGMENT_UNREADABLE;
    }
    entry->taken = true;
    entry->records = group->count;
    return SEGMENT_READ;
}

bool spool_take(struct spool *spool, struct record_group *group, struct spooled *ret) {
    size_t i = 0;
    while (i < spool->count) {
        struct entry *entry = &spool->entries[i];
        if (entry->taken) {
            i++;
            continue;
        }
        enum segment_reading reading = load(spool, entry, group);
        if (reading == SEGMENT_READ) {
            *ret = (struct spooled){.id = entry->id, .first_position = entry->first_position};
            return true;
        }
        if (reading == SEGMENT_NOT_NOW) {
            return false;
        }
        lose(spool, i, reading);
    }
    return false;
}

void spool_remove(struct spool *spool, uint64_t id) {
    if (has(spool, id)) {
        size_t index = find(spool, id);
        segment_directory_remove(&spool->directory, id);
        spool->bytes -= spool->entries[index].bytes;
        forget_entry(spool, index);
    }
}

struct tally spool_take_lost(struct spool *spool) {
    struct tally lost = spool->lost;
    spool->lost = (struct tally){0};
    return lost;
}

/* --- what is inside --- */

bool spool_has_untaken(const struct spool *spool) {
    for (size_t i = 0; i < spool->count; i++) {
        if (!spool->entries[i].taken) {
            return true;
        }
    }
    return false;
}

uint64_t spool_first_position(const struct spool *spool) {
    uint64_t first = UINT64_MAX;
    for (size_t i = 0; i < spool->count; i++) {
        const struct entry *entry = &spool->entries[i];
        if (!entry->taken && entry->first_position > 0 && entry->first_position < first) {
            first = entry->first_position;
        }
    }
    return first;
}

struct tally spool_untaken_events(struct spool *spool) {
    struct tally sum = {0};
    size_t i = 0;
    while (i < spool->count) {
        const struct entry *entry = &spool->entries[i];
        if (!entry->taken && !segment_directory_has(&spool->directory, entry->id)) {
            lose(spool, i, SEGMENT_MISSING);
            continue;
        }
        if (!entry->taken) {
            ledger_add(&sum, entry->events.events, entry->events.bytes);
        }
        i++;
    }
    return sum;
}

uint64_t spool_set_aside(const struct spool *spool) { return spool->set_aside; }
