// SPDX-License-Identifier: MIT
#include "base/base64.h"
#include "base/json_writer.h"
#include "destinations/kinesis_body.h"

#include <cjson/cJSON.h>

/* JSON around the base64 of a record and its key, and around all records. */
enum { RECORD_OVERHEAD_BYTES = 40, REQUEST_OVERHEAD_BYTES = 256 };

/* Exact but for keys with characters to escape, which are rare. */
static size_t request_size(const struct kinesis_request *request) {
    size_t size = REQUEST_OVERHEAD_BYTES + request->stream.len;
    for (size_t i = 0; i < request->count; i++) {
        const struct record *record = &request->group->records[i];
        size += base64_encoded_length(record->length) + record->key_length + RECORD_OVERHEAD_BYTES;
    }
    return size;
}

static void append_record(struct buf *out, struct span data, struct span key) {
    buf_append(out, SPAN("{\"Data\":\""));
    base64_append(out, data);
    buf_append(out, SPAN("\",\"PartitionKey\":"));
    json_append_string(out, key);
    buf_append_char(out, '}');
}

static void write_request(const struct kinesis_request *request, struct buf *out) {
    (void)buf_reserve(out, request_size(request));
    buf_append(out, SPAN("{\"Records\":["));
    for (size_t i = 0; i < request->count; i++) {
        if (i > 0) {
            buf_append_char(out, ',');
        }
        append_record(out, record_group_data(request->group, i),
                      record_group_key(request->group, i));
    }
    buf_append(out, SPAN("],"));
    json_append_member(out, request->is_arn ? SPAN("StreamARN") : SPAN("StreamName"),
                       request->stream);
    buf_append_char(out, '}');
}

static const char *text_of(const cJSON *object, const char *name) {
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    return text == NULL ? "" : text;
}

static bool read_records(const cJSON *records, kinesis_result_fn each, void *context) {
    const cJSON *record = NULL;
    cJSON_ArrayForEach(record, records) {
        const struct kinesis_result result = {
            .has_number = text_of(record, "SequenceNumber")[0] != '\0',
            .code = text_of(record, "ErrorCode"),
            .message = text_of(record, "ErrorMessage"),
        };
        if (!cJSON_IsObject(record) || !each(context, &result)) {
            return false;
        }
    }
    return true;
}

static bool read_answer(struct span answer, kinesis_result_fn each, void *context) {
    cJSON *parsed = cJSON_ParseWithLength(answer.ptr, answer.len);
    const cJSON *records = cJSON_GetObjectItemCaseSensitive(parsed, "Records");
    bool good = cJSON_IsArray(records) && read_records(records, each, context);
    cJSON_Delete(parsed);
    return good;
}

const struct kinesis_body kinesis_body_json = {
    .content_type = AWS_JSON_CONTENT_TYPE,
    .write = write_request,
    .read = read_answer,
};
