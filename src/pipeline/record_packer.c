// SPDX-License-Identifier: MIT
#include "pipeline/record_packer.h"

#include "base/crypto.h"

/* Keys longer than Kinesis takes cannot arise: a function's name has at most 140 characters and a
 * request id 63. */
enum { KEY_CEILING = 256 };

enum {
    /* A record is well filled when no more of its billing units is empty than a 20th of it. */
    UNUSED_PART = 20,
    /* Lines shorter than a fifth of a record leave little empty at its end. */
    SHORT_PART = 5,
};

/* An upper bound, since the key of the next record is chosen only when it is opened. */
static size_t key_max(const struct record_packer_settings *settings) {
    size_t fixed = settings->partition_key == PARTITION_KEY_FUNCTION ? settings->function_name.len
                                                                     : REQUEST_ID_BYTES;
    return fixed > PARTITION_KEY_RANDOM_DIGITS ? fixed : PARTITION_KEY_RANDOM_DIGITS;
}

static size_t framing_max(const struct record_packer_settings *settings) {
    const struct format *format = settings->format;
    const struct record_heading heading = {
        .partition_key.len = key_max(settings),
        .envelope = settings->envelope,
    };
    size_t opening = format->opening_bytes == NULL ? 0 : format->opening_bytes(&heading);
    return opening + format->line_framing_bytes + format->closing_bytes;
}

void record_packer_init(struct record_packer *packer,
                        const struct record_packer_settings *settings) {
    size_t limit = settings->limits.max_record_bytes;
    *packer = (struct record_packer){
        .settings = *settings,
        .key = buf_with_ceiling(KEY_CEILING),
        .compressed = buf_with_ceiling(gzip_bound(limit)),
        .framing = framing_max(settings),
        .expansion = settings->compressor == NULL ? 0 : gzip_bound(limit) - limit,
    };
}

void record_packer_done(struct record_packer *packer) {
    buf_done(&packer->key);
    buf_done(&packer->compressed);
}

void record_packer_begin(struct record_packer *packer, struct record_group *group, size_t bytes) {
    packer->group = group;
    packer->group_bytes = bytes;
    packer->random_left = 0; /* nothing of a snapshot is left in the next group */
    packer->open = false;
}

/* The next of a group's random bytes, which are asked for together: each asking is a system call.
 */
static const uint8_t *take_random(struct record_packer *packer, size_t bytes) {
    if (packer->random_left < bytes) {
        packer->random_left = 0;
        if (!crypto_random(packer->random, sizeof packer->random, NULL)) {
            return NULL;
        }
        packer->random_left = sizeof packer->random;
    }
    packer->random_left -= bytes;
    return packer->random + packer->random_left;
}

static void random_key(struct record_packer *packer) {
    const uint8_t *bytes = take_random(packer, PARTITION_KEY_RANDOM_DIGITS / 2);
    char digits[PARTITION_KEY_RANDOM_DIGITS];
    if (bytes != NULL) {
        crypto_hex(bytes, sizeof digits / 2, digits);
        buf_append(&packer->key, span_of(digits, sizeof digits));
    } else {
        buf_append(&packer->key, packer->settings.environment_id);
    }
}

static struct span request_key(const struct record_packer *packer, const struct line *line) {
    return line->request_id.len > 0 ? line->request_id : packer->settings.environment_id;
}

/* The service takes no empty key. */
static struct span function_key(const struct record_packer *packer) {
    const struct record_packer_settings *settings = &packer->settings;
    return settings->function_name.len > 0 ? settings->function_name : settings->environment_id;
}

/* Fills packer->key for a record that begins with `line`; false when there is no memory. */
static bool choose_key(struct record_packer *packer, const struct line *line) {
    buf_clear(&packer->key);
    switch (packer->settings.partition_key) {
    case PARTITION_KEY_RANDOM:
        random_key(packer);
        break;
    case PARTITION_KEY_ENVIRONMENT:
        buf_append(&packer->key, packer->settings.environment_id);
        break;
    case PARTITION_KEY_FUNCTION:
        buf_append(&packer->key, function_key(packer));
        break;
    case PARTITION_KEY_REQUEST:
        buf_append(&packer->key, request_key(packer, line));
        break;
    }
    return !buf_failed(&packer->key);
}

size_t record_packer_line_max(const struct record_packer *packer) {
    size_t around = packer->framing + packer->expansion + key_max(&packer->settings);
    size_t limit = packer->settings.limits.max_record_bytes;
    return limit > around ? limit - around : 0;
}

/* Bytes of the open record, data and key, once `line` is in it and it is closed. */
static size_t grown_bytes(const struct record_packer *packer, const struct line *line) {
    const struct format *format = packer->settings.format;
    return packer->group->data.len - packer->start + packer->key.len + line_length(line) +
           format->line_framing_bytes + format->closing_bytes;
}

static size_t unused_bytes(size_t record, size_t unit) {
    return unit == 0 ? 0 : (unit - record % unit) % unit;
}

/* Whether the open record is to go on beyond its usual size: until it is well filled, and then as
 * far as it costs no unit more. */
static bool is_worth_stretching(const struct record_packer *packer, const struct line *line,
                                size_t grown) {
    const struct record_packer_settings *settings = &packer->settings;
    const struct record_group *group = packer->group;
    size_t added = line_length(line) + settings->format->line_framing_bytes;
    size_t now = grown - added;
    size_t unused = unused_bytes(now, settings->limits.billing_unit_bytes);
    bool has_room = grown <= settings->stretched_bytes &&
                    group->data.len + group->keys.len + added + settings->format->closing_bytes <=
                        packer->group_bytes;
    return has_room && (added <= unused || unused > now / UNUSED_PART);
}

static bool fits_open_record(const struct record_packer *packer, const struct line *line) {
    const struct record_packer_settings *settings = &packer->settings;
    if (settings->format->one_line_a_record) {
        return false;
    }
    if (settings->partition_key == PARTITION_KEY_REQUEST &&
        !span_equals(buf_span(&packer->key), request_key(packer, line))) {
        return false;
    }
    size_t limit = settings->limits.max_record_bytes;
    size_t grown = grown_bytes(packer, line);
    return grown + packer->expansion <= limit &&
           (grown <= settings->record_bytes || is_worth_stretching(packer, line, grown));
}

/* What a record may grow to that begins with a line of this size. */
static size_t usual_bytes(const struct record_packer_settings *settings, size_t line) {
    bool is_long = line > settings->record_bytes / SHORT_PART;
    return is_long && settings->stretched_bytes > settings->record_bytes ? settings->stretched_bytes
                                                                         : settings->record_bytes;
}

/* Whether one more record may be opened. Room is asked for all that it may grow to, because what is
 * in an open record cannot be moved to the next group. */
static bool fits_group(const struct record_packer *packer, const struct line *line) {
    const struct record_packer_settings *settings = &packer->settings;
    const struct record_group *group = packer->group;
    if (group->count == 0) {
        return true;
    }
    size_t record = line_length(line) + packer->framing + key_max(settings);
    size_t usual = usual_bytes(settings, record);
    if (!settings->format->one_line_a_record && record < usual) {
        record = usual;
    }
    record += packer->expansion;
    return group->data.len + group->keys.len + record <= packer->group_bytes &&
           group->count < settings->limits.max_records;
}

/* Room for it was made with each line. */
static void compress(struct record_packer *packer) {
    struct buf *data = &packer->group->data;
    struct buf *compressed = &packer->compressed;
    struct span record = span_skip(buf_span(data), packer->start);
    buf_clear(compressed);
    if (gzip_append(packer->settings.compressor, compressed, record, NULL)) {
        buf_truncate(data, packer->start);
        buf_append(data, buf_span(compressed));
    }
}

static void lose_record(struct record_packer *packer) {
    struct record_group *group = packer->group;
    const struct record *record = &group->records[--group->count];
    buf_truncate(&group->data, packer->start);
    buf_truncate(&group->keys, record->key_offset);
    ledger_add(&packer->lost, packer->events, packer->event_bytes);
}

struct tally record_packer_take_lost(struct record_packer *packer) {
    struct tally lost = packer->lost;
    packer->lost = (struct tally){0};
    return lost;
}

void record_packer_close(struct record_packer *packer) {
    if (!packer->open) {
        return;
    }
    packer->open = false;
    const struct format *format = packer->settings.format;
    struct record_group *group = packer->group;
    if (format->close != NULL && !format->close(&group->data, packer->start)) {
        lose_record(packer);
        return;
    }
    if (packer->settings.compressor != NULL) {
        compress(packer);
    }
    /* The table entry was made when the record was opened; only its size was not known yet. */
    struct record *record = &group->records[group->count - 1];
    record->length = group->data.len - packer->start;
    record->events = packer->events;
    record->event_bytes = packer->event_bytes;
}

static bool reserve_compressed(struct record_packer *packer, size_t needed) {
    if (packer->settings.compressor == NULL) {
        return true;
    }
    size_t open = packer->open ? packer->group->data.len - packer->start : 0;
    buf_clear(&packer->compressed);
    return buf_reserve(&packer->compressed, open + needed) != NULL;
}

/* Makes room for all that is appended with the line until its record is closed, so that none of it
 * can fail. */
static bool reserve(struct record_packer *packer, const struct line *line) {
    struct buf *data = &packer->group->data;
    size_t needed = line_length(line) + packer->framing + packer->expansion;
    bool reserved = buf_reserve(data, needed) != NULL;
    data->failed = false;
    return reserved && reserve_compressed(packer, needed);
}

static bool open_record(struct record_packer *packer, const struct line *line) {
    struct record_group *group = packer->group;
    if (!choose_key(packer, line) ||
        !record_group_add(group, group->data.len, buf_span(&packer->key), 0, 0, NULL)) {
        return false;
    }
    packer->start = group->data.len;
    packer->empty = true;
    packer->events = 0;
    packer->event_bytes = 0;
    packer->open = true;
    if (packer->settings.format->open != NULL) {
        const struct record_heading heading = {
            .partition_key = buf_span(&packer->key),
            .envelope = packer->settings.envelope,
        };
        packer->settings.format->open(&group->data, &heading);
    }
    return true;
}

enum pack_outcome record_packer_add(struct record_packer *packer, const struct line *line,
                                    uint32_t events, uint64_t event_bytes) {
    if (line_length(line) > record_packer_line_max(packer)) {
        return PACK_TOO_LARGE;
    }
    if (packer->open && !fits_open_record(packer, line)) {
        record_packer_close(packer);
    }
    if (!packer->open && !fits_group(packer, line)) {
        return PACK_GROUP_FULL;
    }
    if (!reserve(packer, line) || (!packer->open && !open_record(packer, line))) {
        return PACK_NO_MEMORY;
    }
    packer->settings.format->append(&packer->group->data, line, packer->empty);
    packer->empty = false;
    packer->events += events;
    packer->event_bytes += event_bytes;
    return PACK_ADDED;
}

void record_packer_end_delivery(struct record_packer *packer) {
    if (packer->settings.format->one_delivery_a_record) {
        record_packer_close(packer);
    }
}
