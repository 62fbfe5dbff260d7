// SPDX-License-Identifier: MIT
/* One call of an AWS service that speaks JSON or CBOR: signed afresh at every attempt, sent, its
 * answer classified. Says what an answer means; whether and when to try again is the caller's
 * business. All in the thread of the http_client. */
#pragma once

#include "aws/aws_client.h"
#include "aws/aws_error.h"
#include "aws/aws_format.h"
#include "aws/credentials.h"
#include "base/attributes.h"
#include "base/error.h"
#include "net/http_client.h"

#include <stdbool.h>
#include <stdint.h>

struct aws_answer {
    enum aws_verdict verdict;
    int status;             /* HTTP status; 0 when no answer came */
    struct span body;       /* valid during the callback */
    enum aws_format format; /* of the body */
    /* As struct aws_error has them; when no answer came, the message says why. */
    char error_code[AWS_ERROR_CODE_BYTES];
    char error_message[AWS_ERROR_MESSAGE_BYTES];
    int64_t retry_after_ms;     /* what x-amz-retry-after asks for, else 0 */
    int64_t server_wall_ms;     /* the answer's Date, else 0 */
    bool connection_was_reused; /* a transport fault then deserves an immediate second try */
    bool was_sent;              /* false: there were no credentials, and the message says why */
};

typedef void (*aws_done_fn)(void *context, const struct aws_answer *answer);

struct aws_request {
    const char *target;       /* X-Amz-Target: "Kinesis_20131202.PutRecords"; NULL: none */
    const char *content_type; /* AWS_JSON_CONTENT_TYPE or AWS_CBOR_CONTENT_TYPE */
    struct span body;         /* stays where it is until the call is done or cancelled */
    int64_t time_limit_ms;
    bool fresh_connection;
};

/* A running call. It waits for credentials, if they are being fetched, and then for its answer. The
 * struct is the caller's and must stay in place until the call is done or cancelled. */
struct aws_call {
    struct credentials_waiter waiter; /* first, so that a pointer to it is a pointer to this */
    struct http_exchange *exchange;   /* NULL while there is none; belongs to the http_client */
    struct aws_client *client;
    struct aws_request request;
    aws_done_fn done;
    void *context;
};

/* Signs and starts, now or as soon as there are credentials; strings of *request must live until
 * then. On failure `done` is never called: as credentials_current() says when there are no
 * credentials, else what signing or http_client_start() say. */
MUST_CHECK bool aws_call_start(struct aws_client *client, const struct aws_request *request,
                               struct aws_call *call, aws_done_fn done, void *context,
                               struct error *err);

/* Ends a running call without calling `done`. Does nothing when it does not run. */
void aws_call_cancel(struct aws_call *call);
