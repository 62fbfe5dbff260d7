// SPDX-License-Identifier: MIT
/* How a PutRecords request is written and its answer read, in each format that Kinesis takes. Pure.
 * The bytes of the records go straight from their group into the request: as base64 in JSON, as
 * they are in CBOR. */
#pragma once

#include "aws/aws_format.h"
#include "base/attributes.h"
#include "base/buf.h"
#include "base/span.h"
#include "pipeline/destination.h"

#include <stdbool.h>
#include <stddef.h>

/* What an answer says about one record. Texts are "" where the answer has none, and valid during
 * the callback only. */
struct kinesis_result {
    bool has_number; /* a sequence number: the record is in the stream */
    const char *code;
    const char *message;
};

/* Hears of each record, in the order of the request. False: the answer makes no sense. */
typedef bool (*kinesis_result_fn)(void *context, const struct kinesis_result *result);

struct kinesis_request {
    const struct record_group *group;
    size_t count; /* records of the group, from the first on */
    struct span stream;
    bool is_arn; /* the stream's ARN, else its name */
};

struct kinesis_body {
    const char *content_type;

    /* Appends the request to *out, which fails when there is no memory. Room is made at once, so
     * that nothing is copied while it grows. */
    void (*write)(const struct kinesis_request *request, struct buf *out);

    /* Reads an answer; false when it is not one, or `each` said so. */
    bool (*read)(struct span answer, kinesis_result_fn each, void *context);
};

extern const struct kinesis_body kinesis_body_json;
extern const struct kinesis_body kinesis_body_cbor;

/* The one of this format. */
static inline const struct kinesis_body *kinesis_body_of(enum aws_format format) {
    return format == AWS_CBOR ? &kinesis_body_cbor : &kinesis_body_json;
}
