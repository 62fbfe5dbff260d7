// SPDX-License-Identifier: MIT
#include "pipeline/batch_queue.h"

#include <pthread.h>
#include <stdlib.h>

struct batch_queue {
    size_t limit_bytes;
    pthread_mutex_t mutex;
    struct {
        struct batch *oldest;
        struct batch **end; /* where the next batch is linked in */
        size_t bytes;       /* of the batches inside and of those popped but not released */
        struct buf reusable[BATCH_REUSED_MAX];
    } shared; /* only with the mutex held */
};

void batch_free(struct batch *batch) {
    if (batch != NULL) {
        buf_done(&batch->body);
        free(batch);
    }
}

struct batch_queue *batch_queue_create(size_t limit_bytes, struct error *err) {
    struct batch_queue *queue = calloc(1, sizeof *queue);
    if (queue == NULL || pthread_mutex_init(&queue->mutex, NULL) != 0) {
        free(queue);
        error_set_memory(err, "the queue");
        return NULL;
    }
    queue->limit_bytes = limit_bytes;
    queue->shared.end = &queue->shared.oldest;
    return queue;
}

/* In a burst, what waits for reuse would come on top of the limit. */
static bool is_half_full_locked(const struct batch_queue *queue) {
    return queue->shared.bytes > queue->limit_bytes / 2;
}

/* Moves what waits for reuse to `ret`, to be freed without the lock. */
static void take_all_reusable_locked(struct batch_queue *queue, struct buf ret[BATCH_REUSED_MAX]) {
    for (size_t i = 0; i < BATCH_REUSED_MAX; i++) {
        ret[i] = buf_take(&queue->shared.reusable[i]);
    }
}

static void free_all(struct buf memories[BATCH_REUSED_MAX]) {
    for (size_t i = 0; i < BATCH_REUSED_MAX; i++) {
        buf_done(&memories[i]);
    }
}

void batch_queue_destroy(struct batch_queue *queue) {
    if (queue == NULL) {
        return;
    }
    for (struct batch *batch = queue->shared.oldest; batch != NULL;) {
        struct batch *next = batch->next;
        batch_free(batch);
        batch = next;
    }
    free_all(queue->shared.reusable);
    (void)pthread_mutex_destroy(&queue->mutex);
    free(queue);
}

static bool has_room_locked(const struct batch_queue *queue, size_t bytes) {
    return queue->shared.bytes == 0 ||
           (bytes <= queue->limit_bytes && queue->shared.bytes <= queue->limit_bytes - bytes);
}

static bool link_locked(struct batch_queue *queue, struct batch *batch) {
    if (!has_room_locked(queue, batch_bytes(batch))) {
        return false;
    }
    *queue->shared.end = batch;
    queue->shared.end = &batch->next;
    queue->shared.bytes += batch_bytes(batch);
    return true;
}

bool batch_queue_push(struct batch_queue *queue, struct buf *body, struct error *err) {
    struct batch *batch = calloc(1, sizeof *batch);
    if (batch == NULL) {
        return error_set_memory(err, "a batch of the queue");
    }
    batch->body = buf_take(body);
    (void)pthread_mutex_lock(&queue->mutex);
    bool linked = link_locked(queue, batch);
    (void)pthread_mutex_unlock(&queue->mutex);
    if (!linked) {
        *body = buf_take(&batch->body);
        batch_free(batch);
        return error_set(err, ERR_FULL, "the queue holds %zu bytes already", queue->limit_bytes);
    }
    return true;
}

static struct batch *unlink_locked(struct batch_queue *queue) {
    struct batch *batch = queue->shared.oldest;
    if (batch != NULL) {
        queue->shared.oldest = batch->next;
        if (batch->next == NULL) {
            queue->shared.end = &queue->shared.oldest;
        }
    }
    return batch;
}

struct batch *batch_queue_pop(struct batch_queue *queue) {
    (void)pthread_mutex_lock(&queue->mutex);
    struct batch *batch = unlink_locked(queue);
    (void)pthread_mutex_unlock(&queue->mutex);
    if (batch != NULL) {
        batch->next = NULL;
    }
    return batch;
}

void batch_queue_release(struct batch_queue *queue, size_t bytes) {
    (void)pthread_mutex_lock(&queue->mutex);
    queue->shared.bytes -= bytes < queue->shared.bytes ? bytes : queue->shared.bytes;
    (void)pthread_mutex_unlock(&queue->mutex);
}

/* Leaves the oldest of all in *body: those to come are as large as the latest. */
static void keep_latest_locked(struct batch_queue *queue, struct buf *body) {
    for (size_t i = 0; i < BATCH_REUSED_MAX; i++) {
        struct buf older = queue->shared.reusable[i];
        queue->shared.reusable[i] = *body;
        *body = older;
    }
}

void batch_queue_reuse(struct batch_queue *queue, struct buf *body) {
    buf_clear(body);
    if (body->capacity >= BATCH_REUSED_BYTES_MIN && body->capacity <= BATCH_REUSED_BYTES_MAX) {
        (void)pthread_mutex_lock(&queue->mutex);
        if (!is_half_full_locked(queue)) {
            keep_latest_locked(queue, body);
        }
        (void)pthread_mutex_unlock(&queue->mutex);
    }
    buf_done(body);
}

static bool is_nearly_filled(const struct buf *memory, size_t length) {
    size_t capacity = memory->capacity;
    return capacity > 0 && length >= capacity - capacity / 8;
}

static struct buf take_reusable_locked(struct batch_queue *queue, size_t length) {
    for (size_t i = 0; i < BATCH_REUSED_MAX; i++) {
        if (is_nearly_filled(&queue->shared.reusable[i], length)) {
            return buf_take(&queue->shared.reusable[i]);
        }
    }
    return buf_with_ceiling(length);
}

struct buf batch_queue_memory_for(struct batch_queue *queue, size_t length) {
    struct buf memory = {.failed = true};
    struct buf dropped[BATCH_REUSED_MAX] = {0};
    (void)pthread_mutex_lock(&queue->mutex);
    if (is_half_full_locked(queue)) {
        take_all_reusable_locked(queue, dropped);
    }
    if (has_room_locked(queue, length + BATCH_OVERHEAD_BYTES)) {
        memory = take_reusable_locked(queue, length);
        memory.ceiling = length > memory.capacity ? length : memory.capacity;
    }
    (void)pthread_mutex_unlock(&queue->mutex);
    free_all(dropped);
    return memory;
}

bool batch_queue_is_empty(struct batch_queue *queue) {
    (void)pthread_mutex_lock(&queue->mutex);
    bool empty = queue->shared.oldest == NULL;
    (void)pthread_mutex_unlock(&queue->mutex);
    return empty;
}

size_t batch_queue_bytes(struct batch_queue *queue) {
    (void)pthread_mutex_lock(&queue->mutex);
    size_t bytes = queue->shared.bytes;
    (void)pthread_mutex_unlock(&queue->mutex);
    return bytes;
}
