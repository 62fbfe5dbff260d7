// SPDX-License-Identifier: MIT
/* What an answer of an AWS service means: its error read, and judged. Pure.
 * https://docs.aws.amazon.com/kinesis/latest/APIReference/CommonErrors.html and API_PutRecords;
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html */
#pragma once

#include "aws/aws_format.h"
#include "base/span.h"

/* What an answer means for the request that got it. */
enum aws_verdict {
    AWS_OK,
    AWS_TRANSIENT,     /* a fault of network or service: soon again */
    AWS_THROTTLED,     /* too fast: again, more slowly */
    AWS_CREDENTIALS,   /* expired, unknown, or a secret that is not the key's: renew them */
    AWS_CLOCK_SKEW,    /* the signature's time is off: see server_wall_ms */
    AWS_TOO_LARGE,     /* the request as a whole: split it */
    AWS_MISCONFIGURED, /* no such stream, no permission, a key that is off: time may mend it */
    AWS_REFUSED,       /* the service cannot read or take this request, ever */
};

enum { AWS_ERROR_CODE_BYTES = 96, AWS_ERROR_MESSAGE_BYTES = 256 };

/* Both printable ASCII, and cut when they are too long. */
struct aws_error {
    char code[AWS_ERROR_CODE_BYTES]; /* "ResourceNotFoundException", or "" when none is given */
    /* The first line only: what follows it in the message about a wrong signature is the canonical
     * request, with the session token in it. */
    char message[AWS_ERROR_MESSAGE_BYTES];
};

/* Reads the error out of the body of an answer (a body that is not of its format holds none) and,
 * when the body does not name it, out of the value of its x-amzn-ErrorType header. */
void aws_error_read(struct span body, enum aws_format format, struct span type_header,
                    struct aws_error *ret);

/* The meaning of an HTTP status (0: none), an error code ("" when none was given) and its message,
 * which tells a wrong time from a wrong secret. The code decides where it and the status both
 * speak. An unknown code of status 2xx is AWS_TRANSIENT, an unknown one of status 4xx is
 * AWS_MISCONFIGURED: trying slowly loses nothing. */
enum aws_verdict aws_classify(int status, struct span error_code, struct span message);

/* The bare error code in "com.amazonaws.kinesis.v20131202#Name" or "Name:http://…". */
struct span aws_bare_error_code(struct span type);
