// SPDX-License-Identifier: MIT
/* Credentials from an HTTP endpoint beside the function, as SnapStart has them instead of the
 * variables: AWS_CONTAINER_CREDENTIALS_FULL_URI or …_RELATIVE_URI, and a token.
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html */
#pragma once

#include "aws/credentials_cache.h"
#include "net/http_client.h"

enum { CONTAINER_URL_BYTES = 2048, CONTAINER_PATH_BYTES = 4096 };

/* As the variables have them; empty where they are not set. */
struct container_settings {
    struct span full_uri;
    struct span relative_uri; /* a path at 169.254.170.2; goes before full_uri */
    struct span token;
    struct span token_file; /* goes before token; read anew for each fetch */
};

struct credentials_container {
    struct credentials_provider provider; /* first */
    struct http_client *http;
    struct span token;
    char token_file[CONTAINER_PATH_BYTES]; /* "": none */
    char url[CONTAINER_URL_BYTES];
    struct http_exchange *exchange; /* NULL while nothing is fetched */
    credentials_granted_fn done;
    void *context;
};

/* Whether they name such an endpoint at all. */
bool container_is_wanted(const struct container_settings *settings);

/* Whether they name one that may get the token: over https any, without TLS only the loopback and
 * the addresses that AWS gives to such endpoints; and whether there can be such a token. Else
 * ERR_INVALID; the URI, which may hold a secret, is not repeated. Pure. */
MUST_CHECK bool container_check(const struct container_settings *settings, struct error *err);

/* For settings that are wanted and checked, and whose spans outlive this. No call is made yet. */
void credentials_container_init(struct credentials_container *self,
                                const struct container_settings *settings,
                                struct http_client *http);

/* What the endpoint's answer says; spans point into *ret_text, which the caller frees. ERR_INVALID
 * when it is no such answer; an Expiration that cannot be read counts as not known. Exposed for
 * tests and fuzzing. */
MUST_CHECK bool container_read_answer(struct span body, struct credentials_grant *ret,
                                      struct buf *ret_text, struct error *err);
