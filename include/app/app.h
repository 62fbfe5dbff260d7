// SPDX-License-Identifier: MIT
/* The extension's life: register → listen → subscribe → loop over events → drain → stop.
 *
 * One thread runs the loop (the caller of app_run()); the listener has the other. All that can go
 * wrong with shipping ends in the extension answering `event/next` without shipping: it never takes
 * the function down, unless the user asked for that (EXTENSION_LOG_ON_CONFIG_ERROR=fail). */
#pragma once

#include "app/config.h"
#include "base/clock.h"

/* Runs the extension called `name` until the platform shuts it down. Returns the exit status: 0
 * after SHUTDOWN, 1 when the platform refused it, or when it could not start and was told to fail.
 * Everything pointed to must outlive the call. `config_is_good`: what config_read() returned. */
int app_run(const struct config *config, bool config_is_good, const char *name,
            const struct clock *clock);
