// SPDX-License-Identifier: MIT
/* AWS Signature Version 4, header form. Three stages, each a function of its own:
 * canonical request (sigv4_canonical_request.h) → string to sign → signature; sigv4_sign() runs all
 * and yields the header.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 *
 * Pure but for the key cache, which belongs to one thread. Fails with ERR_MEMORY or ERR_SYSTEM
 * (OpenSSL), or ERR_INVALID where said. */
#pragma once

#include "aws/credentials.h"
#include "aws/sigv4_canonical_request.h"
#include "base/attributes.h"
#include "base/buf.h"
#include "base/crypto.h"
#include "base/error.h"
#include "base/span.h"

#include <stdbool.h>
#include <stdint.h>

enum { SIGV4_DATE_BYTES = 17 };

/* For whom and when: the scope of a signature. */
struct sigv4_scope {
    struct span region;
    struct span service;
    char timestamp[SIGV4_DATE_BYTES]; /* "20260314T150926Z" and a NUL */
};

/* The derived key of one day, region, service and credential, so that it is derived once a day.
 * Zeroed is empty. */
struct sigv4_key_cache {
    uint8_t identity[SHA256_BYTES]; /* hash of what the key was derived from */
    uint8_t key[SHA256_BYTES];
    bool filled;
};

MUST_CHECK bool sigv4_string_to_sign(struct span canonical_request, const struct sigv4_scope *scope,
                                     struct buf *out, struct error *err);

/* Derives the key unless the cache holds it. */
MUST_CHECK bool sigv4_signing_key(struct sigv4_key_cache *cache, struct span secret_access_key,
                                  const struct sigv4_scope *scope, uint8_t ret[SHA256_BYTES],
                                  struct error *err);

MUST_CHECK bool sigv4_signature(const uint8_t key[SHA256_BYTES], struct span string_to_sign,
                                char ret[SHA256_HEX_BYTES], struct error *err);

/* All stages: appends the value of the Authorization header. The caller has put X-Amz-Date (equal
 * to the scope's timestamp) and, with a session token, X-Amz-Security-Token among the headers.
 * ERR_INVALID as sigv4_canonical_request() says, and for an access key id that no header can hold.
 */
MUST_CHECK bool sigv4_sign(const struct sigv4_request *request, const struct sigv4_scope *scope,
                           const struct credentials *credentials, struct sigv4_key_cache *cache,
                           struct buf *authorization, struct error *err);
