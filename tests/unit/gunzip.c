// SPDX-License-Identifier: MIT
#include "gunzip.h"

#include "base/gzip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { HEADER_BYTES = 10, TRAILER_BYTES = 8 };

static uint32_t little_endian(const char *bytes) {
    uint32_t value = 0;
    for (int i = 3; i >= 0; i--) {
        value = value << 8 | (uint8_t)bytes[i];
    }
    return value;
}

struct buf gunzip(struct span member) {
    struct buf content = buf_with_ceiling(SIZE_MAX);
    assert_true(member.len > HEADER_BYTES + TRAILER_BYTES);
    assert_memory_equal(member.ptr, "\x1f\x8b\x08\x00", 4);
    const char *trailer = member.ptr + member.len - TRAILER_BYTES;
    struct span deflated = span_skip(span_first(member, member.len - TRAILER_BYTES), HEADER_BYTES);
    assert_true(inflate_append(&content, deflated, little_endian(trailer + 4), NULL));
    assert_int_equal(crc32_of(buf_span(&content)), little_endian(trailer));
    return content;
}
