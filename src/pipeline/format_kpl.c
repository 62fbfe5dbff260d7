// SPDX-License-Identifier: MIT
/* A record is an aggregated record as the Kinesis Producer Library writes it: a magic number, a
 * protobuf message, and the message's MD5. Its sub-records are the lines, each ended by a newline.
 *
 *   AggregatedRecord { repeated string partition_key_table = 1; repeated Record records = 3; }
 *   Record { required uint64 partition_key_index = 1; required bytes data = 3; }
 *
 * All sub-records have the record's own partition key: a consumer with enhanced fan-out drops those
 * whose key belongs to another shard.
 * aggregation-format.md of awslabs/amazon-kinesis-producer. */
#include "base/crypto.h"
#include "pipeline/format.h"

/* A field's number and its wire type: 0 is a varint, 2 is bytes after their length. */
#define FIELD(number, type) ((char)((number) << 3 | (type)))

#define MAGIC SPAN("\xF3\x89\x9A\xC2")

enum {
    VARINT_BYTES_MAX = 10,
    LENGTH_BYTES_MAX = 5, /* of lengths below 32 GiB */
    INDEX_BYTES = 2,      /* partition_key_index and its 0 */
};

static size_t write_varint(uint64_t value, char ret[VARINT_BYTES_MAX]) {
    size_t length = 0;
    while (value >= 0x80) {
        ret[length++] = (char)(0x80 | (value & 0x7F));
        value >>= 7;
    }
    ret[length++] = (char)value;
    return length;
}

static size_t varint_bytes(uint64_t value) {
    char bytes[VARINT_BYTES_MAX];
    return write_varint(value, bytes);
}

/* The start of a field of `length` bytes. */
static void append_field(struct buf *out, int number, size_t length) {
    char bytes[VARINT_BYTES_MAX];
    buf_append_char(out, FIELD(number, 2));
    buf_append(out, span_of(bytes, write_varint(length, bytes)));
}

static size_t opening_bytes(const struct record_heading *heading) {
    size_t key = heading->partition_key.len;
    return MAGIC.len + 1 + varint_bytes(key) + key;
}

static void open_record(struct buf *out, const struct record_heading *heading) {
    buf_append(out, MAGIC);
    append_field(out, 1, heading->partition_key.len);
    buf_append(out, heading->partition_key);
}

static void append_line(struct buf *out, const struct line *line, bool first) {
    (void)first;
    size_t data = line_length(line) + 1;
    append_field(out, 3, INDEX_BYTES + 1 + varint_bytes(data) + data);
    buf_append_char(out, FIELD(1, 0));
    buf_append_char(out, 0);
    append_field(out, 3, data);
    line_append(out, line);
    buf_append_char(out, '\n');
}

static bool close_record(struct buf *out, size_t start) {
    uint8_t sum[MD5_BYTES];
    struct span message = span_skip(buf_span(out), start + MAGIC.len);
    if (!crypto_md5(message, sum, NULL)) {
        return false;
    }
    buf_append(out, span_of((const char *)sum, sizeof sum));
    return true;
}

const struct format format_kpl = {
    .name = "kpl",
    .opening_bytes = opening_bytes,
    .open = open_record,
    .line_framing_bytes = 1 + LENGTH_BYTES_MAX + INDEX_BYTES + 1 + LENGTH_BYTES_MAX + 1,
    .append = append_line,
    .closing_bytes = MD5_BYTES,
    .close = close_record,
};
