// SPDX-License-Identifier: MIT
#include "base/base64.h"

#include "base/vector.h"

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

/* `to` has room for all characters. */
static void encode(struct span bytes, char *to) {
    const uint8_t *from = (const uint8_t *)bytes.ptr;
    size_t at = vector_base64(bytes, to);
    to += at / 3 * 4;
    for (; bytes.len - at >= 3; at += 3, to += 4) {
        encode_three(from + at, to);
    }
    if (at < bytes.len) {
        encode_rest(from + at, bytes.len - at, to);
    }
}

void base64_append(struct buf *out, struct span bytes) {
    size_t length = base64_encoded_length(bytes.len);
    char *to = buf_reserve(out, length);
    if (to != NULL) {
        encode(bytes, to);
        buf_commit(out, length);
    }
}
