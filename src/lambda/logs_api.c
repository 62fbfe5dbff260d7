// SPDX-License-Identifier: MIT
#include "lambda/logs_api.h"

#include "base/buf.h"
#include "lambda/platform_call.h"

enum { BODY_BYTES_MAX = 1024 };

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
static void append_subscription(struct buf *body, const struct logs_subscription *subscription) {
    buf_append(body, SPAN("{\"schemaVersion\":\"2021-03-18\",\"types\":["));
    append_types(body, subscription);
    buf_append_format(body, "],\"buffering\":{\"maxItems\":%u,\"maxBytes\":%u,\"timeoutMs\":%u}",
                      subscription->max_items, subscription->max_bytes, subscription->timeout_ms);
    buf_append_format(body,
                      ",\"destination\":{\"protocol\":\"HTTP\","
                      "\"URI\":\"http://sandbox.localdomain:%u\"}}",
                      subscription->port);
}

static bool read_answer(const struct http_answer *answer, void *ret, struct error *err) {
    enum logs_api_answer *meaning = ret;
    switch (answer->status) {
    case 200:
        *meaning = LOGS_API_SUBSCRIBED;
        return true;
    case 202:
        *meaning = LOGS_API_NOT_SUPPORTED;
        return true;
    default:
        return platform_call_refused(answer, "subscription to the Logs API", err);
    }
}

enum logs_api_answer logs_api_subscribe(const struct extensions_api *api,
                                        const struct logs_subscription *subscription,
                                        struct error *err) {
    CLEANUP(buf_done) struct buf body = buf_with_ceiling(BODY_BYTES_MAX);
    append_subscription(&body, subscription);
    if (buf_failed(&body)) {
        error_set_memory(err, "the subscription");
        return LOGS_API_FAILED;
    }
    const struct platform_call call = {
        .host = api->host,
        .method = "PUT",
        .path = "/2020-08-15/logs",
        .extension_id = api->extension_id,
        .headers = {SPAN("Content-Type: application/json")},
        .body = buf_span(&body),
        .time_limit_ms = LAMBDA_CALL_LIMIT_MS,
    };
    enum logs_api_answer meaning = LOGS_API_FAILED;
    return platform_call_wait(api->client, &call, read_answer, &meaning, err) ? meaning
                                                                              : LOGS_API_FAILED;
}
