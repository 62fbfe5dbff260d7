// SPDX-License-Identifier: MIT
#include "pipeline/shipper.h"

#include "base/crypto.h"
#include "pipeline/gathering.h"
#include "pipeline/group_source.h"
#include "pipeline/loss_report.h"
#include "pipeline/retry.h"

#include <stdlib.h>

/* How soon is tried again what there was no memory for. */
enum { STARVED_MS = 50 };

enum lane_state {
    LANE_FREE,
    LANE_SENDING,
    LANE_WAITING, /* for due_ms, to be sent again */
};

/* One request: its records, until all are delivered or dropped. */
struct lane {
    struct shipper *shipper;
    size_t index;
    enum lane_state state;
    struct record_group group;
    struct group_origin origin;
    size_t count_max;     /* records in one request; halved when it was too large */
    size_t sent;          /* records in the running request */
    enum retry_pace pace; /* of what it waits for */
    uint32_t failures;    /* in a row */
    bool retried_now;     /* the last retry was an immediate one */
    int64_t failed_ms;    /* the last time */
    int64_t due_ms;
};

struct shipper {
    struct shipper_settings settings;
    struct lane lanes[DESTINATION_LANES_MAX];
    struct group_source source;
    struct gathering gathering;
    struct loss_report losses;
    struct ledger ledger;
    int64_t deadline_ms;
    uint8_t *keep; /* one for each record of the largest request */
};

static int64_t now_ms(const struct shipper *s) { return clock_monotonic_ms(s->settings.clock); }

static void init_source(struct shipper *s) {
    const struct group_source_settings source = {
        .lines =
            {
                .queue = s->settings.queue,
                .clock = s->settings.clock,
                .enricher = s->settings.enricher,
                .ledger = &s->ledger,
                .types = s->settings.types,
                .cloudwatch = s->settings.cloudwatch,
                .observer = s->settings.events,
            },
        .packer = s->settings.packer,
        .spool = s->settings.spool,
        .spill_bytes = s->settings.spill_bytes,
        .spill_group_bytes = s->settings.spill_group_bytes,
    };
    group_source_init(&s->source, &source);
}

struct shipper *shipper_create(const struct shipper_settings *settings, struct error *err) {
    struct shipper *s = calloc(1, sizeof *s);
    uint8_t *keep = calloc(settings->packer.limits.max_records, 1);
    if (s == NULL || keep == NULL) {
        free(s);
        free(keep);
        error_set_memory(err, "the shipper");
        return NULL;
    }
    s->settings = *settings;
    s->keep = keep;
    s->deadline_ms = INT64_MAX;
    s->gathering = (struct gathering){
        .limit_ms = settings->gather_ms,
        .enough_bytes = settings->packer.group_bytes,
    };
    init_source(s);
    for (size_t i = 0; i < settings->lanes; i++) {
        s->lanes[i] = (struct lane){
            .shipper = s,
            .index = i,
            .group = group_source_new_group(&s->source),
        };
    }
    return s;
}

void shipper_destroy(struct shipper *s) {
    if (s == NULL) {
        return;
    }
    for (size_t i = 0; i < s->settings.lanes; i++) {
        s->settings.destination->cancel(s->settings.destination, i);
        record_group_done(&s->lanes[i].group);
    }
    group_source_done(&s->source);
    free(s->keep);
    free(s);
}

const struct ledger *shipper_ledger(const struct shipper *s) { return &s->ledger; }

static void drop(struct shipper *s, enum drop_cause cause, uint64_t events, uint64_t bytes) {
    ledger_add(&s->ledger.dropped[cause], events, bytes);
}

/* --- delivering: lanes become requests --- */

static int64_t time_left_ms(const struct shipper *s, int64_t now) {
    if (s->deadline_ms == INT64_MAX) {
        return -1;
    }
    return s->deadline_ms > now ? s->deadline_ms - now : 0;
}

static void wait_to_retry(struct shipper *s, struct lane *lane, enum retry_pace pace,
                          int64_t retry_after_ms) {
    uint32_t random = 0;
    if (!crypto_random(&random, sizeof random, NULL)) {
        random = UINT32_MAX; /* no jitter is better than no wait */
    }
    if (pace == PACE_NOW && lane->retried_now) {
        pace = PACE_TRANSIENT;
    }
    lane->retried_now = pace == PACE_NOW;
    lane->pace = pace;
    lane->failures++;
    int64_t now = now_ms(s);
    lane->failed_ms = now;
    lane->due_ms =
        now + retry_delay_ms(pace, lane->failures, random, retry_after_ms, time_left_ms(s, now));
    lane->state = LANE_WAITING;
}

static void report(struct shipper *s, enum retry_pace pace, const char *reason) {
    s->settings.troubles.on_trouble(s->settings.troubles.context, pace, reason);
}

static void on_delivery(void *context, const struct delivery *delivery);

static void send(struct shipper *s, struct lane *lane) {
    struct destination *destination = s->settings.destination;
    struct error err = {0};
    lane->sent = lane->count_max < lane->group.count ? lane->count_max : lane->group.count;
    lane->state = LANE_SENDING;
    if (destination->send(destination, lane->index, &lane->group, lane->sent, lane->retried_now,
                          on_delivery, lane, &err)) {
        s->ledger.requests++;
        return;
    }
    bool is_to_be_mended = err.code == ERR_INVALID || err.code == ERR_REFUSED;
    enum retry_pace pace = is_to_be_mended ? PACE_MISCONFIGURED : PACE_TRANSIENT;
    report(s, pace, err.message);
    wait_to_retry(s, lane, pace, 0);
}

static void count_delivered(struct shipper *s, const struct record *record) {
    size_t bytes = record->length + record->key_length;
    size_t unit = s->settings.packer.limits.billing_unit_bytes;
    ledger_add(&s->ledger.delivered, record->events, record->event_bytes);
    s->ledger.records++;
    s->ledger.record_bytes += bytes;
    s->ledger.payload_units += unit == 0 ? 0 : (bytes + unit - 1) / unit;
}

/* Books what became of each record that was sent; returns how many are to be sent again. */
static size_t apply_fates(struct shipper *s, struct lane *lane, const enum record_fate *fates) {
    size_t again = 0;
    for (size_t i = 0; i < lane->sent; i++) {
        const struct record *record = &lane->group.records[i];
        s->keep[i] = fates[i] == RECORD_RETRY;
        again += s->keep[i];
        if (fates[i] == RECORD_DELIVERED) {
            count_delivered(s, record);
        } else if (fates[i] == RECORD_NEVER) {
            drop(s, DROP_REFUSED, record->events, record->event_bytes);
        }
    }
    memset(s->keep + lane->sent, 1, lane->group.count - lane->sent);
    return again;
}

/* What one huge record needed is not kept for the small ones that follow. */
static void free_lane(struct shipper *s, struct lane *lane) {
    lane->state = LANE_FREE;
    if (lane->group.data.capacity > 2 * s->settings.packer.group_bytes) {
        record_group_done(&lane->group);
    }
}

/* All that was sent is settled: on with the rest of the group, if there is any. */
static void go_on(struct shipper *s, struct lane *lane) {
    if (lane->group.count == 0) {
        group_source_settled(&s->source, lane->origin);
        free_lane(s, lane);
        return;
    }
    lane->count_max *= 2;
    lane->state = LANE_WAITING;
    lane->due_ms = now_ms(s);
}

/* A record that alone waits for somebody to mend something may be the only one that has to: the
 * others get their turn, and with one of them taken it is known what its refusal means. */
static void let_others_try(struct lane *lane, enum retry_pace pace) {
    if (pace == PACE_MISCONFIGURED && lane->sent == 1) {
        record_group_rotate(&lane->group);
    }
}

static void on_delivery(void *context, const struct delivery *delivery) {
    struct lane *lane = context;
    struct shipper *s = lane->shipper;
    uint64_t delivered_before = s->ledger.records;
    size_t again = apply_fates(s, lane, delivery->fates);
    bool progress = again < lane->sent;
    record_group_retain(&lane->group, s->keep);
    if (delivery->reason[0] != '\0') {
        report(s, delivery->pace, delivery->reason);
    }
    if (progress) {
        lane->failures = 0;
        lane->retried_now = false;
    }
    if (s->ledger.records > delivered_before) {
        loss_report_push(&s->losses, &s->ledger, s->settings.queue, s->settings.clock);
    }
    if (again == 0) {
        go_on(s, lane);
        return;
    }
    s->ledger.retried_records += again;
    if (delivery->pace == PACE_SMALLER && lane->sent > 1) {
        lane->count_max = (lane->sent + 1) / 2;
        lane->failures = 0; /* this is progress, too: towards the record that is at fault */
    }
    let_others_try(lane, delivery->pace);
    wait_to_retry(s, lane, delivery->pace, delivery->retry_after_ms);
}

/* --- what the program calls --- */

/* Lanes share their memory in groups of the usual size; that of a huge record takes the shares of
 * several lanes, so that these stay empty meanwhile. */
static bool has_memory_for_group(const struct shipper *s) {
    size_t share = s->settings.packer.group_bytes;
    size_t taken = 0;
    for (size_t i = 0; i < s->settings.lanes; i++) {
        const struct lane *lane = &s->lanes[i];
        taken += lane->state == LANE_FREE ? 0 : lane->group.data.len;
    }
    return taken == 0 || taken + share <= s->settings.lanes * share;
}

static void watch_input(struct shipper *s) {
    gathering_watch(&s->gathering, group_source_has_input(&s->source), now_ms(s));
}

/* Whether there is input for a lane, and enough of it. */
static bool has_ripe_input(const struct shipper *s) {
    return group_source_has_input(&s->source) &&
           gathering_is_over(&s->gathering, batch_queue_bytes(s->settings.queue), now_ms(s));
}

static void fill_and_send(struct shipper *s, struct lane *lane) {
    if (group_source_next(&s->source, &lane->group, &lane->origin)) {
        lane->count_max = lane->group.count;
        lane->failures = 0;
        lane->retried_now = false;
        send(s, lane);
    }
}

void shipper_pump(struct shipper *s) {
    event_source_watch(&s->source.lines.events);
    watch_input(s);
    int64_t now = now_ms(s);
    for (size_t i = 0; i < s->settings.lanes; i++) {
        struct lane *lane = &s->lanes[i];
        if (lane->state == LANE_WAITING && lane->due_ms <= now) {
            send(s, lane);
        }
        if (lane->state == LANE_FREE && has_memory_for_group(s) && has_ripe_input(s)) {
            fill_and_send(s, lane);
        }
    }
    group_source_spill(&s->source);
    watch_input(s);
}

/* When the lane is to be looked at again. One that is free although there is input, and enough of
 * it, found no memory for it. */
static int64_t lane_wakeup_ms(const struct shipper *s, const struct lane *lane) {
    switch (lane->state) {
    case LANE_FREE:
        if (!has_memory_for_group(s)) {
            return INT64_MAX;
        }
        return has_ripe_input(s) ? now_ms(s) + STARVED_MS : gathering_ends_ms(&s->gathering);
    case LANE_WAITING:
        return lane->due_ms;
    case LANE_SENDING:
        break;
    }
    return INT64_MAX;
}

int64_t shipper_wakeup_ms(const struct shipper *s) {
    int64_t wakeup = event_source_wakeup_ms(&s->source.lines.events);
    for (size_t i = 0; i < s->settings.lanes; i++) {
        int64_t lane = lane_wakeup_ms(s, &s->lanes[i]);
        wakeup = lane < wakeup ? lane : wakeup;
    }
    return wakeup;
}

/* Waits for a mistake to be mended are not shortened: the next try would fail like this one. Of
 * others, what has passed counts: while the function ran, the service may have become well. */
static void shorten_wait(struct lane *lane, int64_t longest_ms) {
    if (lane->state == LANE_WAITING && lane->pace != PACE_MISCONFIGURED &&
        lane->due_ms > lane->failed_ms + longest_ms) {
        lane->due_ms = lane->failed_ms + longest_ms;
    }
}

void shipper_set_deadline(struct shipper *s, int64_t deadline_ms) {
    if (deadline_ms == s->deadline_ms) {
        return;
    }
    s->deadline_ms = deadline_ms;
    int64_t left = time_left_ms(s, now_ms(s));
    for (size_t i = 0; left >= 0 && i < s->settings.lanes; i++) {
        shorten_wait(&s->lanes[i], retry_longest_wait_ms(left));
    }
}

void shipper_interrupt(struct shipper *s) {
    for (size_t i = 0; i < s->settings.lanes; i++) {
        struct lane *lane = &s->lanes[i];
        if (lane->state == LANE_SENDING) {
            s->settings.destination->cancel(s->settings.destination, i);
            s->ledger.retried_records += lane->sent;
            lane->state = LANE_WAITING;
        }
        lane->retried_now = true;
        lane->due_ms = now_ms(s);
    }
}

void shipper_last_call(struct shipper *s, int64_t deadline_ms) {
    s->deadline_ms = deadline_ms;
    group_source_hurry(&s->source);
    s->gathering.limit_ms = 0;
    for (size_t i = 0; i < s->settings.lanes; i++) {
        if (s->lanes[i].state == LANE_WAITING) {
            s->lanes[i].due_ms = now_ms(s);
        }
    }
}

/* Records of an earlier process have no position in this one. */
static bool has_position_up_to(const struct lane *lane, uint64_t position) {
    return lane->state != LANE_FREE && lane->origin.first_position > 0 &&
           lane->origin.first_position <= position;
}

bool shipper_delivered_up_to(const struct shipper *s, uint64_t position) {
    if (group_source_first_position(&s->source) <= position) {
        return false;
    }
    for (size_t i = 0; i < s->settings.lanes; i++) {
        if (has_position_up_to(&s->lanes[i], position)) {
            return false;
        }
    }
    return true;
}

bool shipper_idle(const struct shipper *s) {
    for (size_t i = 0; i < s->settings.lanes; i++) {
        if (s->lanes[i].state != LANE_FREE) {
            return false;
        }
    }
    return !group_source_has_input(&s->source) && !event_source_is_holding(&s->source.lines.events);
}

bool shipper_has_unsearched_input(const struct shipper *s) {
    return event_source_has_unsearched(&s->source.lines.events);
}

bool shipper_foresees_runtime_done(struct shipper *s, struct span request_id) {
    return event_source_foresees_runtime_done(&s->source.lines.events, request_id);
}

void shipper_end_of_input(struct shipper *s) { event_source_end(&s->source.lines.events); }

void shipper_stop(struct shipper *s) {
    for (size_t i = 0; i < s->settings.lanes; i++) {
        struct lane *lane = &s->lanes[i];
        s->settings.destination->cancel(s->settings.destination, i);
        if (lane->state != LANE_FREE) {
            group_source_keep(&s->source, &lane->group, lane->origin);
            record_group_done(&lane->group); /* the next one to be kept takes memory, too */
            lane->state = LANE_FREE;
        }
    }
    group_source_keep_rest(&s->source);
}
