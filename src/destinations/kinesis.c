// SPDX-License-Identifier: MIT
#include "destinations/kinesis.h"

#include "destinations/kinesis_answer.h"
#include "destinations/kinesis_body.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    /* A request of the largest records, and its keys with every character escaped. */
    BODY_CEILING = 32 * 1024 * 1024,
    /* Larger ones are rare with the default settings, and not worth keeping the memory for. */
    BODY_KEPT_BYTES = 1024 * 1024,
};

struct lane {
    struct kinesis *kinesis;
    struct aws_call call;
    struct buf body;
    enum aws_format format; /* of the body */
    size_t count;           /* records in the request */
    delivery_done_fn done;
    void *context;
    enum record_fate fates[KINESIS_RECORDS_MAX];
};

struct kinesis {
    struct destination destination; /* first, so that a pointer to it is a pointer to this */
    struct aws_client *client;
    struct span stream;
    enum aws_format format; /* of requests */
    struct kinesis_observer observer;
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

static bool write_body(const struct kinesis *kinesis, const struct record_group *group,
                       size_t count, struct buf *body) {
    const struct kinesis_request request = {
        .group = group,
        .count = count,
        .stream = kinesis->stream,
        .is_arn = kinesis_is_stream_arn(kinesis->stream),
    };
    buf_clear(body);
    kinesis_body_of(kinesis->format)->write(&request, body);
    return !buf_failed(body);
}

/* --- the answer --- */

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
    if (!answer->was_sent) {
        (void)snprintf(delivery->reason, sizeof delivery->reason, "%s", answer->error_message);
    } else if (answer->status == 0) {
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

/* Whether the answer means that CBOR is not understood there. What knows nothing of it may not know
 * how to say so either: without having taken a request, 404 without a code is what the service
 * answers to a content type that is not its own, and 500 what emulators do. */
static bool refuses_cbor(const struct lane *lane, const struct aws_answer *answer) {
    struct span code = span_of_text(answer->error_code);
    if (lane->format != AWS_CBOR) {
        return false;
    }
    return answer->status == 415 || span_equals(code, SPAN("UnknownOperationException")) ||
           span_equals(code, SPAN("SerializationException")) ||
           (!lane->kinesis->has_taken && code.len == 0 &&
            (answer->status == 404 || answer->status == 500));
}

static void fall_back_to_json(struct kinesis *kinesis, const struct aws_answer *answer) {
    if (kinesis->format == AWS_JSON) {
        return; /* another lane was told the same */
    }
    kinesis->format = AWS_JSON;
    if (kinesis->observer.on_fall_back != NULL) {
        kinesis->observer.on_fall_back(kinesis->observer.context, answer->status,
                                       answer->error_code);
    }
}

/* Nothing was read, so nothing was stored: all of it goes again, at once. */
static void repeat_in_json(struct lane *lane, struct delivery *delivery) {
    for (size_t i = 0; i < lane->count; i++) {
        lane->fates[i] = RECORD_RETRY;
    }
    delivery->pace = PACE_NOW;
}

static void on_answer(void *context, const struct aws_answer *answer) {
    struct lane *lane = context;
    struct delivery delivery = {.fates = lane->fates};
    struct error err = {0};
    aws_client_mend(lane->kinesis->client, answer->verdict, answer->server_wall_ms);
    lane->kinesis->has_taken |= answer->verdict == AWS_OK;
    if (lane->body.capacity > BODY_KEPT_BYTES) {
        buf_done(&lane->body);
    }
    if (refuses_cbor(lane, answer)) {
        fall_back_to_json(lane->kinesis, answer);
        repeat_in_json(lane, &delivery);
    } else if (answer->verdict != AWS_OK) {
        fail_all(lane, answer, &delivery);
    } else if (!kinesis_read_answer(answer->body, answer->format, lane->count, lane->fates,
                                    &delivery.pace, delivery.reason, &err)) {
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
    lane->format = kinesis->format;
    lane->count = count;
    lane->done = done;
    lane->context = context;
    const struct aws_request request = {
        .target = "Kinesis_20131202.PutRecords",
        .content_type = kinesis_body_of(lane->format)->content_type,
        .body = buf_span(&lane->body),
        .time_limit_ms = KINESIS_REQUEST_LIMIT_MS,
        .fresh_connection = fresh_connection,
    };
    return aws_call_start(kinesis->client, &request, &lane->call, on_answer, lane, err);
}

static void cancel(struct destination *self, size_t index) {
    struct kinesis *kinesis = (struct kinesis *)self;
    aws_call_cancel(&kinesis->lanes[index].call);
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
    kinesis->format = settings->format;
    kinesis->observer = settings->observer;
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
