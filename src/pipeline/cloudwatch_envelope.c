// SPDX-License-Identifier: MIT
#include "pipeline/cloudwatch_envelope.h"

#include "base/clock.h"
#include "base/json_writer.h"

static void append_date(struct buf *out, int64_t wall_ms) {
    char time[CLOCK_TEXT_BYTES]; /* 2026-03-14T… */
    clock_format_iso8601(wall_ms, time);
    buf_append_format(out, "%.4s/%.2s/%.2s", time, time + 5, time + 8);
}

void cloudwatch_envelope_append(struct buf *out, const struct cloudwatch_origin *origin) {
    buf_append(out, SPAN("{\"messageType\":\"DATA_MESSAGE\","));
    json_append_member(out, SPAN("owner"), origin->account_id);
    buf_append(out, SPAN(",\"logGroup\":\"/aws/lambda/"));
    json_append_escaped(out, origin->function_name);
    buf_append(out, SPAN("\",\"logStream\":\""));
    append_date(out, origin->started_ms);
    buf_append(out, SPAN("/["));
    json_append_escaped(out, origin->function_version);
    buf_append_char(out, ']');
    json_append_escaped(out, origin->environment_id);
    buf_append(out, SPAN("\",\"subscriptionFilters\":[\"kinesis-stream-logs-extension\"],"
                         "\"logEvents\":["));
}
