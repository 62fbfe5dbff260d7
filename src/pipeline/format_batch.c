// SPDX-License-Identifier: MIT
/* A record is a JSON array of the events of one delivery, and a newline. */
#include "pipeline/format.h"

static void open_record(struct buf *out) { buf_append_char(out, '['); }

static void append_line(struct buf *out, const struct line *line, bool first) {
    if (!first) {
        buf_append_char(out, ',');
    }
    line_append(out, line);
}

static void close_record(struct buf *out, size_t start) {
    (void)start;
    buf_append(out, SPAN("]\n"));
}

const struct format format_batch = {
    .name = "batch",
    .one_delivery_a_record = true,
    .compression = COMPRESSION_OPTIONAL,
    .framing_bytes = 3,
    .line_framing_bytes = 1,
    .open = open_record,
    .append = append_line,
    .close = close_record,
};
