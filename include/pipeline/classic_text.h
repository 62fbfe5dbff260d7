// SPDX-License-Identifier: MIT
/* What CloudWatch Logs shows for an event: the text that a function logged, and the lines START,
 * END, REPORT and so on that Lambda writes for its own events when its log format is Text.
 *
 * All text is appended as the content of a JSON string: escapes of the event stay as they are. Pure
 * but for the buffer, whose failure is sticky. */
#pragma once

#include "base/buf.h"
#include "pipeline/event.h"

#include <stdbool.h>
#include <stdint.h>

/* Whether there is such a text: what platform.runtimeDone and the like tell is in no log, but in
 * metrics. (cloudwatch_events.h knows of an exception.) */
bool classic_text_exists(const struct event *event);

/* Appends the text of an event that has one. Events of types that are not known, and those that
 * tell of a loss, are shown as their JSON text, as Lambda does in its log format JSON. */
void classic_text_append(struct buf *out, const struct event *event);

/* Appends "END RequestId: …" for the request of any platform event. */
void classic_text_append_end(struct buf *out, const struct event *event);

/* Appends "… Task timed out after 3.00 seconds". `duration_ms`: of the invocation. */
void classic_text_append_timeout(struct buf *out, const struct event *event, int64_t duration_ms);
