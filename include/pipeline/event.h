// SPDX-License-Identifier: MIT
/* What an event means to the extension, read from its spans. Pure. */
#pragma once

#include "base/span.h"
#include "pipeline/event_splitter.h"

#include <stdbool.h>

enum { REQUEST_ID_BYTES = 64 }; /* with a NUL; the platform's have 36 characters */

enum event_kind {
    EVENT_FUNCTION,      /* "function" */
    EVENT_EXTENSION,     /* "extension": logs of extensions, as the platform delivers them */
    EVENT_START,         /* "platform.start" opens an invocation */
    EVENT_RUNTIME_DONE,  /* "platform.runtimeDone" */
    EVENT_REPORT,        /* "platform.report" closes it */
    EVENT_RESTORE_START, /* "platform.restoreStart": all before it is of before the snapshot */
    EVENT_LOGS_DROPPED,  /* "platform.logsDropped" */
    EVENT_PLATFORM,      /* any other "platform.…" */
    EVENT_OTHER,         /* anything else */
};

/* Of any but function logs. */
enum event_kind event_kind_of_rare(const struct event *event);

static inline enum event_kind event_kind_of(const struct event *event) {
    return span_equals(event->type, SPAN("function")) ? EVENT_FUNCTION : event_kind_of_rare(event);
}

/* "requestId" among the direct members of an object record, without quotes, when it is a string
 * without escapes of 1 to REQUEST_ID_BYTES - 1 characters; else empty. */
struct span event_request_id(const struct event *event);

/* The request id that a runtime wrote into a structured log line, likewise: the record has
 * "timestamp" and "level", as all lines of Lambda's own JSON format have, and a UUID in
 * "requestId", "AWSRequestId" (Java) or "function_request_id" (Powertools). Lines of any other
 * layout may use these names for ids of their own; for them it is empty. */
struct span event_logged_request_id(const struct event *event);

/* The JSON text of a direct member of an object record; empty when there is none. */
struct span event_record_member(const struct event *event, struct span name);

/* The same for a member that is a whole number: 0 when it is none. */
unsigned long long event_record_number(const struct event *event, struct span name);

/* Looks for the platform.runtimeDone of `request_id` anywhere in a body, without consuming it: the
 * life cycle must learn of it even while delivery stands still. Cheap when there is none. */
bool event_body_has_runtime_done(struct span body, struct span request_id);
