// SPDX-License-Identifier: MIT
#include "pipeline/event_source.h"

#include "pipeline/event.h"

/* Awake time is counted in steps of at most this, so that a freeze counts as one step. */
enum { STEP_MS = 100 };

void event_source_init(struct event_source *source, struct batch_queue *queue,
                       const struct clock *clock) {
    *source = (struct event_source){
        .queue = queue,
        .clock = clock,
        .reader = event_reader_empty(),
    };
}

void event_source_done(struct event_source *source) {
    while (source->oldest != NULL) {
        struct batch *next = source->oldest->next;
        batch_free(source->oldest);
        source->oldest = next;
    }
    source->newest = NULL;
    event_reader_done(&source->reader);
}

/* Tells the queue what no longer needs memory: everything popped but what is still here. The held
 * head of a cut record is not counted: it waits for a body that a full queue would refuse. */
static void settle_charge(struct event_source *source) {
    size_t kept = source->waiting_bytes + source->reading_bytes;
    if (source->charged_bytes > kept) {
        batch_queue_release(source->queue, source->charged_bytes - kept);
        source->charged_bytes = kept;
    }
}

static struct batch *pop_charged(struct event_source *source) {
    struct batch *batch = batch_queue_pop(source->queue);
    if (batch != NULL) {
        source->charged_bytes += batch_bytes(batch);
    }
    return batch;
}

static struct batch *take_waiting(struct event_source *source) {
    struct batch *batch = source->oldest;
    if (batch != NULL) {
        source->oldest = batch->next;
        source->newest = source->oldest == NULL ? NULL : source->newest;
        source->waiting_bytes -= batch_bytes(batch);
    }
    return batch;
}

enum reader_item event_source_next(struct event_source *source, struct event *ret) {
    enum reader_item item = event_reader_next(&source->reader, ret);
    if (item == READER_END && source->reading_bytes > 0) {
        source->reading_bytes = 0;
        source->held_awake_ms = 0;
        source->looked_ms = clock_monotonic_ms(source->clock);
        settle_charge(source);
        batch_queue_reuse(source->queue, &source->reader.body);
    }
    return item;
}

size_t event_source_skip(struct event_source *source) { return event_reader_skip(&source->reader); }

bool event_source_advance(struct event_source *source) {
    struct batch *batch = take_waiting(source);
    if (batch == NULL) {
        batch = pop_charged(source);
    }
    if (batch == NULL) {
        return false;
    }
    source->reading_bytes = batch_bytes(batch);
    source->reading_searched = batch->searched;
    event_reader_open(&source->reader, &batch->body);
    batch_free(batch);
    return true;
}

static bool has_batch(const struct event_source *source) {
    return source->oldest != NULL || !batch_queue_is_empty(source->queue);
}

bool event_source_has_input(const struct event_source *source) {
    return source->reading_bytes > 0 || source->reader.orphaned || has_batch(source);
}

bool event_source_is_holding(const struct event_source *source) {
    return event_reader_held(&source->reader) > 0;
}

/* The rest may be in a batch that only waits for its turn. */
static bool is_waiting_for_rest(const struct event_source *source) {
    return event_source_is_holding(source) && source->reading_bytes == 0 && !has_batch(source);
}

void event_source_watch(struct event_source *source) {
    if (!is_waiting_for_rest(source)) {
        return;
    }
    int64_t now = clock_monotonic_ms(source->clock);
    int64_t step = now - source->looked_ms;
    source->held_awake_ms += step < STEP_MS ? step : STEP_MS;
    source->looked_ms = now;
    if (source->held_awake_ms >= EVENT_SOURCE_HELD_MS) {
        event_reader_give_up_held(&source->reader);
    }
}

int64_t event_source_wakeup_ms(const struct event_source *source) {
    return is_waiting_for_rest(source) ? source->looked_ms + STEP_MS : INT64_MAX;
}

void event_source_end(struct event_source *source) {
    if (is_waiting_for_rest(source)) {
        event_reader_give_up_held(&source->reader);
    }
}

bool event_source_has_unsearched(const struct event_source *source) {
    bool unsearched = !batch_queue_is_empty(source->queue) ||
                      (source->reading_bytes > 0 && !source->reading_searched);
    for (struct batch *batch = source->oldest; batch != NULL; batch = batch->next) {
        unsearched |= !batch->searched;
    }
    return unsearched;
}

static void take_all(struct event_source *source) {
    for (struct batch *batch; (batch = pop_charged(source)) != NULL;) {
        if (source->newest == NULL) {
            source->oldest = batch;
        } else {
            source->newest->next = batch;
        }
        source->newest = batch;
        source->waiting_bytes += batch_bytes(batch);
    }
}

/* A body in which it is not found is not searched again. */
static bool search(const struct buf *body, bool *searched, struct span request_id) {
    *searched = *searched || !event_body_has_runtime_done(buf_span(body), request_id);
    return !*searched;
}

bool event_source_foresees_runtime_done(struct event_source *source, struct span request_id) {
    if (source->reading_bytes > 0 &&
        search(&source->reader.body, &source->reading_searched, request_id)) {
        return true;
    }
    take_all(source);
    for (struct batch *batch = source->oldest; batch != NULL; batch = batch->next) {
        if (search(&batch->body, &batch->searched, request_id)) {
            return true;
        }
    }
    return false;
}
