// SPDX-License-Identifier: MIT
/* The platform's HTTP API as a test wants it: answers each call with what was put in for it and
 * keeps the request. */
#pragma once

#include "../tcp_server.h"
#include "net/http_client.h"

struct fake_platform {
    struct tcp_server server;
    struct http_client *client; /* to be used with it */
    char host[32];              /* what AWS_LAMBDA_RUNTIME_API would say */
    int status;                 /* of the answer; 0: none, the connection is closed */
    unsigned rejections;        /* so many calls are answered with 400 before that */
    const char *headers;        /* whole lines with CRLF */
    const char *body;
    struct buf request; /* the last one; may be looked at when its answer has come */
};

void fake_platform_start(struct fake_platform *platform);
void fake_platform_stop(struct fake_platform *platform);

/* The whole of the last request's head and body holds this text. */
bool fake_platform_saw(const struct fake_platform *platform, const char *text);

/* The last request ends with this text. */
bool fake_platform_saw_body(const struct fake_platform *platform, const char *text);
