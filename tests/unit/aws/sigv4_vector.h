// SPDX-License-Identifier: MIT
/* One signed request with the result that every stage must have. */
#pragma once

#include "aws/sigv4.h"

struct sigv4_vector {
    const char *name;
    struct sigv4_header headers[SIGV4_HEADERS_MAX];
    struct sigv4_request request; /* its headers and payload hash are set by the assertion */
    struct span body;
    const char *payload_hash; /* NULL: the hash of the body */
    struct sigv4_scope scope;
    struct credentials credentials;

    struct span canonical_request;
    struct span string_to_sign;
    struct span signature;
    struct span authorization;
};

void sigv4_vector_add_header(struct sigv4_vector *vector, struct span name, struct span value);

void sigv4_vector_set_time(struct sigv4_vector *vector, const char *timestamp);

/* Signs in stages and at once; fails the test at the first stage that differs. */
void assert_sigv4_vector(struct sigv4_vector *vector);
