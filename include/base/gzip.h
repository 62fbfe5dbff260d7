// SPDX-License-Identifier: MIT
/* DEFLATE compression of whole buffers, bare or as gzip, and the checksum that comes with it. The
 * one door to libdeflate. */
#pragma once

#include "base/attributes.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct libdeflate_compressor;

/* For who compresses again and again. Belongs to one thread; a zeroed one is fine to be done. */
struct gzip_compressor {
    struct libdeflate_compressor *deflate;
};

/* `level` 1 (fast) … 12. ERR_MEMORY. */
MUST_CHECK bool gzip_compressor_init(struct gzip_compressor *compressor, int level,
                                     struct error *err);

/* May run twice. */
void gzip_compressor_done(struct gzip_compressor *compressor);

/* Bytes that a gzip member of `bytes` bytes has at most, whatever they are. Pure. */
size_t gzip_bound(size_t bytes);

/* Appends `data` as one gzip member (RFC 1952), without name and time. Fails only when *out cannot
 * have gzip_bound(data.len) bytes more (ERR_MEMORY): once they are reserved, never. */
MUST_CHECK bool gzip_append(struct gzip_compressor *compressor, struct buf *out, struct span data,
                            struct error *err);

/* Appends `data` compressed as raw DEFLATE (RFC 1951). `level` 1 (fast) … 12. ERR_MEMORY. */
MUST_CHECK bool deflate_append(struct buf *out, struct span data, int level, struct error *err);

/* Appends the `inflated_bytes` bytes that `data` (raw DEFLATE) decompresses to. ERR_INVALID when it
 * is not valid or does not give exactly that many. */
MUST_CHECK bool inflate_append(struct buf *out, struct span data, size_t inflated_bytes,
                               struct error *err);

/* CRC-32 as gzip has it. */
uint32_t crc32_of(struct span data);
