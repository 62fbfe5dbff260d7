// SPDX-License-Identifier: MIT
#include "base/base64.h"

#include <stdint.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static inline char digit(uint32_t bits, unsigned shift) { return alphabet[(bits >> shift) & 63U]; }

static inline void encode_three(const uint8_t *from, char *to) {
    uint32_t bits = (uint32_t)from[0] << 16 | (uint32_t)from[1] << 8 | from[2];
    to[0] = digit(bits, 18);
    to[1] = digit(bits, 12);
    to[2] = digit(bits, 6);
    to[3] = digit(bits, 0);
}

/* The last one or two bytes: zero bits behind them, "=" for each byte that is missing. */
static void encode_rest(const uint8_t *from, size_t count, char *to) {
    uint8_t padded[3] = {from[0], count > 1 ? from[1] : 0, 0};
    encode_three(padded, to);
    to[3] = '=';
    if (count == 1) {
        to[2] = '=';
    }
}

void base64_append(struct buf *out, struct span bytes) {
    size_t length = base64_encoded_length(bytes.len);
    char *to = buf_reserve(out, length);
    if (to == NULL) {
        return;
    }
    const uint8_t *from = (const uint8_t *)bytes.ptr;
    size_t whole = bytes.len / 3;
    for (size_t i = 0; i < whole; i++) {
        encode_three(from + i * 3, to + i * 4);
    }
    if (bytes.len % 3 != 0) {
        encode_rest(from + whole * 3, bytes.len % 3, to + whole * 4);
    }
    buf_commit(out, length);
}
