// SPDX-License-Identifier: MIT
#include "put_records.h"

#include <libdeflate.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <string.h>

#define SEQUENCE_NUMBER "49543463076548007577105092703039560359975228518395019266"
#define SHARD "shardId-000000000000"

enum {
    CBOR_INFO = 0x1f,
    CBOR_LENGTH_FOLLOWS = 24, /* in 1, 2, 4 or 8 bytes */
    KEY_AT_MOST = 64,         /* bytes after the data its key is named */
    GZIP_HEADER_BYTES = 10,
    GZIP_TRAILER_BYTES = 8,
};

static const uint8_t *bytes_of(const char *ptr) { return (const uint8_t *)ptr; }

/* --- where it is --- */

/* Skips to behind the first `name` in the first `limit` bytes. */
static bool skip_to(struct span *rest, struct span name, size_t limit) {
    struct span searched = span_first(*rest, limit);
    const char *found =
        searched.len == 0 ? NULL : memmem(searched.ptr, searched.len, name.ptr, name.len);
    if (found == NULL) {
        return false;
    }
    *rest = span_skip(*rest, (size_t)(found - rest->ptr) + name.len);
    return true;
}

static bool json_string(struct span *rest, struct span name, size_t limit, struct span *ret) {
    if (!skip_to(rest, name, limit)) {
        return false;
    }
    *ret = span_cut(rest, '"');
    return true;
}

/* Bytes or text, of a definite length, behind the member's name. */
static bool cbor_string(struct span *rest, struct span name, size_t limit, struct span *ret) {
    if (!skip_to(rest, name, limit) || rest->len == 0) {
        return false;
    }
    uint8_t info = bytes_of(rest->ptr)[0] & CBOR_INFO;
    size_t size = info < CBOR_LENGTH_FOLLOWS ? 0 : (size_t)1 << (info - CBOR_LENGTH_FOLLOWS);
    size_t length = info < CBOR_LENGTH_FOLLOWS ? info : 0;
    if (size > sizeof length || rest->len <= size) {
        return false;
    }
    for (size_t i = 1; i <= size; i++) {
        length = length << 8 | bytes_of(rest->ptr)[i];
    }
    *rest = span_skip(*rest, 1 + size);
    *ret = span_first(*rest, length);
    *rest = span_skip(*rest, length);
    return ret->len == length;
}

bool put_records_next(enum wire_format format, struct span *rest, struct put_record *ret) {
    *ret = (struct put_record){0};
    if (format == WIRE_JSON) {
        return json_string(rest, SPAN("\"Data\":\""), SIZE_MAX, &ret->data) &&
               json_string(rest, SPAN("\"PartitionKey\":\""), KEY_AT_MOST, &ret->key);
    }
    return cbor_string(rest,
                       SPAN("\x64"
                            "Data"),
                       SIZE_MAX, &ret->data) &&
           cbor_string(rest, SPAN("\x6cPartitionKey"), KEY_AT_MOST, &ret->key);
}

size_t put_records_count(enum wire_format format, struct span body) {
    size_t count = 0;
    struct put_record record;
    while (put_records_next(format, &body, &record)) {
        count++;
    }
    return count;
}

/* --- what it is --- */

static bool append_decoded(struct buf *out, struct span text) {
    char *space = text.len % 4 == 0 ? buf_reserve(out, text.len / 4 * 3) : NULL;
    if (space == NULL || EVP_DecodeBlock((unsigned char *)space, bytes_of(text.ptr),
                                         (int)text.len) != (int)(text.len / 4 * 3)) {
        return false;
    }
    size_t padding = span_ends_with(text, SPAN("==")) ? 2 : span_ends_with(text, SPAN("="));
    buf_commit(out, text.len / 4 * 3 - padding);
    return true;
}

static bool append_inflated(struct buf *out, struct span data) {
    static _Thread_local struct libdeflate_decompressor *decompressor;
    if (decompressor == NULL) {
        decompressor = libdeflate_alloc_decompressor();
    }
    uint32_t size = 0;
    memcpy(&size, data.ptr + data.len - sizeof size, sizeof size);
    char *space = buf_reserve(out, size);
    if (decompressor == NULL || space == NULL ||
        libdeflate_gzip_decompress(decompressor, data.ptr, data.len, space, size, NULL) !=
            LIBDEFLATE_SUCCESS) {
        return false;
    }
    buf_commit(out, size);
    return true;
}

static bool is_gzip(struct span data) {
    return data.len >= GZIP_HEADER_BYTES + GZIP_TRAILER_BYTES &&
           span_starts_with(data, SPAN("\x1f\x8b"));
}

static bool append_plain(struct buf *out, struct span data) {
    if (is_gzip(data)) {
        return append_inflated(out, data);
    }
    buf_append(out, data);
    return !buf_failed(out);
}

bool put_records_open(enum wire_format format, struct span data, struct buf *plain,
                      size_t *stored) {
    static _Thread_local struct buf decoded = {.ceiling = SIZE_MAX};
    buf_clear(&decoded);
    buf_clear(plain);
    if (format == WIRE_JSON) {
        if (!append_decoded(&decoded, data)) {
            return false;
        }
        data = buf_span(&decoded);
    }
    *stored = data.len;
    return append_plain(plain, data);
}

/* --- the answer --- */

static void answer_json(size_t count, struct buf *out) {
    buf_append(out, SPAN("{\"FailedRecordCount\":0,\"Records\":["));
    for (size_t i = 0; i < count; i++) {
        buf_append_text(out, i == 0 ? "" : ",");
        buf_append(out,
                   SPAN("{\"SequenceNumber\":\"" SEQUENCE_NUMBER "\",\"ShardId\":\"" SHARD "\"}"));
    }
    buf_append(out, SPAN("]}"));
}

static void cbor_text(struct buf *out, struct span text) {
    if (text.len < 24) {
        buf_append_char(out, (char)(0x60 + text.len));
    } else {
        buf_append_char(out, 0x78);
        buf_append_char(out, (char)text.len);
    }
    buf_append(out, text);
}

/* Maps and the array of indefinite length, as Jackson writes them. */
static void answer_cbor(size_t count, struct buf *out) {
    buf_append(out, SPAN("\xbf"));
    cbor_text(out, SPAN("FailedRecordCount"));
    buf_append_char(out, 0);
    cbor_text(out, SPAN("Records"));
    buf_append(out, SPAN("\x9f"));
    for (size_t i = 0; i < count; i++) {
        buf_append(out, SPAN("\xbf"));
        cbor_text(out, SPAN("SequenceNumber"));
        cbor_text(out, SPAN(SEQUENCE_NUMBER));
        cbor_text(out, SPAN("ShardId"));
        cbor_text(out, SPAN(SHARD));
        buf_append(out, SPAN("\xff"));
    }
    buf_append(out, SPAN("\xff\xff"));
}

void put_records_answer(enum wire_format format, size_t count, struct buf *out) {
    (format == WIRE_CBOR ? answer_cbor : answer_json)(count, out);
}
