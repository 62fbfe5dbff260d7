// SPDX-License-Identifier: MIT
/* Turns events into the log events that CloudWatch Logs would have made of them:
 *
 * {"id":"…","timestamp":1773500966535,"message":"…"}
 *
 * The id has 56 decimal digits, like those of CloudWatch: 13 of the time, 15 of the environment, 20
 * of the event's number in it and 8 that count within the event. Equal ids are the same log event,
 * on every try. Main thread. */
#pragma once

#include "base/attributes.h"
#include "base/buf.h"
#include "base/error.h"
#include "pipeline/event.h"
#include "pipeline/event_parts.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    CLOUDWATCH_COUNT_DIGITS = PART_NUMBER_DIGITS,
    CLOUDWATCH_COUNT_AT = sizeof "{\"id\":\"" - 1 + 48, /* where a log event has them */
};

struct cloudwatch_events {
    uint64_t environment;
    bool has_end_events; /* the Logs API tells of ends; the Telemetry API does not */
    int64_t last_ms;     /* for events without a time: that of the one before */
    int64_t started_ms;  /* of the invocation that began last */
    struct buf text;     /* of the last log event */
};

/* `environment_id`: 12 hexadecimal digits. `now_ms`: wall time. Allocates nothing. */
void cloudwatch_events_init(struct cloudwatch_events *events, const char *environment_id,
                            bool has_end_events, int64_t now_ms);

/* From the next log event on, ids are those of another environment. */
void cloudwatch_events_renew(struct cloudwatch_events *events, const char *environment_id);

void cloudwatch_events_done(struct cloudwatch_events *events);

/* Whether CloudWatch would show it. */
bool cloudwatch_events_shows(const struct cloudwatch_events *events, const struct event *event);

/* Makes the log event of an event that is shown; `number`: of the event, from 1. The text of *ret
 * is one log event or, where a time-out has to be told, one or two with a comma between them; its
 * record is the message of a single one, else empty. Valid until the next call. ERR_MEMORY. */
MUST_CHECK bool cloudwatch_events_make(struct cloudwatch_events *events, const struct event *event,
                                       uint64_t number, struct event *ret, struct error *err);
