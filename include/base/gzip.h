// SPDX-License-Identifier: MIT
/* DEFLATE compression of whole buffers, and the checksum that comes with it. The one door to
 * libdeflate. */
#pragma once

#include "base/attributes.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/span.h"

#include <stdint.h>

/* Appends `data` compressed as raw DEFLATE (RFC 1951). `level` 1 (fast) … 12. ERR_MEMORY. */
MUST_CHECK bool deflate_append(struct buf *out, struct span data, int level, struct error *err);

/* Appends the `inflated_bytes` bytes that `data` (raw DEFLATE) decompresses to. ERR_INVALID when it
 * is not valid or does not give exactly that many. */
MUST_CHECK bool inflate_append(struct buf *out, struct span data, size_t inflated_bytes,
                               struct error *err);

/* CRC-32 as gzip has it. */
uint32_t crc32_of(struct span data);
