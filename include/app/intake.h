// SPDX-License-Identifier: MIT
/* How deliveries come in: the listener, the queue that it fills, and the subscription that makes
 * the platform deliver. */
#pragma once

#include "app/config.h"
#include "base/attributes.h"
#include "base/error.h"
#include "lambda/extensions_api.h"
#include "lambda/logs_api.h"
#include "net/http_client.h"
#include "net/http_listener.h"
#include "pipeline/batch_queue.h"

#include <stdatomic.h>
#include <stdbool.h>

/* Must stay in place while it is open: the listener's thread uses it. */
struct intake {
    struct http_listener *listener;
    struct batch_queue *queue;
    struct http_client *http; /* that is woken by a delivery */
    atomic_bool refused;      /* the latest body, or the head of one, found no room; set by the
                               * listener's thread */
};

/* Listens on the configured port, or on any free one with a warning, where the platform delivers;
 * on the loopback when that address is not this machine's. Queue and client must outlive the
 * intake. */
MUST_CHECK bool intake_open(struct intake *intake, const struct config *config,
                            struct batch_queue *queue, struct http_client *http, struct error *err);

/* Subscribes; the intake must be open. Waits. */
MUST_CHECK enum logs_api_answer intake_subscribe(const struct intake *intake,
                                                 const struct config *config,
                                                 const struct extensions_api *api,
                                                 struct error *err);

/* Nothing comes in any more when it returns. A zeroed intake is fine; may run twice. */
void intake_close(struct intake *intake);

/* Whether the platform waits for the answer to a delivery that was taken. If the environment were
 * frozen now, it might deliver it again. */
static inline bool intake_is_answering(const struct intake *intake) {
    return intake->listener != NULL && http_listener_is_answering(intake->listener);
}

/* Whether the latest delivery found no room in the queue: the platform has it still. */
static inline bool intake_has_refused(const struct intake *intake) {
    return atomic_load(&intake->refused);
}
