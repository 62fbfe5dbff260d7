// SPDX-License-Identifier: MIT
/* Where a service is, who signs, and by which clock. In the thread of the http_client. */
#pragma once

#include "aws/aws_error.h"
#include "aws/credentials.h"
#include "aws/endpoint.h"
#include "aws/sigv4.h"
#include "base/clock.h"
#include "net/http_client.h"

#include <stdbool.h>
#include <stdint.h>

/* What all calls of one service share. */
struct aws_client {
    struct http_client *http;
    const struct clock *clock;
    struct credentials_source *credentials;
    struct endpoint endpoint;
    const char *service; /* of the signature */
    struct sigv4_key_cache keys;
    int64_t clock_offset_ms; /* added to the wall clock before signing */
    bool single_use;         /* no connection outlives its call */
};

/* Takes in what an answer says about the client: credentials that are to be renewed, or a clock
 * that is off by the service's (server_wall_ms; 0: not known). For every answer, before the next
 * try. */
void aws_client_mend(struct aws_client *client, enum aws_verdict verdict, int64_t server_wall_ms);
