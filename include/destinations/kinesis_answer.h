// SPDX-License-Identifier: MIT
/* What a PutRecords answer means for the records of its request. Pure. */
#pragma once

#include "aws/aws_format.h"
#include "base/attributes.h"
#include "base/error.h"
#include "base/span.h"
#include "pipeline/destination.h"

#include <stdbool.h>
#include <stddef.h>

/* What an answer of HTTP status 200 says about each of `count` records. ERR_INVALID when it is not
 * such an answer; fates[] may have been written to then. *pace is how soon the failed ones may go
 * again; `reason` gets words for people when some failed, else "". */
MUST_CHECK bool kinesis_read_answer(struct span body, enum aws_format format, size_t count,
                                    enum record_fate *fates, enum retry_pace *pace,
                                    char reason[DELIVERY_REASON_BYTES], struct error *err);
