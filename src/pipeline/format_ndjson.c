// SPDX-License-Identifier: MIT
/* A record is as many lines as fit, each ended by a newline. */
#include "pipeline/format.h"

const struct format format_ndjson = {
    .name = "ndjson",
    .compression = COMPRESSION_OPTIONAL,
    .line_framing_bytes = 1,
    .append = line_append_ended,
};
