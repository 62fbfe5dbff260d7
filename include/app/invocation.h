// SPDX-License-Identifier: MIT
/* What is known of the last invocation, for the case that the platform kills the function in the
 * middle of it: then one event says so, since nothing else in the logs may.
 *   {"time":"…","type":"extension.functionTerminated",
 *    "record":{"requestId":"…","reason":"TIMEOUT","durationMs":3004}}
 * Plain data of the main thread. */
#pragma once

#include "base/buf.h"
#include "base/clock.h"
#include "lambda/lambda_event.h"
#include "pipeline/event.h"

#include <stdbool.h>
#include <stdint.h>

/* Lambda allows a function no longer than this. */
enum { INVOCATION_MAX_MS = 15 * 60 * 1000 };

struct invocation {
    char request_id[LAMBDA_ID_BYTES]; /* "": there was none yet */
    int64_t began_ms;                 /* monotonic */
    bool succeeded;                   /* its platform.runtimeDone said so */
    bool reported;                    /* its platform.report was read */
};

/* An INVOKE came. */
struct invocation invocation_begun(const struct lambda_event *event, int64_t now_ms);

/* An event was read. */
void invocation_on_event(struct invocation *invocation, enum event_kind kind,
                         const struct event *event);

/* Whether a shutdown for this reason means that the function was killed in this invocation. */
bool invocation_was_killed(const struct invocation *invocation, enum lambda_shutdown_reason reason);

/* Whether the platform still has its platform.report, the last event of an invocation. */
bool invocation_awaits_report(const struct invocation *invocation);

/* Appends a delivery with the event. */
void invocation_append_termination(const struct invocation *invocation,
                                   enum lambda_shutdown_reason reason, const struct clock *clock,
                                   struct buf *out);
