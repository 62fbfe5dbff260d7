// SPDX-License-Identifier: MIT
#include "base/json_writer.h"

#include "base/utf8.h"

/* Bytes at the start of `text` that are written as they are. */
static size_t plain_run(struct span text) {
    size_t at = 0;
    while (at < text.len) {
        unsigned char c = (unsigned char)text.ptr[at];
        if (c < 0x20 || c == '"' || c == '\\') {
            break;
        }
        size_t length = c < 0x80 ? 1 : utf8_sequence_length(span_skip(text, at));
        if (length == 0) {
            break;
        }
        at += length;
    }
    return at;
}

static void append_escape(struct buf *out, unsigned char c) {
    switch (c) {
    case '"':
        buf_append(out, SPAN("\\\""));
        break;
    case '\\':
        buf_append(out, SPAN("\\\\"));
        break;
    case '\n':
        buf_append(out, SPAN("\\n"));
        break;
    case '\r':
        buf_append(out, SPAN("\\r"));
        break;
    case '\t':
        buf_append(out, SPAN("\\t"));
        break;
    default:
        if (c < 0x20) {
            buf_append_format(out, "\\u%04x", (unsigned)c);
        } else {
            buf_append(out, SPAN("\xEF\xBF\xBD"));
        }
    }
}

void json_append_escaped(struct buf *out, struct span text) {
    while (text.len > 0 && !buf_failed(out)) {
        size_t plain = plain_run(text);
        buf_append(out, span_first(text, plain));
        text = span_skip(text, plain);
        if (text.len > 0) {
            append_escape(out, (unsigned char)text.ptr[0]);
            text = span_skip(text, 1);
        }
    }
}

void json_append_string(struct buf *out, struct span text) {
    buf_append_char(out, '"');
    json_append_escaped(out, text);
    buf_append_char(out, '"');
}

void json_append_member(struct buf *out, struct span name, struct span value) {
    buf_append_char(out, '"');
    buf_append(out, name);
    buf_append(out, SPAN("\":"));
    json_append_string(out, value);
}
