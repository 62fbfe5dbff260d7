// SPDX-License-Identifier: MIT
/* A record is a JSON array of the events of one delivery, and a newline. */
#include "pipeline/format.h"

static size_t opening_bytes(const struct record_heading *heading) {
    (void)heading;
    return 1;
}

static void open_record(struct buf *out, const struct record_heading *heading) {
    (void)heading;
    buf_append_char(out, '[');
}

static bool close_record(struct buf *out, size_t start) {
    (void)start;
    buf_append(out, SPAN("]\n"));
    return true;
}

const struct format format_batch = {
    .name = "batch",
    .one_delivery_a_record = true,
    .compression = COMPRESSION_OPTIONAL,
    .opening_bytes = opening_bytes,
    .open = open_record,
    .line_framing_bytes = 1,
    .append = line_append_listed,
    .closing_bytes = 2,
    .close = close_record,
};
