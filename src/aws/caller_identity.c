// SPDX-License-Identifier: MIT
#include "aws/caller_identity.h"

#include "aws/xml_text.h"

enum {
    CALL_LIMIT_MS = 5000,
    ARN_BYTES_MAX = 4096,
};

#define ARN_AT "GetCallerIdentityResponse/GetCallerIdentityResult/Arn"

static void explain(const struct aws_answer *answer, struct error *err) {
    if (!answer->was_sent) {
        error_set(err, ERR_INVALID, "%s", answer->error_message);
    } else if (answer->status == 0) {
        error_set(err, ERR_UNAVAILABLE, "no answer from STS: %s", answer->error_message);
    } else {
        bool passes = answer->verdict == AWS_TRANSIENT || answer->verdict == AWS_THROTTLED;
        error_set(err, passes ? ERR_UNAVAILABLE : ERR_REFUSED, "HTTP status %d %s: %s",
                  answer->status, answer->error_code, answer->error_message);
    }
}

static void on_answer(void *context, const struct aws_answer *answer) {
    struct caller_identity *self = context;
    CLEANUP(buf_done) struct buf arn = buf_with_ceiling(ARN_BYTES_MAX);
    struct error err = {0};
    bool known = false;
    if (answer->verdict == AWS_OK) {
        known = xml_text_append(answer->body, ARN_AT, &arn, &err);
        err.code = ERR_UNAVAILABLE; /* whoever answered so is not STS */
    } else {
        explain(answer, &err);
    }
    self->done(self->context, known ? span_trim(buf_span(&arn)) : span_of(NULL, 0), &err);
}

bool caller_identity_ask(struct caller_identity *self, struct aws_client *client,
                         caller_identity_fn done, void *context, struct error *err) {
    static const struct aws_request request = {
        .content_type = "application/x-www-form-urlencoded; charset=utf-8",
        .body = SPAN("Action=GetCallerIdentity&Version=2011-06-15"),
        .time_limit_ms = CALL_LIMIT_MS,
    };
    *self = (struct caller_identity){.done = done, .context = context};
    return aws_call_start(client, &request, &self->call, on_answer, self, err);
}

void caller_identity_cancel(struct caller_identity *self) { aws_call_cancel(&self->call); }
