// SPDX-License-Identifier: MIT
#include "http_outcome.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

void keep_outcome(void *context, const struct http_answer *answer) {
    struct outcome *outcome = context;
    assert_false(outcome->over);
    outcome->over = true;
    outcome->answered = answer->answered;
    outcome->status = answer->status;
    outcome->reused = answer->connection_was_reused;
    outcome->error = answer->error;
    outcome->body = buf_with_ceiling(2 * HTTP_ANSWER_BYTES_MAX);
    buf_append(&outcome->body, answer->body);
    struct span header = http_answer_header(answer, "x-TEST");
    (void)snprintf(outcome->header, sizeof outcome->header, "%.*s", SPAN_ARGS(header));
}

struct http_client *new_client(const struct clock *clock) {
    struct error err = {0};
    struct http_client *client =
        http_client_create(&(struct http_client_settings){.clock = clock}, &err);
    assert_non_null(client);
    return client;
}

const char *url_of(const struct tcp_server *server, char url[URL_BYTES]) {
    (void)snprintf(url, URL_BYTES, "http://127.0.0.1:%u/some/../path", server->port);
    return url;
}

struct http_exchange *start_exchange(struct http_client *client, const struct http_request *request,
                                     struct outcome *outcome) {
    struct error err = {0};
    *outcome = (struct outcome){0};
    struct http_exchange *exchange =
        http_client_start(client, request, keep_outcome, outcome, &err);
    assert_non_null(exchange);
    return exchange;
}

void run_until_over(struct http_client *client, const struct outcome *outcome) {
    struct error err = {0};
    while (!outcome->over) {
        assert_true(http_client_run(client, -1, &err));
    }
}

void run_exchange(struct http_client *client, const struct http_request *request,
                  struct outcome *outcome) {
    (void)start_exchange(client, request, outcome);
    run_until_over(client, outcome);
    buf_done(&outcome->body);
}

void answer_all(struct tcp_peer *peer, void *context) {
    struct buf request = buf_with_ceiling(16 * 1024 * 1024);
    while (tcp_read_request(peer, &request)) {
        if (context != NULL) {
            struct buf *kept = context;
            buf_clear(kept);
            buf_append(kept, buf_span(&request));
        }
        tcp_answer(peer, 200, "X-Test: found\r\n", "hello");
    }
    buf_done(&request);
}

void send_text_and_close(struct tcp_peer *peer, void *context) {
    struct buf request = buf_with_ceiling(65536);
    (void)tcp_read_request(peer, &request);
    tcp_send(peer, context);
    buf_done(&request);
}

void say_nothing(struct tcp_peer *peer, void *context) {
    (void)context;
    tcp_wait_for_end(peer);
}
