// SPDX-License-Identifier: MIT
#include "pipeline/segment.h"

#include "base/gzip.h"

#include <stdint.h>

#define MAGIC SPAN("KSLSEG01")

enum { COUNT_BYTES = 4, RECORD_ENTRY_BYTES = 4 + 4 + 4 + 8 };

/* --- numbers --- */

static void append_number(struct buf *out, uint64_t value, size_t bytes) {
    for (size_t i = 0; i < bytes; i++) {
        buf_append_char(out, (char)(value >> (8 * i) & 0xff));
    }
}

/* Cuts a number off the front; false when there are not enough bytes. */
static bool take_number(struct span *rest, size_t bytes, uint64_t *ret) {
    if (rest->len < bytes) {
        return false;
    }
    *ret = 0;
    for (size_t i = 0; i < bytes; i++) {
        *ret |= (uint64_t)(uint8_t)rest->ptr[i] << (8 * i);
    }
    *rest = span_skip(*rest, bytes);
    return true;
}

static bool take_span(struct span *rest, uint64_t bytes, struct span *ret) {
    if (rest->len < bytes) {
        return false;
    }
    *ret = span_first(*rest, (size_t)bytes);
    *rest = span_skip(*rest, (size_t)bytes);
    return true;
}

/* --- writing --- */

static void append_body(const struct record_group *group, struct buf *body) {
    append_number(body, group->count, COUNT_BYTES);
    for (size_t i = 0; i < group->count; i++) {
        const struct record *record = &group->records[i];
        append_number(body, record->length, 4);
        append_number(body, record->key_length, 4);
        append_number(body, record->events, 4);
        append_number(body, record->event_bytes, 8);
    }
    for (size_t i = 0; i < group->count; i++) {
        buf_append(body, record_group_key(group, i));
    }
    for (size_t i = 0; i < group->count; i++) {
        buf_append(body, record_group_data(group, i));
    }
}

/* Over all that follows it. */
static void fill_in_sum(struct span segment, char *sum) {
    uint32_t value = crc32_of(span_skip(segment, MAGIC.len + 4));
    for (size_t i = 0; i < 4; i++) {
        sum[i] = (char)(value >> (8 * i) & 0xff);
    }
}

bool segment_write(const struct record_group *group, struct buf *out, struct error *err) {
    CLEANUP(buf_done) struct buf body = buf_with_ceiling(SEGMENT_BYTES_MAX);
    size_t start = out->len;
    append_body(group, &body);
    buf_append(out, MAGIC);
    append_number(out, 0, 4);
    append_number(out, body.len, 8);
    if (buf_failed(&body) || buf_failed(out) ||
        !deflate_append(out, buf_span(&body), SEGMENT_COMPRESSION_LEVEL, NULL)) {
        buf_truncate(out, start);
        return error_set_memory(err, "a segment");
    }
    fill_in_sum(span_skip(buf_span(out), start), out->ptr + start + MAGIC.len);
    return true;
}

/* --- reading --- */

/* The largest body that the group can hold: what claims to be more is not worth inflating. */
static size_t body_max(const struct record_group *group, size_t max_records) {
    return COUNT_BYTES + max_records * RECORD_ENTRY_BYTES + group->keys.ceiling +
           group->data.ceiling;
}

/* What does not shrink grows by a few bytes for each block. */
size_t segment_bytes_max(const struct record_group *group, size_t max_records) {
    size_t body = body_max(group, max_records);
    return SEGMENT_HEADER_BYTES + body + body / 256 + 64;
}

/* Checks magic and sum, and inflates the body. */
static bool open_body(struct span bytes, struct buf *body, struct error *err) {
    uint64_t sum = 0;
    uint64_t inflated = 0;
    struct span rest = span_skip(bytes, MAGIC.len);
    if (!span_starts_with(bytes, MAGIC) || !take_number(&rest, 4, &sum) || sum != crc32_of(rest) ||
        !take_number(&rest, 8, &inflated) || inflated > body->ceiling) {
        return error_set(err, ERR_INVALID, "not a whole segment");
    }
    return inflate_append(body, rest, (size_t)inflated, err);
}

/* The three parts of a body, whose sizes the table gives. */
struct parts {
    struct span table;
    struct span keys;
    struct span data;
};

static bool take_entry(struct span *table, struct record *ret) {
    uint64_t length = 0;
    uint64_t key_length = 0;
    uint64_t events = 0;
    if (!take_number(table, 4, &length) || !take_number(table, 4, &key_length) ||
        !take_number(table, 4, &events) || !take_number(table, 8, &ret->event_bytes)) {
        return false;
    }
    ret->length = (size_t)length;
    ret->key_length = (size_t)key_length;
    ret->events = (uint32_t)events;
    return true;
}

static bool split_body(struct span body, size_t max_records, struct parts *ret) {
    uint64_t count = 0;
    uint64_t keys = 0;
    uint64_t data = 0;
    if (!take_number(&body, COUNT_BYTES, &count) || count == 0 || count > max_records ||
        !take_span(&body, count * RECORD_ENTRY_BYTES, &ret->table)) {
        return false;
    }
    struct span table = ret->table;
    for (struct record record = {0}; take_entry(&table, &record);) {
        keys += record.key_length;
        data += record.length;
    }
    return take_span(&body, keys, &ret->keys) && take_span(&body, data, &ret->data) &&
           body.len == 0;
}

static bool add_records(struct parts parts, struct record_group *ret, struct error *err) {
    for (struct record record = {0}; take_entry(&parts.table, &record);) {
        size_t start = ret->data.len;
        buf_append(&ret->data, span_first(parts.data, record.length));
        if (buf_failed(&ret->data) ||
            !record_group_add(ret, start, span_first(parts.keys, record.key_length), record.events,
                              record.event_bytes, NULL)) {
            return error_set_memory(err, "the records of a segment");
        }
        parts.data = span_skip(parts.data, record.length);
        parts.keys = span_skip(parts.keys, record.key_length);
    }
    return true;
}

bool segment_read(struct span bytes, size_t max_records, struct record_group *ret,
                  struct error *err) {
    CLEANUP(buf_done) struct buf body = buf_with_ceiling(body_max(ret, max_records));
    struct parts parts = {0};
    if (!open_body(bytes, &body, err)) {
        return false;
    }
    if (!split_body(buf_span(&body), max_records, &parts) || parts.data.len > ret->data.ceiling ||
        parts.keys.len > ret->keys.ceiling) {
        return error_set(err, ERR_INVALID, "a segment with sizes that do not add up");
    }
    if (!add_records(parts, ret, err)) {
        record_group_clear(ret);
        return false;
    }
    return true;
}
