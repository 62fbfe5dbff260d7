// SPDX-License-Identifier: MIT
/* A point in time as text: as the platform writes it into its events, and AWS services into their
 * answers. */
#pragma once

#include "base/attributes.h"
#include "base/span.h"

#include <stdbool.h>
#include <stdint.h>

/* Reads RFC 3339: "2026-03-14T15:09:26Z", with any fraction of a second (less than a millisecond is
 * left out) and any offset. False, with *ret_wall_ms untouched, when it is anything else. Pure. */
MUST_CHECK bool timestamp_read(struct span text, int64_t *ret_wall_ms);
