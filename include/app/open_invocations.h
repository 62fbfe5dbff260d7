// SPDX-License-Identifier: MIT
/* The invocations that run at once in an environment, from their platform.start to their
 * platform.report, for the case that the environment fails: those without a report were killed.
 *
 * Bounded: reports can be lost, so what is older than an invocation may last is forgotten, and so
 * is the oldest when there are too many. Main thread. */
#pragma once

#include "app/invocation.h"

#include <stddef.h>
#include <stdint.h>

enum { OPEN_INVOCATIONS_MAX = 2048 };

struct open_invocations {
    struct invocation *all; /* oldest first */
    size_t count, room;
};

void open_invocations_done(struct open_invocations *open);

/* An event was read. Without memory for it an invocation is not known of. */
void open_invocations_on_event(struct open_invocations *open, enum event_kind kind,
                               const struct event *event, int64_t now_ms);

/* Forgets what cannot be running any more. */
void open_invocations_forget_old(struct open_invocations *open, int64_t now_ms);
