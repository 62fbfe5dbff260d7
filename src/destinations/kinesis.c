// SPDX-License-Identifier: MIT
#include "destinations/kinesis.h"

#include "base/base64.h"
#include "base/json_writer.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>

/* JSON around the base64 of a record and its key, and around all records. */
enum {
    RECORD_OVERHEAD_BYTES = 40,
    REQUEST_OVERHEAD_BYTES = 256,
    /* A request of the largest records, and its keys with every character escaped. */
    BODY_CEILING = 32 * 1024 * 1024,
    /* Larger ones are rare, and not worth keeping the memory for. */
    BODY_KEPT_BYTES = 512 * 1024,
};

struct lane {
    struct kinesis *kinesis;
    struct aws_call call;
    struct buf body;
    size_t count; /* records in the request */
    delivery_done_fn done;
    void *context;
    enum record_fate fates[KINESIS_RECORDS_MAX];
};

struct kinesis {
    struct destination destination; /* first, so that a pointer to it is a pointer to this */
    struct aws_client *client;
    struct span stream;
    bool has_taken; /* a request was answered with 200 */
    struct lane lanes[DESTINATION_LANES_MAX];
};

struct destination_limits kinesis_limits(size_t max_record_bytes) {
    bool large = max_record_bytes > KINESIS_RECORD_BYTES_MAX;
    size_t record = large ? max_record_bytes : KINESIS_RECORD_BYTES_MAX;
    return (struct destination_limits){
        .max_records = KINESIS_RECORDS_MAX,
        .max_record_bytes = record,
        .max_request_bytes =
            record > KINESIS_REQUEST_BYTES_MAX ? record : KINESIS_REQUEST_BYTES_MAX,
        .billing_unit_bytes = KINESIS_PAYLOAD_UNIT_BYTES,
    };
}

/* --- the stream's name --- */

static bool is_name_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
}

bool kinesis_is_stream_name(struct span text) {
    for (size_t i = 0; i < text.len; i++) {
        if (!is_name_char(text.ptr[i])) {
            return false;
        }
    }
    return text.len >= 1 && text.len <= KINESIS_STREAM_NAME_MAX;
}

static bool is_account(struct span text) {
    unsigned long long number = 0;
    return text.len == 12 && span_to_u64(text, &number);
}

/* arn:aws…:kinesis:<region>:<account>:stream/<name> */
bool kinesis_is_stream_arn(struct span text) {
    struct span rest = text;
    struct span arn = span_cut(&rest, ':');
    struct span partition = span_cut(&rest, ':');
    struct span service = span_cut(&rest, ':');
    struct span region = span_cut(&rest, ':');
    struct span account = span_cut(&rest, ':');
    return span_equals(arn, SPAN("arn")) && span_starts_with(partition, SPAN("aws")) &&
           span_equals(service, SPAN("kinesis")) && region.len > 0 && is_account(account) &&
           span_starts_with(rest, SPAN("stream/")) &&
           kinesis_is_stream_name(span_skip(rest, SPAN("stream/").len));
}

struct span kinesis_arn_region(struct span arn) {
    struct span rest = arn;
    for (int i = 0; i < 3; i++) {
        (void)span_cut(&rest, ':');
    }
    return span_cut(&rest, ':');
}

/* --- the request --- */

static size_t body_size(const struct kinesis *kinesis, const struct record_group *group,
                        size_t count) {
    size_t size = REQUEST_OVERHEAD_BYTES + kinesis->stream.len;
    for (size_t i = 0; i < count; i++) {
        size += base64_encoded_length(group->records[i].length) + group->records[i].key_length +
                RECORD_OVERHEAD_BYTES;
    }
    return size;
}

static void append_record(struct buf *body, struct span data, struct span key) {
    buf_append(body, SPAN("{\"Data\":\""));
    base64_append(body, data);
    buf_append(body, SPAN("\",\"PartitionKey\":"));
    json_append_string(body, key);
    buf_append_char(body, '}');
}

static bool write_body(const struct kinesis *kinesis, const struct record_group *group,
                       size_t count, struct buf *body) {
    buf_clear(body);
    (void)buf_reserve(body, body_size(kinesis, group, count));
    buf_append(body, SPAN("{\"Records\":["));
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            buf_append_char(body, ',');
        }
        append_record(body, record_group_data(group, i), record_group_key(group, i));
    }
    bool is_arn = kinesis_is_stream_arn(kinesis->stream);
    buf_append(body, SPAN("],"));
    json_append_member(body, is_arn ? SPAN("StreamARN") : SPAN("StreamName"), kinesis->stream);
    buf_append_char(body, '}');
    return !buf_failed(body);
}

/* --- the answer --- */

static const char *text_of(const cJSON *object, const char *name) {
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    return text == NULL ? "" : text;
}

/* Pace and fate of a record that failed while others of its request may have passed. */
static enum record_fate judge_failure(const char *code, enum retry_pace *pace) {
    switch (aws_classify(400, span_of_text(code), (struct span){0})) {
    case AWS_THROTTLED:
        *pace = PACE_THROTTLED;
        return RECORD_RETRY;
    case AWS_MISCONFIGURED:
    case AWS_CREDENTIALS:
        *pace = *pace == PACE_THROTTLED ? *pace : PACE_MISCONFIGURED;
        return RECORD_RETRY;
    case AWS_REFUSED:
        return RECORD_NEVER;
    case AWS_OK:
    case AWS_TRANSIENT:
    case AWS_CLOCK_SKEW:
    case AWS_TOO_LARGE:
        break;
    }
    return RECORD_RETRY;
}

static void explain(const cJSON *record, size_t failed, size_t count,
                    char reason[DELIVERY_REASON_BYTES]) {
    (void)snprintf(reason, DELIVERY_REASON_BYTES, "%zu of %zu records failed, the last with %s: %s",
                   failed, count, text_of(record, "ErrorCode"), text_of(record, "ErrorMessage"));
}

static bool read_records(const cJSON *records, size_t count, enum record_fate *fates,
                         enum retry_pace *pace, char reason[DELIVERY_REASON_BYTES]) {
    size_t read = 0;
    size_t failed = 0;
    const cJSON *last_failed = NULL;
    const cJSON *record = NULL;
    cJSON_ArrayForEach(record, records) {
        const char *code = text_of(record, "ErrorCode");
        bool taken = text_of(record, "SequenceNumber")[0] != '\0';
        if (read == count || !cJSON_IsObject(record) || (!taken && code[0] == '\0')) {
            return false;
        }
        fates[read] = RECORD_DELIVERED;
        if (code[0] != '\0') {
            fates[read] = judge_failure(code, pace);
            last_failed = record;
            failed++;
        }
        read++;
    }
    if (last_failed != NULL) {
        explain(last_failed, failed, count, reason);
    }
    return read == count;
}

bool kinesis_read_answer(struct span body, size_t count, enum record_fate *fates,
                         enum retry_pace *pace, char reason[DELIVERY_REASON_BYTES],
                         struct error *err) {
    *pace = PACE_TRANSIENT;
    reason[0] = '\0';
    cJSON *answer = cJSON_ParseWithLength(body.ptr, body.len);
    const cJSON *records = cJSON_GetObjectItemCaseSensitive(answer, "Records");
    bool good = cJSON_IsArray(records) && read_records(records, count, fates, pace, reason);
    cJSON_Delete(answer);
    if (!good) {
        return error_set(err, ERR_INVALID,
                         "the answer of %zu bytes does not tell of each of %zu records", body.len,
                         count);
    }
    return true;
}

static enum retry_pace pace_of(enum aws_verdict verdict, bool connection_was_reused) {
    switch (verdict) {
    case AWS_THROTTLED:
        return PACE_THROTTLED;
    case AWS_CREDENTIALS:
    case AWS_CLOCK_SKEW:
        return PACE_NOW;
    case AWS_TOO_LARGE:
    case AWS_REFUSED:
        return PACE_SMALLER;
    case AWS_MISCONFIGURED:
        return PACE_MISCONFIGURED;
    case AWS_OK:
    case AWS_TRANSIENT:
        break;
    }
    return connection_was_reused ? PACE_NOW : PACE_TRANSIENT;
}

/* What the verdict asks of the client before the next try. */
static void mend_client(struct aws_client *client, const struct aws_answer *answer) {
    if (answer->verdict == AWS_CREDENTIALS) {
        credentials_renew(client->credentials);
    } else if (answer->verdict == AWS_CLOCK_SKEW && answer->server_wall_ms > 0) {
        client->clock_offset_ms = answer->server_wall_ms - clock_wall_ms(client->clock);
    }
}

/* Whether a request is to be taken apart until the record that the service cannot take stands
 * alone. */
static bool is_hopeless(const struct aws_answer *answer) {
    return answer->verdict == AWS_REFUSED || answer->verdict == AWS_TOO_LARGE;
}

/* A record is given up only once the service has taken others: until then its refusal may be meant
 * for something that all requests have in common, and that somebody can mend. */
static bool is_given_up(const struct lane *lane, const struct aws_answer *answer) {
    return lane->count == 1 && (answer->verdict == AWS_TOO_LARGE ||
                                (answer->verdict == AWS_REFUSED && lane->kinesis->has_taken));
}

/* The same fate for all: none was taken. */
static void fail_all(struct lane *lane, const struct aws_answer *answer,
                     struct delivery *delivery) {
    enum record_fate fate = is_given_up(lane, answer) ? RECORD_NEVER : RECORD_RETRY;
    for (size_t i = 0; i < lane->count; i++) {
        lane->fates[i] = fate;
    }
    bool lost = answer->status == 0 && answer->connection_was_reused;
    if (fate == RECORD_NEVER) {
        delivery->pace = PACE_NEVER;
    } else if (is_hopeless(answer) && lane->count == 1) {
        delivery->pace = PACE_MISCONFIGURED;
    } else {
        delivery->pace = pace_of(answer->verdict, lost);
    }
    delivery->retry_after_ms = answer->retry_after_ms;
    if (answer->status == 0) {
        (void)snprintf(delivery->reason, sizeof delivery->reason, "no answer: %s",
                       answer->error_message);
    } else if (answer->error_code[0] == '\0') {
        (void)snprintf(delivery->reason, sizeof delivery->reason,
                       "HTTP status %d without an error code", answer->status);
    } else {
        (void)snprintf(delivery->reason, sizeof delivery->reason, "HTTP status %d %s: %s",
                       answer->status, answer->error_code, answer->error_message);
    }
}

static void on_answer(void *context, const struct aws_answer *answer) {
    struct lane *lane = context;
    struct delivery delivery = {.fates = lane->fates};
    struct error err = {0};
    mend_client(lane->kinesis->client, answer);
    lane->kinesis->has_taken |= answer->verdict == AWS_OK;
    if (lane->body.capacity > BODY_KEPT_BYTES) {
        buf_done(&lane->body);
    }
    if (answer->verdict != AWS_OK) {
        fail_all(lane, answer, &delivery);
    } else if (!kinesis_read_answer(answer->body, lane->count, lane->fates, &delivery.pace,
                                    delivery.reason, &err)) {
        fail_all(lane, answer, &delivery);
        (void)snprintf(delivery.reason, sizeof delivery.reason, "HTTP status 200, but %.300s",
                       err.message);
    }
    lane->done(lane->context, &delivery);
}

/* --- the destination --- */

static bool send_records(struct destination *self, size_t index, const struct record_group *group,
                         size_t count, bool fresh_connection, delivery_done_fn done, void *context,
                         struct error *err) {
    struct kinesis *kinesis = (struct kinesis *)self;
    struct lane *lane = &kinesis->lanes[index];
    if (!write_body(kinesis, group, count, &lane->body)) {
        return error_set_memory(err, "a PutRecords request");
    }
    lane->count = count;
    lane->done = done;
    lane->context = context;
    const struct aws_request request = {
        .target = "Kinesis_20131202.PutRecords",
        .content_type = "application/x-amz-json-1.1",
        .body = buf_span(&lane->body),
        .time_limit_ms = KINESIS_REQUEST_LIMIT_MS,
        .fresh_connection = fresh_connection,
    };
    return aws_call_start(kinesis->client, &request, &lane->call, on_answer, lane, err);
}

static void cancel(struct destination *self, size_t index) {
    struct kinesis *kinesis = (struct kinesis *)self;
    aws_call_cancel(kinesis->client, &kinesis->lanes[index].call);
}

struct kinesis *kinesis_create(const struct kinesis_settings *settings, struct error *err) {
    struct kinesis *kinesis = calloc(1, sizeof *kinesis);
    if (kinesis == NULL) {
        error_set_memory(err, "the Kinesis destination");
        return NULL;
    }
    kinesis->destination = (struct destination){
        .name = "kinesis",
        .limits = kinesis_limits(settings->max_record_bytes),
        .send = send_records,
        .cancel = cancel,
    };
    kinesis->client = settings->client;
    kinesis->stream = settings->stream;
    for (size_t i = 0; i < DESTINATION_LANES_MAX; i++) {
        kinesis->lanes[i].kinesis = kinesis;
        kinesis->lanes[i].body = buf_with_ceiling(BODY_CEILING);
    }
    return kinesis;
}

void kinesis_destroy(struct kinesis *kinesis) {
    if (kinesis == NULL) {
        return;
    }
    for (size_t i = 0; i < DESTINATION_LANES_MAX; i++) {
        cancel(&kinesis->destination, i);
        buf_done(&kinesis->lanes[i].body);
    }
    free(kinesis);
}

struct destination *kinesis_destination(struct kinesis *kinesis) {
    return &kinesis->destination;
}
