// SPDX-License-Identifier: MIT
#include "app/invocation.h"

#include "base/json_writer.h"

#include <inttypes.h>
#include <stdio.h>

struct invocation invocation_begun(const struct lambda_event *event, int64_t now_ms) {
    struct invocation begun = {.began_ms = now_ms};
    (void)snprintf(begun.request_id, sizeof begun.request_id, "%s", event->request_id);
    return begun;
}

void invocation_on_event(struct invocation *invocation, enum event_kind kind,
                         const struct event *event) {
    if ((kind != EVENT_RUNTIME_DONE && kind != EVENT_REPORT) ||
        !span_equals(event_request_id(event), span_of_text(invocation->request_id))) {
        return;
    }
    if (kind == EVENT_REPORT) {
        invocation->reported = true;
    } else if (span_equals(event_record_member(event, SPAN("status")), SPAN("\"success\""))) {
        invocation->succeeded = true;
    }
}

bool invocation_was_killed(const struct invocation *invocation,
                           enum lambda_shutdown_reason reason) {
    bool killed = reason == LAMBDA_TIMEOUT || reason == LAMBDA_FAILURE;
    return killed && invocation->request_id[0] != '\0' && !invocation->succeeded;
}

bool invocation_awaits_report(const struct invocation *invocation) {
    return invocation->request_id[0] != '\0' && !invocation->reported;
}

void invocation_append_termination(const struct invocation *invocation,
                                   enum lambda_shutdown_reason reason, const struct clock *clock,
                                   struct buf *out) {
    char time[CLOCK_TEXT_BYTES];
    clock_format_iso8601(clock_wall_ms(clock), time);
    buf_append_format(out, "[{\"time\":\"%s\",\"type\":\"extension.functionTerminated\"", time);
    buf_append(out, SPAN(",\"record\":{"));
    json_append_member(out, SPAN("requestId"), span_of_text(invocation->request_id));
    buf_append_format(out, ",\"reason\":\"%s\",\"durationMs\":%" PRId64 "}}]",
                      lambda_shutdown_reason_name(reason),
                      clock_monotonic_ms(clock) - invocation->began_ms);
}
