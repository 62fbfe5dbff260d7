// SPDX-License-Identifier: MIT
#include "base/cbor_writer.h"

#include "base/utf8.h"

/* Major types, in the upper three bits of an item's first byte. */
enum {
    BYTES = 2 << 5,
    TEXT = 3 << 5,
    ARRAY = 4 << 5,
    MAP = 5 << 5,
};

/* In the lower five bits: the value itself, or how many bytes of it follow. */
enum { VALUE_1 = 24, VALUE_2, VALUE_4, VALUE_8 };

#define REPLACEMENT SPAN("\xEF\xBF\xBD")

static void append_head(struct buf *out, unsigned major, uint64_t value) {
    char head[CBOR_HEAD_BYTES_MAX];
    unsigned info = value < VALUE_1       ? (unsigned)value
                    : value <= UINT8_MAX  ? VALUE_1
                    : value <= UINT16_MAX ? VALUE_2
                    : value <= UINT32_MAX ? VALUE_4
                                          : VALUE_8;
    size_t follow = info < VALUE_1 ? 0 : (size_t)1 << (info - VALUE_1);
    head[0] = (char)(major | info);
    for (size_t i = 0; i < follow; i++) {
        head[1 + i] = (char)(value >> 8 * (follow - 1 - i) & 0xff);
    }
    buf_append(out, span_of(head, 1 + follow));
}

void cbor_append_map(struct buf *out, uint64_t pairs) { append_head(out, MAP, pairs); }

void cbor_append_array(struct buf *out, uint64_t items) { append_head(out, ARRAY, items); }

void cbor_append_bytes(struct buf *out, struct span bytes) {
    append_head(out, BYTES, bytes.len);
    buf_append(out, bytes);
}

/* The next character, or what stands for a byte that is not part of one; *text is left behind it.
 */
static struct span take_character(struct span *text) {
    size_t length = utf8_sequence_length(*text);
    struct span character = length == 0 ? REPLACEMENT : span_first(*text, length);
    *text = span_skip(*text, length == 0 ? 1 : length);
    return character;
}

static size_t mended_length(struct span text) {
    size_t length = 0;
    while (text.len > 0) {
        length += take_character(&text).len;
    }
    return length;
}

void cbor_append_text(struct buf *out, struct span text) {
    if (utf8_is_valid(text)) {
        append_head(out, TEXT, text.len);
        buf_append(out, text);
        return;
    }
    append_head(out, TEXT, mended_length(text));
    while (text.len > 0 && !buf_failed(out)) {
        buf_append(out, take_character(&text));
    }
}
