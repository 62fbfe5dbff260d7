// SPDX-License-Identifier: MIT
/* What the execution environment says about itself outside of its APIs. */
#pragma once

#include "base/span.h"
#include "lambda/logs_api.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A kind of environment, as far as an extension behaves differently in it. */
struct environment_kind {
    const char *name;      /* AWS_LAMBDA_INITIALIZATION_TYPE says so */
    const char *lifecycle; /* the events that may be registered for, as in a JSON array */
    bool is_frozen;        /* between invocations, which are announced; else it is always awake */
    bool is_concurrent;    /* many invocations run at once */
    bool is_restored;      /* before the first invocation, from a snapshot that others are, too */
    const struct logs_api *source; /* the only API with logs; NULL: either */
};

/* The kind that goes by this initialization type; one that is not known is like on-demand. */
const struct environment_kind *environment_kind_of(struct span initialization_type);

/* The address to listen on so that the platform's deliveries to `sandbox.localdomain` arrive: the
 * IPv4 address of that name in the given hosts file (host byte order), else 127.0.0.1. The
 * file is read instead of asking the resolver, because a static binary must not load NSS modules.
 * Never 0.0.0.0, whatever the file says. */
uint32_t environment_listen_address(const char *hosts_file);

/* Base name of the program as the kernel ran it, which is the name that the platform expects at
 * registration; a wrapper may have changed argv[0], which is only the fallback.
 * Lives as long as the process; never NULL. */
const char *environment_program_name(const char *argv0);
