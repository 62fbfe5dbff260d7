// SPDX-License-Identifier: MIT
/* --check: what the settings come to, and what would fail, for somebody who runs the program by
 * hand with the environment of a function. Nothing is sent to the stream unless asked for. */
#pragma once

#include "base/clock.h"

#include <stdbool.h>
#include <stdio.h>

/* Prints settings, endpoint, where the credentials come from and whose they are, the last after a
 * question to STS. `sends`: a test record goes the way of all events, in the format of the
 * settings. Secrets are not shown. Blocks for 15 s at most. Returns an exit status: 0 when nothing
 * was found that would fail. */
int check_run(char *const *environment, bool sends, const struct clock *clock, FILE *out);
