// SPDX-License-Identifier: MIT
#include "base/cbor_reader.h"
#include "base/cbor_writer.h"
#include "destinations/kinesis_body.h"

/* Names and lengths around a record and its key, and around all records; at most. */
enum { RECORD_OVERHEAD_BYTES = 40, REQUEST_OVERHEAD_BYTES = 64 };

/* What is kept of the texts of an answer. */
enum { KEY_BYTES = 24, NUMBER_BYTES = 8, CODE_BYTES = 96, MESSAGE_BYTES = 512 };

/* --- the request --- */

/* An upper bound but for keys that are not UTF-8, which are rare. */
static size_t request_size(const struct kinesis_request *request) {
    size_t size = REQUEST_OVERHEAD_BYTES + request->stream.len;
    for (size_t i = 0; i < request->count; i++) {
        const struct record *record = &request->group->records[i];
        size += record->length + record->key_length + RECORD_OVERHEAD_BYTES;
    }
    return size;
}

static void append_record(struct buf *out, struct span data, struct span key) {
    cbor_append_map(out, 2);
    cbor_append_text(out, SPAN("Data"));
    cbor_append_bytes(out, data);
    cbor_append_text(out, SPAN("PartitionKey"));
    cbor_append_text(out, key);
}

static void write_request(const struct kinesis_request *request, struct buf *out) {
    (void)buf_reserve(out, request_size(request));
    cbor_append_map(out, 2);
    cbor_append_text(out, SPAN("Records"));
    cbor_append_array(out, request->count);
    for (size_t i = 0; i < request->count; i++) {
        append_record(out, record_group_data(request->group, i),
                      record_group_key(request->group, i));
    }
    cbor_append_text(out, request->is_arn ? SPAN("StreamARN") : SPAN("StreamName"));
    cbor_append_text(out, request->stream);
}

/* --- the answer --- */

static bool read_record(struct cbor_reader *reader, kinesis_result_fn each, void *context) {
    char key[KEY_BYTES];
    char number[NUMBER_BYTES] = "";
    char code[CODE_BYTES] = "";
    char message[MESSAGE_BYTES] = "";
    struct cbor_items members;
    if (!cbor_enter_map(reader, &members)) {
        return false;
    }
    while (cbor_next(reader, &members)) {
        (void)cbor_read_text(reader, key, sizeof key);
        if (strcmp(key, "SequenceNumber") == 0) {
            (void)cbor_read_text(reader, number, sizeof number);
        } else if (strcmp(key, "ErrorCode") == 0) {
            (void)cbor_read_text(reader, code, sizeof code);
        } else if (strcmp(key, "ErrorMessage") == 0) {
            (void)cbor_read_text(reader, message, sizeof message);
        } else {
            cbor_skip(reader);
        }
    }
    const struct kinesis_result result = {number[0] != '\0', code, message};
    return !cbor_failed(reader) && each(context, &result);
}

static bool read_records(struct cbor_reader *reader, kinesis_result_fn each, void *context) {
    struct cbor_items records;
    if (!cbor_enter_array(reader, &records)) {
        return false;
    }
    while (cbor_next(reader, &records)) {
        if (!read_record(reader, each, context)) {
            return false;
        }
    }
    return !cbor_failed(reader);
}

static bool read_answer(struct span answer, kinesis_result_fn each, void *context) {
    char key[KEY_BYTES];
    bool told = false;
    struct cbor_reader reader = cbor_reader_of(answer);
    struct cbor_items members;
    if (!cbor_enter_map(&reader, &members)) {
        return false;
    }
    while (cbor_next(&reader, &members)) {
        (void)cbor_read_text(&reader, key, sizeof key);
        if (strcmp(key, "Records") != 0) {
            cbor_skip(&reader);
        } else if (told || !read_records(&reader, each, context)) {
            return false;
        } else {
            told = true;
        }
    }
    return told && !cbor_failed(&reader);
}

const struct kinesis_body kinesis_body_cbor = {
    .content_type = AWS_CBOR_CONTENT_TYPE,
    .write = write_request,
    .read = read_answer,
};
