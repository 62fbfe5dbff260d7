// SPDX-License-Identifier: MIT
/* What the execution environment says about itself outside of its APIs. */
#pragma once

#include "base/span.h"

#include <stddef.h>
#include <stdint.h>

/* The address to listen on so that the platform's deliveries to `sandbox.localdomain` arrive: the
 * IPv4 address of that name in the given hosts file (host byte order), else 127.0.0.1. The
 * file is read instead of asking the resolver, because a static binary must not load NSS modules.
 * Never 0.0.0.0, whatever the file says. */
uint32_t environment_listen_address(const char *hosts_file);

/* Base name of the program as the kernel ran it, which is the name that the platform expects at
 * registration; a wrapper may have changed argv[0], which is only the fallback.
 * Lives as long as the process; never NULL. */
const char *environment_program_name(const char *argv0);
