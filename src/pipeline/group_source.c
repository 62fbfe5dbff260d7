// SPDX-License-Identifier: MIT
#include "pipeline/group_source.h"

enum {
    /* What the disk did not take is offered to it again after this: making a segment costs time. */
    OFFER_AGAIN_MS = 1000,
    /* A line for which there is no memory is given up after this many tries, of which those count
     * that are so far apart: memory may come back within a second, and an event that needs more
     * than there will ever be must not keep the others. */
    STARVED_TRIES_MAX = 20,
    STARVED_STEP_MS = 50,
};

void group_source_init(struct group_source *source, const struct group_source_settings *settings) {
    *source = (struct group_source){.settings = *settings};
    line_source_init(&source->lines, &settings->lines);
    record_packer_init(&source->packer, &settings->packer);
    source->stranded = group_source_new_group(source);
}

void group_source_done(struct group_source *source) {
    line_source_done(&source->lines);
    record_packer_done(&source->packer);
    record_group_done(&source->stranded);
}

struct record_group group_source_new_group(const struct group_source *source) {
    const struct record_packer_settings *packer = &source->settings.packer;
    return record_group_empty(packer->group_bytes + packer->limits.max_record_bytes);
}

static size_t usual_bytes(const struct group_source *source) {
    return source->settings.packer.group_bytes;
}

static struct ledger *ledger(struct group_source *source) { return source->settings.lines.ledger; }

/* --- from events --- */

static int64_t now_ms(const struct group_source *source) {
    return clock_monotonic_ms(source->settings.lines.clock);
}

/* Whether there is no more hope that the line finds memory. */
static bool is_given_up(struct group_source *source) {
    int64_t now = now_ms(source);
    if (source->starved_tries == 0 || now - source->starved_ms >= STARVED_STEP_MS) {
        source->starved_tries++;
        source->starved_ms = now;
    }
    return source->ending || source->starved_tries > STARVED_TRIES_MAX;
}

/* Packs the line that is there; false when the group takes no more. */
static bool pack_line(struct group_source *source, const struct record_group *group) {
    struct line_source *lines = &source->lines;
    if (lines->begins_delivery) {
        record_packer_end_delivery(&source->packer);
    }
    switch (record_packer_add(&source->packer, &lines->line, line_source_events(lines),
                              line_source_event_bytes(lines))) {
    case PACK_ADDED:
        source->starved_tries = 0;
        line_source_next(lines);
        return true;
    case PACK_GROUP_FULL:
        return false;
    case PACK_TOO_LARGE:
        line_source_cut(lines, record_packer_line_max(&source->packer));
        return true;
    case PACK_NO_MEMORY:
        break;
    }
    if (group->count > 0 || !is_given_up(source)) {
        return false;
    }
    source->starved_tries = 0;
    line_source_drop(lines, DROP_NO_MEMORY);
    return true;
}

/* Of the oldest event that is in no group yet. */
static uint64_t next_position(const struct group_source *source) {
    return source->lines.position + (source->lines.filled ? 0 : 1);
}

static bool pack(struct group_source *source, struct record_group *group, size_t bytes,
                 struct group_origin *ret) {
    struct tally lost;
    do {
        *ret = (struct group_origin){.first_position = next_position(source)};
        record_group_clear(group);
        record_packer_begin(&source->packer, group, bytes);
        while (line_source_fill(&source->lines) && pack_line(source, group)) {
        }
        record_packer_close(&source->packer);
        lost = record_packer_take_lost(&source->packer);
        ledger_add(&ledger(source)->dropped[DROP_NO_MEMORY], lost.events, lost.bytes);
    } while (group->count == 0 && lost.events > 0);
    return group->count > 0;
}

/* --- from disk --- */

/* Records of an earlier process are new to this ledger. */
static void book_replayed(struct group_source *source, const struct record_group *group) {
    uint64_t events = record_group_events(group);
    uint64_t bytes = record_group_event_bytes(group);
    ledger_add(&ledger(source)->received, events, bytes);
    ledger_add(&ledger(source)->replayed, events, bytes);
}

/* Somebody deleted or damaged segments of this process. */
static void book_lost(struct group_source *source) {
    struct tally lost = spool_take_lost(source->settings.spool);
    ledger_add(&ledger(source)->dropped[DROP_DISK], lost.events, lost.bytes);
}

static bool take_spooled(struct group_source *source, struct record_group *group,
                         struct group_origin *ret) {
    struct spooled spooled = {0};
    record_group_clear(group);
    if (source->settings.spool == NULL) {
        return false;
    }
    bool taken = spool_take(source->settings.spool, group, &spooled);
    book_lost(source);
    if (!taken) {
        return false;
    }
    *ret = (struct group_origin){
        .first_position = spooled.first_position,
        .segment = spooled.id,
    };
    if (ret->first_position == 0) {
        book_replayed(source, group);
    }
    return true;
}

static bool take_stranded(struct group_source *source, struct record_group *group,
                          struct group_origin *ret) {
    if (source->stranded.count == 0) {
        return false;
    }
    record_group_done(group);
    *group = source->stranded;
    *ret = source->stranded_origin;
    source->stranded = group_source_new_group(source);
    return true;
}

bool group_source_next(struct group_source *source, struct record_group *group,
                       struct group_origin *ret) {
    return take_spooled(source, group, ret) || take_stranded(source, group, ret) ||
           pack(source, group, usual_bytes(source), ret);
}

void group_source_settled(struct group_source *source, struct group_origin origin) {
    if (origin.segment != 0) {
        spool_remove(source->settings.spool, origin.segment);
    }
}

/* --- to disk --- */

static bool put_on_disk(struct group_source *source, const struct record_group *group,
                        uint64_t first_position) {
    return source->settings.spool != NULL &&
           spool_append(source->settings.spool, group, first_position, NULL);
}

static void keep_or_drop(struct group_source *source, const struct record_group *group,
                         struct group_origin origin) {
    enum drop_cause cause = source->settings.spool == NULL ? DROP_SHUTDOWN : DROP_DISK;
    bool kept = origin.segment == 0 ? put_on_disk(source, group, origin.first_position)
                                    : spool_keep(source->settings.spool, origin.segment, group);
    if (!kept) {
        ledger_add(&ledger(source)->dropped[cause], record_group_events(group),
                   record_group_event_bytes(group));
    }
}

static bool queue_is_too_full(const struct group_source *source) {
    return batch_queue_bytes(source->settings.lines.queue) > source->settings.spill_bytes;
}

/* Moves the stranded group to disk. */
static bool offer_stranded(struct group_source *source) {
    if (!put_on_disk(source, &source->stranded, source->stranded_origin.first_position)) {
        source->offered_ms = now_ms(source);
        return false;
    }
    record_group_clear(&source->stranded);
    return true;
}

static bool is_due_again(const struct group_source *source) {
    return queue_is_too_full(source) && now_ms(source) - source->offered_ms >= OFFER_AGAIN_MS;
}

void group_source_spill(struct group_source *source) {
    struct record_group *group = &source->stranded;
    if (source->settings.spool == NULL) {
        return;
    }
    if (group->count > 0 && !(is_due_again(source) && offer_stranded(source))) {
        return;
    }
    while (queue_is_too_full(source) &&
           pack(source, group, source->settings.spill_group_bytes, &source->stranded_origin)) {
        if (!offer_stranded(source)) {
            return;
        }
    }
    record_group_done(group); /* memory is short */
}

void group_source_hurry(struct group_source *source) { source->settings.spill_bytes = 0; }

void group_source_keep(struct group_source *source, const struct record_group *group,
                       struct group_origin origin) {
    keep_or_drop(source, group, origin);
}

/* What is on disk now stays there. */
static void book_spooled(struct group_source *source) {
    if (source->settings.spool != NULL) {
        ledger(source)->spooled = spool_untaken_events(source->settings.spool);
        book_lost(source);
    }
}

void group_source_keep_rest(struct group_source *source) {
    CLEANUP(record_group_done) struct record_group group = group_source_new_group(source);
    struct group_origin origin;
    bool unreadable;
    source->ending = true;
    if (take_stranded(source, &group, &origin)) {
        keep_or_drop(source, &group, origin);
    }
    do {
        event_source_end(&source->lines.events);
        while (pack(source, &group, usual_bytes(source), &origin)) {
            keep_or_drop(source, &group, origin);
        }
        unreadable = line_source_take_unreadable(&source->lines);
        if (unreadable) {
            line_source_drop(&source->lines, DROP_NO_MEMORY);
        }
        /* The last batch may end in a cut record. */
    } while (unreadable || event_source_is_holding(&source->lines.events));
    book_spooled(source);
}

/* --- what is inside --- */

static bool has_untaken(const struct group_source *source) {
    return source->settings.spool != NULL && spool_has_untaken(source->settings.spool);
}

bool group_source_has_input(const struct group_source *source) {
    return has_untaken(source) || source->stranded.count > 0 ||
           line_source_has_input(&source->lines);
}

uint64_t group_source_first_position(const struct group_source *source) {
    uint64_t first = next_position(source);
    if (source->stranded.count > 0) {
        first = source->stranded_origin.first_position;
    }
    uint64_t spooled =
        has_untaken(source) ? spool_first_position(source->settings.spool) : UINT64_MAX;
    return spooled < first ? spooled : first;
}
