// SPDX-License-Identifier: MIT
#include "app/hold.h"

#include <stdio.h>

static void end_by(struct hold *hold, int64_t time_ms) {
    if (time_ms < hold->ends_ms) {
        hold->ends_ms = time_ms;
    }
}

void hold_init(struct hold *hold, struct hold_settings settings) {
    *hold = (struct hold){
        .settings = settings,
        .ends_ms = INT64_MAX,
        .full_ends_ms = INT64_MAX,
    };
}

static bool is_ours(const struct hold *hold, struct span request_id) {
    return span_equals(request_id, span_of_text(hold->request_id));
}

static int64_t silence_ends_ms(const struct hold *hold, int64_t now_ms) {
    int64_t silence_ms = hold->heard ? HOLD_SILENCE_MS : HOLD_FIRST_SILENCE_MS;
    return now_ms + hold->settings.timeout_ms + silence_ms;
}

void hold_begin(struct hold *hold, bool waits, const char *request_id, int64_t now_ms,
                int64_t deadline_ms) {
    struct early_event early = hold->early;
    int64_t total_ms = hold->total_ms;
    bool deaf = hold->deaf;
    hold_init(hold, hold->settings);
    hold->active = true;
    hold->deaf = deaf;
    hold->waits = waits && !deaf;
    hold->total_ms = total_ms;
    (void)snprintf(hold->request_id, sizeof hold->request_id, "%s", request_id);
    hold->latest_ms = deadline_ms == INT64_MAX ? INT64_MAX : deadline_ms - HOLD_MARGIN_MS;
    hold->ends_ms = hold->latest_ms;
    end_by(hold, hold->waits ? silence_ends_ms(hold, now_ms) : now_ms);
    if (is_ours(hold, span_of_text(early.request_id))) {
        hold_on_event(hold, early.kind, span_of_text(early.request_id), early.position, now_ms);
    }
}

static void runtime_is_done(struct hold *hold, int64_t now_ms) {
    if (!hold->runtime_done) {
        hold->runtime_done = true;
        hold->done_ms = now_ms;
        hold->ends_ms = hold->latest_ms;
        end_by(hold, now_ms + hold->settings.hold_ms);
    }
}

/* Something came, so the silence begins anew; but where some was lost, the end may be, too. */
static void hear(struct hold *hold, int64_t now_ms) {
    hold->heard = true;
    hold->ends_ms = hold->latest_ms;
    end_by(hold, hold->lost_some ? now_ms + hold->settings.hold_ms : silence_ends_ms(hold, now_ms));
}

static void note_early(struct hold *hold, enum event_kind kind, struct span request_id,
                       uint64_t position) {
    if (kind == EVENT_START || kind == EVENT_RUNTIME_DONE) {
        struct early_event *early = &hold->early;
        early->kind = kind;
        early->position = position;
        (void)snprintf(early->request_id, sizeof early->request_id, "%.*s", SPAN_ARGS(request_id));
    }
}

void hold_on_event(struct hold *hold, enum event_kind kind, struct span request_id,
                   uint64_t position, int64_t now_ms) {
    hold->deaf = false;
    if (!hold->active) {
        note_early(hold, kind, request_id, position);
        return;
    }
    if (!hold->waits) {
        return;
    }
    if (kind == EVENT_RUNTIME_DONE && is_ours(hold, request_id)) {
        runtime_is_done(hold, now_ms);
        hold->runtime_done_read = true;
        hold->done_position = position;
    } else if (!hold->runtime_done) {
        hold->lost_some |= kind == EVENT_LOGS_DROPPED;
        hear(hold, now_ms);
    }
}

void hold_on_runtime_done_foreseen(struct hold *hold, int64_t now_ms) {
    runtime_is_done(hold, now_ms);
}

void hold_on_queue(struct hold *hold, bool is_full, int64_t now_ms) {
    if (!is_full || !hold_waits_for_runtime_done(hold)) {
        hold->full_ends_ms = INT64_MAX;
    } else if (hold->full_ends_ms == INT64_MAX) {
        hold->full_ends_ms = now_ms + hold->settings.hold_ms;
    }
}

bool hold_waits_for_runtime_done(const struct hold *hold) {
    return hold->active && hold->waits && !hold->runtime_done;
}

bool hold_needs_delivery(const struct hold *hold, uint64_t *ret_position) {
    *ret_position = hold->done_position;
    return hold->active && hold->runtime_done_read;
}

int64_t hold_ends_ms(const struct hold *hold) {
    int64_t ends = hold->full_ends_ms < hold->ends_ms ? hold->full_ends_ms : hold->ends_ms;
    return hold->active ? ends : INT64_MAX;
}

int64_t hold_delivery_ends_ms(const struct hold *hold) {
    return hold->active && hold->runtime_done ? hold->ends_ms : INT64_MAX;
}

void hold_end(struct hold *hold, int64_t now_ms) {
    if (hold->active && hold->runtime_done) {
        hold->total_ms += now_ms - hold->done_ms;
    }
    hold->deaf |= hold->active && hold->waits && !hold->heard && !hold->runtime_done;
    hold->active = false;
}
