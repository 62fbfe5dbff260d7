// SPDX-License-Identifier: MIT
/* The time in an answer's Date header: what the service's clock says. */
#pragma once

#include "base/attributes.h"
#include "base/span.h"

#include <stdbool.h>
#include <stdint.h>

/* Reads "Sun, 06 Nov 1994 08:49:37 GMT" (IMF-fixdate of RFC 9110, section 5.6.7; the obsolete
 * forms are not read). False, with *ret_wall_ms untouched, when it is anything else. Pure. */
MUST_CHECK bool http_date_read(struct span text, int64_t *ret_wall_ms);
