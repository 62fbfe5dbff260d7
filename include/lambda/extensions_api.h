// SPDX-License-Identifier: MIT
/* The Lambda Extensions API 2020-01-01: register, next event, init and exit errors.
 * https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
 *
 * Calls run on the given http_client. Those marked "waits" drive it until their answer is there
 * (they are made before the event loop starts or as the last thing before exit); `next` does not
 * wait: its answer comes to a callback. All in the thread of the http_client. */
#pragma once

#include "base/attributes.h"
#include "base/error.h"
#include "lambda/lambda_event.h"
#include "net/http_client.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    LAMBDA_NAME_BYTES = 256,     /* function names have up to 140 characters */
    LAMBDA_CALL_LIMIT_MS = 5000, /* for every call but `next`, all of them local */
};

/* What registration tells; empty strings where it does not. */
struct lambda_function {
    char name[LAMBDA_NAME_BYTES];
    char version[LAMBDA_NAME_BYTES];
    char account_id[LAMBDA_ID_BYTES];
};

/* `event` is NULL when the call failed, and then `err` says why: the extension has to end. */
typedef void (*lambda_event_fn)(void *context, const struct lambda_event *event,
                                const struct error *err);

struct extensions_api {
    struct http_client *client;
    char host[LAMBDA_NAME_BYTES]; /* AWS_LAMBDA_RUNTIME_API: host and port */
    char extension_id[LAMBDA_ID_BYTES];
    struct http_exchange *next; /* outstanding, or NULL */
    lambda_event_fn on_event;
    void *context;
};

/* `runtime_api` is the value of AWS_LAMBDA_RUNTIME_API. Fails with ERR_INVALID when it is
 * missing, too long or holds anything but a host and a port. */
MUST_CHECK bool extensions_api_init(struct extensions_api *api, struct http_client *client,
                                    const char *runtime_api, struct error *err);

/* Registers `name` for these events of the life cycle, given as in a JSON array
 * (environment_kind.lifecycle). Waits. ERR_REFUSED holds the platform's words. */
MUST_CHECK bool extensions_api_register(struct extensions_api *api, const char *name,
                                        const char *lifecycle, struct lambda_function *ret,
                                        struct error *err);

/* Asks for the next event, without any time limit: the environment may be frozen meanwhile.
 * `on_event` is called once, in http_client_run(). One at a time. */
MUST_CHECK bool extensions_api_next(struct extensions_api *api, lambda_event_fn on_event,
                                    void *context, struct error *err);

/* Reports why the extension ends, before (init) or after (exit) its first `next`. `error_type` such
 * as "Extension.ConfigInvalid". Waits. The platform answers no further call afterwards. */
MUST_CHECK bool extensions_api_init_error(struct extensions_api *api, const char *error_type,
                                          const char *message, struct error *err);
MUST_CHECK bool extensions_api_exit_error(struct extensions_api *api, const char *error_type,
                                          const char *message, struct error *err);
