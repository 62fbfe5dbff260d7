// SPDX-License-Identifier: MIT
/* Credentials from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN. They never
 * change while the process lives: a function's environment gets new ones by being replaced. */
#pragma once

#include "aws/credentials.h"

struct credentials_environment {
    struct credentials_source source; /* first, so that a pointer to it is a pointer to this */
    struct credentials credentials;
};

/* Keeps the spans, which must live as long as this. Any of them may be empty: then `current`
 * fails and says which variable is missing. */
void credentials_environment_init(struct credentials_environment *self,
                                  struct credentials credentials);
