// SPDX-License-Identifier: MIT
/* The subscription to one of the platform's two APIs that deliver logs:
 * - the Logs API 2020-08-15, https://docs.aws.amazon.com/lambda/latest/dg/runtimes-logs-api.html
 * - the Telemetry API 2022-07-01, https://docs.aws.amazon.com/lambda/latest/dg/telemetry-api.html
 *
 * They differ in the path, in the versions of their schema, and in the events that are delivered;
 * how these are asked for and delivered is the same. */
#pragma once

#include "base/attributes.h"
#include "base/error.h"
#include "lambda/extensions_api.h"

#include <stdbool.h>
#include <stdint.h>

struct logs_api {
    const char *name; /* for messages */
    const char *path;
    /* Newest first, NULL-terminated. The next one is asked for when the platform finds fault with
     * the subscription (400), which it does when it does not know the schema. */
    const char *const *schemas;
};

extern const struct logs_api logs_api;
extern const struct logs_api telemetry_api;

/* The Telemetry API with that schema alone: Managed Instances reject the events of older ones. */
extern const struct logs_api telemetry_api_2025;

/* The platform's limits ("Buffering configuration" of both pages). */
enum {
    LOGS_API_TIMEOUT_MS_MIN = 25,
    LOGS_API_TIMEOUT_MS_MAX = 30000,
    LOGS_API_MAX_BYTES_MIN = 262144,
    LOGS_API_MAX_BYTES_MAX = 1048576,
    LOGS_API_MAX_ITEMS_MIN = 1000,
    LOGS_API_MAX_ITEMS_MAX = 10000,
    LOGS_API_RESERVED_PORT = 9001,
};

struct logs_subscription {
    const struct logs_api *source;
    bool platform, function, extension; /* the types to receive; one at least */
    uint32_t timeout_ms;
    uint32_t max_bytes;
    uint32_t max_items;
    uint16_t port; /* of the listener, which must be listening already */
};

enum logs_api_answer {
    LOGS_API_SUBSCRIBED,
    LOGS_API_NOT_SUPPORTED, /* 202: a local emulator that has no logs */
    LOGS_API_FAILED,        /* *err says why, in the platform's words where it gave any */
};

/* Waits for the answer. The types mean the same in both APIs. */
MUST_CHECK enum logs_api_answer logs_api_subscribe(const struct extensions_api *api,
                                                   const struct logs_subscription *subscription,
                                                   struct error *err);
