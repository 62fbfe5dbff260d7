// SPDX-License-Identifier: MIT
/* What a record of the format `cloudwatch` says before its log events: whose they are. */
#pragma once

#include "base/buf.h"
#include "base/span.h"

#include <stdint.h>

struct cloudwatch_origin {
    struct span account_id; /* empty when it is not known */
    struct span function_name;
    struct span function_version;
    struct span environment_id;
    int64_t started_ms; /* wall time */
};

/* Appends {"messageType":"DATA_MESSAGE",…,"logEvents":[. Extensions are told neither log group nor
 * log stream: the group is Lambda's default, and the stream looks like Lambda's and is one for each
 * environment: 2026/03/14/[$LATEST]5f3c9a7e12d4. */
void cloudwatch_envelope_append(struct buf *out, const struct cloudwatch_origin *origin);
