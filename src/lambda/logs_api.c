// SPDX-License-Identifier: MIT
#include "lambda/logs_api.h"

#include "base/buf.h"
#include "lambda/platform_call.h"

#include <stdio.h>

enum { BODY_BYTES_MAX = 1024, INVALID_SUBSCRIPTION = 400 };

static const char *const logs_schemas[] = {"2021-03-18", NULL};
static const char *const telemetry_schemas[] = {"2025-01-29", "2022-12-13", "2022-07-01", NULL};
static const char *const telemetry_schemas_2025[] = {"2025-01-29", NULL};

const struct logs_api logs_api = {
    .name = "Logs API",
    .path = "/2020-08-15/logs",
    .schemas = logs_schemas,
};

/* The path stays the same for every schema. */
#define TELEMETRY_API .name = "Telemetry API", .path = "/2022-07-01/telemetry"

const struct logs_api telemetry_api = {TELEMETRY_API, .schemas = telemetry_schemas};
const struct logs_api telemetry_api_2025 = {TELEMETRY_API, .schemas = telemetry_schemas_2025};

static void append_types(struct buf *body, const struct logs_subscription *subscription) {
    const struct {
        bool wanted;
        const char *name;
    } types[] = {
        {subscription->platform, "platform"},
        {subscription->function, "function"},
        {subscription->extension, "extension"},
    };
    const char *separator = "";
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (types[i].wanted) {
            buf_append_format(body, "%s\"%s\"", separator, types[i].name);
            separator = ",";
        }
    }
}

/* Every buffering field is sent: the pages of the reference do not agree on the defaults. */
static void append_subscription(struct buf *body, const struct logs_subscription *subscription,
                                const char *schema) {
    buf_append_format(body, "{\"schemaVersion\":\"%s\",\"types\":[", schema);
    append_types(body, subscription);
    buf_append_format(body, "],\"buffering\":{\"maxItems\":%u,\"maxBytes\":%u,\"timeoutMs\":%u}",
                      subscription->max_items, subscription->max_bytes, subscription->timeout_ms);
    buf_append_format(body,
                      ",\"destination\":{\"protocol\":\"HTTP\","
                      "\"URI\":\"http://sandbox.localdomain:%u\"}}",
                      subscription->port);
}

struct reply {
    const char *api;
    int status; /* 0: there was none */
    enum logs_api_answer meaning;
};

static bool read_answer(const struct http_answer *answer, void *ret, struct error *err) {
    struct reply *reply = ret;
    char what[64];
    reply->status = answer->status;
    switch (answer->status) {
    case 200:
        reply->meaning = LOGS_API_SUBSCRIBED;
        return true;
    case 202:
        reply->meaning = LOGS_API_NOT_SUPPORTED;
        return true;
    default:
        (void)snprintf(what, sizeof what, "subscription to the %s", reply->api);
        return platform_call_refused(answer, what, err);
    }
}

static struct reply subscribe(const struct extensions_api *api,
                              const struct logs_subscription *subscription, const char *schema,
                              struct error *err) {
    CLEANUP(buf_done) struct buf body = buf_with_ceiling(BODY_BYTES_MAX);
    struct reply reply = {.api = subscription->source->name, .meaning = LOGS_API_FAILED};
    append_subscription(&body, subscription, schema);
    if (buf_failed(&body)) {
        error_set_memory(err, "the subscription");
        return reply;
    }
    const struct platform_call call = {
        .host = api->host,
        .method = "PUT",
        .path = subscription->source->path,
        .extension_id = api->extension_id,
        .headers = {SPAN("Content-Type: application/json")},
        .body = buf_span(&body),
        .time_limit_ms = LAMBDA_CALL_LIMIT_MS,
    };
    if (!platform_call_wait(api->client, &call, read_answer, &reply, err)) {
        reply.meaning = LOGS_API_FAILED;
    }
    return reply;
}

enum logs_api_answer logs_api_subscribe(const struct extensions_api *api,
                                        const struct logs_subscription *subscription,
                                        struct error *err) {
    struct reply reply = {.status = INVALID_SUBSCRIPTION, .meaning = LOGS_API_FAILED};
    const char *const *schema = subscription->source->schemas;
    while (*schema != NULL && reply.status == INVALID_SUBSCRIPTION) {
        reply = subscribe(api, subscription, *schema++, err);
    }
    return reply.meaning;
}
