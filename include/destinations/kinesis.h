// SPDX-License-Identifier: MIT
/* Amazon Kinesis Data Streams by PutRecords.
 * https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html */
#pragma once

#include "aws/aws_call.h"
#include "base/attributes.h"
#include "base/error.h"
#include "base/span.h"
#include "pipeline/destination.h"

#include <stdbool.h>
#include <stdint.h>

/* The service's limits, as the page above and "Quotas and limits" of the developer guide have them.
 * Sizes count before base64. */
enum {
    KINESIS_RECORDS_MAX = 500,
    /* The page allows 10 MiB, the developer guide still says 5 MiB: the smaller always works. */
    KINESIS_REQUEST_BYTES_MAX = 5 * 1024 * 1024,
    /* Data and key, of a stream with the default MaxRecordSizeInKiB … */
    KINESIS_RECORD_BYTES_MAX = 1024 * 1024,
    /* … and what a stream can be set to take. */
    KINESIS_LARGE_RECORD_BYTES_MAX = 10 * 1024 * 1024,
    /* Provisioned streams bill a PUT payload unit for each 25 KB of a record. Whether that is
     * 25,000 or 25,600 is not said; the smaller is safe. */
    KINESIS_PAYLOAD_UNIT_BYTES = 25000,
    KINESIS_STREAM_NAME_MAX = 128,
};

/* A PutRecords answer takes 10 to 20 ms, seconds when the service is in trouble. Longer than this
 * it is not coming: the request is made again. */
enum { KINESIS_REQUEST_LIMIT_MS = 5000 };

struct kinesis;

/* Hears once that the endpoint does not understand CBOR, with the HTTP status and the error code
 * ("": none) that it answered: that request is repeated in JSON, and all others are JSON, too. */
struct kinesis_observer {
    void *context;
    void (*on_fall_back)(void *context, int status, const char *error_code); /* NULL: nobody */
};

struct kinesis_settings {
    struct aws_client *client; /* of the service "kinesis"; must outlive this */
    struct span stream;        /* name or ARN; must outlive this */
    enum aws_format format;    /* of requests; answers may have either */
    struct kinesis_observer observer;
    size_t max_record_bytes; /* more than KINESIS_RECORD_BYTES_MAX only for streams that allow it */
};

MUST_CHECK struct kinesis *kinesis_create(const struct kinesis_settings *settings,
                                          struct error *err);
/* Cancels what is in flight. NULL is fine. */
void kinesis_destroy(struct kinesis *kinesis);

/* The interface that the shipper uses; belongs to *kinesis. */
struct destination *kinesis_destination(struct kinesis *kinesis);

/* The limits that kinesis_create() would set. */
struct destination_limits kinesis_limits(size_t max_record_bytes);

/* Whether `text` can be a stream's name; and whether it can be the ARN of one. Pure. */
bool kinesis_is_stream_name(struct span text);
bool kinesis_is_stream_arn(struct span text);

/* The region in a stream's ARN. */
struct span kinesis_arn_region(struct span arn);
