// SPDX-License-Identifier: MIT
/* Batches (delivery bodies of the platform) on their way from the listener thread to the main
 * thread. The one lock of the program, and its memory bound: a batch counts from its push until the
 * main thread has released its bytes, so the bound covers what is taken but not yet read, too.
 *
 * A payload is handed over: after a push the pusher owns nothing of it. */
#pragma once

#include "base/attributes.h"
#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct batch_queue;

/* One delivery. Whoever popped it owns it and calls batch_free(). */
struct batch {
    struct batch *next; /* for the list that it is in */
    struct buf body;
    bool searched; /* see event_source_foresees_runtime_done() */
};

/* What a batch takes beside its body: its entry, and what allocators round up. Without it tiny
 * bodies would take many times the limit. */
enum { BATCH_OVERHEAD_BYTES = 512 };

/* What a batch counts for. */
static inline size_t batch_bytes(const struct batch *batch) {
    return batch->body.len + BATCH_OVERHEAD_BYTES;
}

/* NULL is fine. */
void batch_free(struct batch *batch);

/* `limit_bytes`: of all batches together. */
MUST_CHECK struct batch_queue *batch_queue_create(size_t limit_bytes, struct error *err);

/* Frees batches that are still inside. NULL is fine. No other thread may use it any more. */
void batch_queue_destroy(struct batch_queue *queue);

/* Moves *body into the queue; on success *body is left empty. Fails with ERR_FULL when the limit
 * does not allow it (ERR_MEMORY: no memory for the entry); the caller then keeps *body. A queue for
 * which nothing is counted takes any body: otherwise one larger than the limit could never pass.
 * Any thread. Never blocks for longer than another push or pop takes. */
MUST_CHECK bool batch_queue_push(struct batch_queue *queue, struct buf *body, struct error *err);

/* Takes the oldest batch; NULL when there is none. Its bytes stay counted until they are released.
 */
struct batch *batch_queue_pop(struct batch_queue *queue);

/* `bytes` of popped batches need no memory any more. */
void batch_queue_release(struct batch_queue *queue, size_t bytes);

/* Memory that waits for reuse: what is mapped by itself (see main()), but not more than a usual
 * body takes, for larger ones are rare; and one for the body that arrives while another is read. */
enum {
    BATCH_REUSED_BYTES_MIN = 128 * 1024,
    BATCH_REUSED_BYTES_MAX = 1536 * 1024,
    BATCH_REUSED_MAX = 2,
};

/* The memory of bodies that were read is for those to come: it saves the kernel from taking away
 * and giving back, filled with zeros, a page for each 4 KiB of logs. Few such memories are kept,
 * beside what the limit counts. Any thread.
 *
 * `reuse` takes that of *body, which is left without any. `memory_for` returns an empty buffer for
 * `length` bytes: with that memory if they fill it nearly, since batches count for their bytes and
 * not for what these are in; else without any. For a body that the limit does not allow now, it is
 * a failed buffer: taken in, the body would be memory beyond the limit. */
void batch_queue_reuse(struct batch_queue *queue, struct buf *body);
MUST_CHECK struct buf batch_queue_memory_for(struct batch_queue *queue, size_t length);

/* Whether nothing is inside (bytes may still be counted for popped batches). */
bool batch_queue_is_empty(struct batch_queue *queue);

/* Bytes that are counted now: of batches inside, and of popped ones that were not released. */
size_t batch_queue_bytes(struct batch_queue *queue);
