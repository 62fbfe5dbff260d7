// SPDX-License-Identifier: MIT
/* A record is what a subscription filter of CloudWatch Logs writes: an envelope with log events
 * (the lines, made by cloudwatch_events.h), compressed. */
#include "pipeline/format.h"

static size_t opening_bytes(const struct record_heading *heading) { return heading->envelope.len; }

static void open_record(struct buf *out, const struct record_heading *heading) {
    buf_append(out, heading->envelope);
}

static bool close_record(struct buf *out, size_t start) {
    (void)start;
    buf_append(out, SPAN("]}"));
    return true;
}

const struct format format_cloudwatch = {
    .name = "cloudwatch",
    .compression = COMPRESSION_ALWAYS,
    .opening_bytes = opening_bytes,
    .open = open_record,
    .line_framing_bytes = 1,
    .append = line_append_listed,
    .closing_bytes = 2,
    .close = close_record,
};
