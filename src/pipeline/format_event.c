// SPDX-License-Identifier: MIT
/* A record is one line, ended by a newline. */
#include "pipeline/format.h"

const struct format format_event = {
    .name = "event",
    .one_line_a_record = true,
    .line_framing_bytes = 1,
    .append = line_append_ended,
};
