// SPDX-License-Identifier: MIT
/* Credentials of another role, by AssumeRole of the regional STS, which is asked with the
 * credentials of this environment.
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
 */
#pragma once

#include "aws/aws_call.h"
#include "aws/credentials_cache.h"
#include "aws/endpoint.h"

enum {
    ROLE_ARN_BYTES_MAX = 2048,
    ROLE_EXTERNAL_ID_BYTES_MAX = 1224,
    ROLE_SESSION_NAME_BYTES_MAX = 64,
    /* A function's credentials are a role's already, and a chained role has an hour at most. */
    ROLE_DURATION_SECONDS = 3600,
};

/* Spans must outlive what is made of them. */
struct role_settings {
    struct span arn;         /* empty: no other role */
    struct span external_id; /* or empty */
    struct span
        session_name; /* what CloudTrail shows; other characters than it may have become "-" */
    struct endpoint endpoint; /* of STS */
};

struct credentials_role {
    struct credentials_provider provider; /* first */
    struct aws_client client;
    struct role_settings settings;
    struct buf body;
    struct aws_call call;
    credentials_granted_fn done;
    void *context;
};

/* Whether it can be the ARN of a role; and whether it can be an external id. Pure. */
bool role_is_arn(struct span text);
bool role_is_external_id(struct span text);

/* `source` signs the calls of STS; like all that is pointed to, it must outlive this. */
void credentials_role_init(struct credentials_role *self, const struct role_settings *settings,
                           struct credentials_source *source, struct http_client *http,
                           const struct clock *clock);
/* Nothing may be running. A zeroed one is fine; may run twice. */
void credentials_role_done(struct credentials_role *self);

/* What the answer of HTTP status 200 says; spans point into *ret_text, which the caller frees.
 * ERR_INVALID when it is no such answer. Exposed for tests and fuzzing. */
MUST_CHECK bool role_read_answer(struct span body, struct credentials_grant *ret,
                                 struct buf *ret_text, struct error *err);
