// SPDX-License-Identifier: MIT
/* The table of formats: a new one is a line here and a file beside. */
#include "pipeline/format.h"

static const struct format *const formats[] = {&format_ndjson, &format_event, &format_batch,
                                               &format_kpl, &format_cloudwatch};

enum { FORMAT_COUNT = sizeof formats / sizeof formats[0] };

const struct format *format_by_name(struct span name) {
    for (size_t i = 0; i < FORMAT_COUNT; i++) {
        if (span_equals(name, span_of_text(formats[i]->name))) {
            return formats[i];
        }
    }
    return NULL;
}

void line_append_ended(struct buf *out, const struct line *line, bool first) {
    (void)first;
    line_append(out, line);
    buf_append_char(out, '\n');
}

void line_append_listed(struct buf *out, const struct line *line, bool first) {
    if (!first) {
        buf_append_char(out, ',');
    }
    line_append(out, line);
}
