// SPDX-License-Identifier: MIT
#include "app/intake.h"

#include "base/log.h"
#include "lambda/environment.h"

#include <inttypes.h>
#include <netinet/in.h>

/* In the listener's thread. */
static void tell(struct intake *intake, bool refused) {
    atomic_store(&intake->refused, refused);
    http_client_wake(intake->http);
}

/* In the listener's thread. */
static struct buf memory_for(void *context, size_t length) {
    struct intake *intake = context;
    struct buf memory = batch_queue_memory_for(intake->queue, length);
    if (buf_failed(&memory)) {
        tell(intake, true);
    }
    return memory;
}

/* In the listener's thread. */
static bool on_body(void *context, struct buf *body) {
    struct intake *intake = context;
    bool taken = batch_queue_push(intake->queue, body, NULL);
    tell(intake, !taken);
    return taken;
}

/* In the listener's thread. */
static void on_answered(void *context) {
    struct intake *intake = context;
    http_client_wake(intake->http);
}

static bool try_to_listen(struct intake *intake, uint32_t address, uint64_t port,
                          struct error *err) {
    const struct http_listener_settings settings = {
        .address = address,
        .port = (uint16_t)port,
        .memory_for = memory_for,
        .on_body = on_body,
        .on_answered = on_answered,
        .context = intake,
    };
    intake->listener = http_listener_create(&settings, err);
    return intake->listener != NULL;
}

bool intake_open(struct intake *intake, const struct config *config, struct batch_queue *queue,
                 struct http_client *http, struct error *err) {
    uint32_t address = environment_listen_address("/etc/hosts");
    uint64_t port = config->listener_port;
    struct error first = {0};
    intake->queue = queue;
    intake->http = http;
    if (try_to_listen(intake, address, port, &first)) {
        return true;
    }
    if (!try_to_listen(intake, address, 0, err) &&
        !try_to_listen(intake, INADDR_LOOPBACK, port, err) &&
        !try_to_listen(intake, INADDR_LOOPBACK, 0, err)) {
        return false;
    }
    log_warn("%s (HTTP_LOGS_LISTENER_PORT=%" PRIu64 "); listening on port %u instead",
             first.message, port, (unsigned)http_listener_port(intake->listener));
    return true;
}

static const struct logs_api *source_of(const struct config *config) {
    const struct logs_api *chosen =
        config->source == LOG_SOURCE_TELEMETRY_API ? &telemetry_api : &logs_api;
    return config->environment->source != NULL ? config->environment->source : chosen;
}

enum logs_api_answer intake_subscribe(const struct intake *intake, const struct config *config,
                                      const struct extensions_api *api, struct error *err) {
    const struct logs_subscription subscription = {
        .source = source_of(config),
        .platform = true, /* always: without its events nobody knows when an invocation is over */
        .function = config->types.function,
        .extension = config->types.extension,
        .timeout_ms = (uint32_t)config->timeout_ms,
        .max_bytes = (uint32_t)config->max_bytes,
        .max_items = (uint32_t)config->max_items,
        .port = http_listener_port(intake->listener),
    };
    return logs_api_subscribe(api, &subscription, err);
}

void intake_close(struct intake *intake) {
    http_listener_destroy(intake->listener);
    intake->listener = NULL;
}
