// SPDX-License-Identifier: MIT
#include "base/gzip.h"

#include <libdeflate.h>

bool gzip_compressor_init(struct gzip_compressor *compressor, int level, struct error *err) {
    compressor->deflate = libdeflate_alloc_compressor(level);
    return compressor->deflate != NULL || error_set_memory(err, "compression");
}

void gzip_compressor_done(struct gzip_compressor *compressor) {
    libdeflate_free_compressor(compressor->deflate);
    compressor->deflate = NULL;
}

size_t gzip_bound(size_t bytes) { return libdeflate_gzip_compress_bound(NULL, bytes); }

bool gzip_append(struct gzip_compressor *compressor, struct buf *out, struct span data,
                 struct error *err) {
    size_t room = gzip_bound(data.len);
    char *to = buf_reserve(out, room);
    if (to == NULL) {
        return error_set_memory(err, "compression");
    }
    buf_commit(out, libdeflate_gzip_compress(compressor->deflate, data.ptr, data.len, to, room));
    return true;
}

static bool compress_into(struct libdeflate_compressor *compressor, struct buf *out,
                          struct span data) {
    size_t room = libdeflate_deflate_compress_bound(compressor, data.len);
    char *to = buf_reserve(out, room);
    if (to == NULL) {
        return false;
    }
    buf_commit(out, libdeflate_deflate_compress(compressor, data.ptr, data.len, to, room));
    return true;
}

bool deflate_append(struct buf *out, struct span data, int level, struct error *err) {
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(level);
    bool good = compressor != NULL && compress_into(compressor, out, data);
    libdeflate_free_compressor(compressor);
    return good || error_set_memory(err, "compression");
}

bool inflate_append(struct buf *out, struct span data, size_t inflated_bytes, struct error *err) {
    struct libdeflate_decompressor *decompressor = libdeflate_alloc_decompressor();
    char *to = decompressor == NULL ? NULL : buf_reserve(out, inflated_bytes);
    if (to == NULL) {
        libdeflate_free_decompressor(decompressor);
        return error_set_memory(err, "decompression");
    }
    enum libdeflate_result result =
        libdeflate_deflate_decompress(decompressor, data.ptr, data.len, to, inflated_bytes, NULL);
    libdeflate_free_decompressor(decompressor);
    if (result != LIBDEFLATE_SUCCESS) {
        return error_set(err, ERR_INVALID, "the compressed bytes are not valid");
    }
    buf_commit(out, inflated_bytes);
    return true;
}

uint32_t crc32_of(struct span data) { return libdeflate_crc32(0, data.ptr, data.len); }
