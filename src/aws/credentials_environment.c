// SPDX-License-Identifier: MIT
#include "aws/credentials_environment.h"

static enum credentials_answer current(struct credentials_source *source, struct credentials *ret,
                                       struct credentials_waiter *waiter, struct error *err) {
    const struct credentials_environment *self = (const struct credentials_environment *)source;
    (void)waiter;
    if (self->credentials.access_key_id.len == 0) {
        error_set(err, ERR_INVALID, "AWS_ACCESS_KEY_ID is not set");
        return CREDENTIALS_NONE;
    }
    if (self->credentials.secret_access_key.len == 0) {
        error_set(err, ERR_INVALID, "AWS_SECRET_ACCESS_KEY is not set");
        return CREDENTIALS_NONE;
    }
    *ret = self->credentials;
    return CREDENTIALS_READY;
}

/* The variables of a running process do not change. */
static void renew(struct credentials_source *source) { (void)source; }

void credentials_environment_init(struct credentials_environment *self,
                                  struct credentials credentials) {
    *self = (struct credentials_environment){
        .source = {.current = current, .renew = renew},
        .credentials = credentials,
    };
}
