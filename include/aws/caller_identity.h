// SPDX-License-Identifier: MIT
/* Who the credentials are: GetCallerIdentity of the regional STS, which needs no permission.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
 * In the thread of the http_client. */
#pragma once

#include "aws/aws_call.h"
#include "base/attributes.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/span.h"

/* `arn` is valid during the call; empty when it was not learnt, and *err says why: ERR_INVALID when
 * there are no credentials, ERR_REFUSED when they are not good, ERR_UNAVAILABLE when STS is not
 * reached, in trouble or not the one that answers: a destination may be well all the same. */
typedef void (*caller_identity_fn)(void *context, struct span arn, const struct error *err);

/* A running question. The struct is the caller's and stays in place until `done`. */
struct caller_identity {
    struct aws_call call;
    caller_identity_fn done;
    void *context;
};

/* Asks; `client` is of the service "sts". On failure `done` is never called. */
MUST_CHECK bool caller_identity_ask(struct caller_identity *self, struct aws_client *client,
                                    caller_identity_fn done, void *context, struct error *err);

/* Ends a running question without calling `done`. */
void caller_identity_cancel(struct caller_identity *self);
