// SPDX-License-Identifier: MIT
#include "base/utf8.h"

#include "base/vector.h"

#include <stdint.h>

/* What may follow a first byte: RFC 3629, section 4. Only the second byte has bounds of its own;
 * they keep out overlong forms, surrogates and what is above U+10FFFF. */
struct sequence {
    uint8_t length;
    uint8_t second_min;
    uint8_t second_max;
};

static struct sequence sequence_of(uint8_t first) {
    if (first < 0x80) {
        return (struct sequence){1, 0, 0};
    }
    if (first >= 0xC2 && first <= 0xDF) {
        return (struct sequence){2, 0x80, 0xBF};
    }
    if (first >= 0xE0 && first <= 0xEF) {
        uint8_t min = first == 0xE0 ? 0xA0 : 0x80;
        uint8_t max = first == 0xED ? 0x9F : 0xBF;
        return (struct sequence){3, min, max};
    }
    if (first >= 0xF0 && first <= 0xF4) {
        uint8_t min = first == 0xF0 ? 0x90 : 0x80;
        uint8_t max = first == 0xF4 ? 0x8F : 0xBF;
        return (struct sequence){4, min, max};
    }
    return (struct sequence){0, 0, 0};
}

size_t utf8_sequence_length(struct span s) {
    if (s.len == 0) {
        return 0;
    }
    const uint8_t *bytes = (const uint8_t *)s.ptr;
    struct sequence sequence = sequence_of(bytes[0]);
    if (sequence.length > s.len) {
        return 0;
    }
    if (sequence.length > 1 && (bytes[1] < sequence.second_min || bytes[1] > sequence.second_max)) {
        return 0;
    }
    for (size_t i = 2; i < sequence.length; i++) {
        if ((bytes[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return sequence.length;
}

size_t utf8_valid_length(struct span s) {
    size_t at = vector_utf8(s);
    size_t length;
    while ((length = utf8_sequence_length(span_skip(s, at))) > 0) {
        at += length;
    }
    return at;
}

bool utf8_is_valid(struct span s) { return utf8_valid_length(s) == s.len; }
