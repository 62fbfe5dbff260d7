// SPDX-License-Identifier: MIT
/* What the tests of http_client share: a client, servers to talk to, and what came of it. */
#pragma once

#include "../tcp_server.h"
#include "net/http_client.h"

enum { URL_BYTES = 64 };

struct outcome {
    bool over;
    bool answered;
    int status;
    bool reused;
    struct buf body;
    struct error error;
    char header[64]; /* the value of X-Test */
};

/* The `done` that fills a struct outcome. Its body is the test's to free. */
void keep_outcome(void *context, const struct http_answer *answer);

struct http_client *new_client(const struct clock *clock);

/* "http://127.0.0.1:PORT/some/../path" */
const char *url_of(const struct tcp_server *server, char url[URL_BYTES]);

/* Must succeed. */
struct http_exchange *start_exchange(struct http_client *client, const struct http_request *request,
                                     struct outcome *outcome);

void run_until_over(struct http_client *client, const struct outcome *outcome);

/* From start to end; the body is forgotten. */
void run_exchange(struct http_client *client, const struct http_request *request,
                  struct outcome *outcome);

/* Servers. */

/* "hello", each time; keeps the last request in `context`, a struct buf, when that is not NULL. */
void answer_all(struct tcp_peer *peer, void *context);

/* Sends the text `context` to the first request, and ends the connection. */
void send_text_and_close(struct tcp_peer *peer, void *context);

void say_nothing(struct tcp_peer *peer, void *context);
