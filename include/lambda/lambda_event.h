// SPDX-License-Identifier: MIT
/* An event of the Extensions API 2020-01-01, as `event/next` answers with it.
 * https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html */
#pragma once

#include "base/attributes.h"
#include "base/error.h"
#include "base/span.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    LAMBDA_ID_BYTES = 64,   /* a UUID and its NUL, with room to spare */
    LAMBDA_ARN_BYTES = 512, /* of an invoked function, with qualifier */
};

enum lambda_event_type { LAMBDA_INVOKE, LAMBDA_SHUTDOWN };

enum lambda_shutdown_reason {
    LAMBDA_SPINDOWN,
    LAMBDA_TIMEOUT,
    LAMBDA_FAILURE,
    LAMBDA_REASON_UNKNOWN,
};

/* One answer of `next`. Strings are NUL-terminated and cut when they are too long. */
struct lambda_event {
    enum lambda_event_type type;
    int64_t deadline_ms;                         /* Unix time */
    char request_id[LAMBDA_ID_BYTES];            /* INVOKE */
    char function_arn[LAMBDA_ARN_BYTES];         /* INVOKE */
    enum lambda_shutdown_reason shutdown_reason; /* SHUTDOWN */
};

/* Reads an answer of `next`. ERR_INVALID when it is not JSON, or lacks what the life cycle depends
 * on: a known type and a deadline (a number, or a number in quotes). Other members may be
 * missing. Reasons compare without case. *ret is untouched on failure. */
MUST_CHECK bool lambda_event_parse(struct span json, struct lambda_event *ret, struct error *err);

/* "SPINDOWN" and so on, for messages. */
const char *lambda_shutdown_reason_name(enum lambda_shutdown_reason reason);
