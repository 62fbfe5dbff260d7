// SPDX-License-Identifier: MIT
#include "net/http_client.h"

#include "http_outcome.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void answer_too_much(struct tcp_peer *peer, void *context) {
    size_t bytes = *(const size_t *)context;
    struct buf request = buf_with_ceiling(65536);
    char *body = malloc(bytes + 1);
    memset(body, 'x', bytes);
    body[bytes] = '\0';
    (void)tcp_read_request(peer, &request);
    tcp_answer(peer, 200, "", body);
    free(body);
    buf_done(&request);
}

static void takes_an_answer_of_the_largest_size_and_no_larger(void **state) {
    (void)state;
    for (size_t more = 0; more < 2; more++) {
        char url[URL_BYTES];
        size_t bytes = HTTP_ANSWER_BYTES_MAX + more;
        struct tcp_server server;
        tcp_server_start(&server, answer_too_much, &bytes);
        struct http_client *client = new_client(clock_system());
        struct outcome outcome;
        run_exchange(client, &(struct http_request){.method = "GET", .url = url_of(&server, url)},
                     &outcome);
        assert_int_equal(outcome.answered, more == 0);
        assert_int_equal(outcome.error.code, more == 0 ? ERR_NONE : ERR_INVALID);
        http_client_destroy(client);
        tcp_server_stop(&server);
    }
}

static void says_why_there_is_no_answer(void **state) {
    (void)state;
    static char garbage[] = "\x16\x03\x01 this is not HTTP\r\n\r\n";
    static char cut_head[] = "HTTP/1.1 200 OK\r\nContent-Le";
    static char cut_body[] = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";
    static char cut_chunk[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nhalf";
    static char bad_chunk[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n";
    static char nothing[] = "";
    char *const answers[] = {garbage, cut_head, cut_body, cut_chunk, bad_chunk, nothing};
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        char url[URL_BYTES];
        struct tcp_server server;
        tcp_server_start(&server, send_text_and_close, answers[i]);
        struct http_client *client = new_client(clock_system());
        struct outcome outcome;
        run_exchange(client, &(struct http_request){.method = "POST", .url = url_of(&server, url)},
                     &outcome);
        assert_false(outcome.answered);
        assert_int_equal(outcome.error.code, ERR_UNAVAILABLE);
        assert_true(strlen(outcome.error.message) > 10);
        assert_false(outcome.reused);
        http_client_destroy(client);
        tcp_server_stop(&server);
    }
}

static void says_that_nobody_listens(void **state) {
    (void)state;
    char url[URL_BYTES];
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%u/", tcp_unused_port());
    struct http_client *client = new_client(clock_system());
    struct outcome outcome;
    run_exchange(client, &(struct http_request){.method = "GET", .url = url}, &outcome);
    assert_false(outcome.answered);
    assert_int_equal(outcome.error.code, ERR_UNAVAILABLE);
    assert_non_null(strstr(outcome.error.message, "connect"));
    assert_false(outcome.reused);
    http_client_destroy(client);
}

/* One answer; the second request of a connection is met with a reset. */
static void reset_the_second_request(struct tcp_peer *peer, void *context) {
    (void)context;
    struct buf request = buf_with_ceiling(65536);
    if (tcp_read_request(peer, &request)) {
        tcp_answer(peer, 200, "", "first");
    }
    if (tcp_read_request(peer, &request)) {
        tcp_send(peer, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
        tcp_reset_at_end(peer);
    }
    buf_done(&request);
}

static void a_fault_on_a_used_connection_is_told_from_one_on_a_new_one(void **state) {
    (void)state;
    char url[URL_BYTES];
    struct tcp_server server;
    tcp_server_start(&server, reset_the_second_request, NULL);
    struct http_client *client = new_client(clock_system());
    const struct http_request request = {.method = "POST", .url = url_of(&server, url)};
    struct outcome first, second;
    run_exchange(client, &request, &first);
    run_exchange(client, &request, &second);
    assert_true(first.answered);
    assert_false(second.answered);
    assert_true(second.reused);
    http_client_destroy(client);
    tcp_server_stop(&server);
}

static void a_redirect_is_an_answer_like_any_other(void **state) {
    (void)state;
    static char redirect[] =
        "HTTP/1.1 307 Go\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n";
    char url[URL_BYTES];
    struct tcp_server server;
    tcp_server_start(&server, send_text_and_close, redirect);
    struct http_client *client = new_client(clock_system());
    struct outcome outcome;
    run_exchange(client, &(struct http_request){.method = "GET", .url = url_of(&server, url)},
                 &outcome);
    assert_int_equal(outcome.status, 307);
    http_client_destroy(client);
    tcp_server_stop(&server);
}

static void refuses_a_request_that_cannot_be_one(void **state) {
    (void)state;
    const struct span smuggled = SPAN("X-One: 1\r\nX-Two: 2");
    const struct {
        const char *method;
        const char *url;
        size_t headers;
    } cases[] = {
        {"GET", "not a url", 0},         {"GET", "", 0},
        {"GET", "file:///etc/hosts", 0}, {"GET", "ftp://127.0.0.1/", 0},
        {"GET", "http://", 0},           {"GET", "http://127.0.0.1:99999/", 0},
        {"DELETE", "http://h/", 0},      {"GET", "http://127.0.0.1/", 1},
    };
    struct http_client *client = new_client(clock_system());
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct http_request request = {.method = cases[i].method,
                                             .url = cases[i].url,
                                             .headers = &smuggled,
                                             .header_count = cases[i].headers};
        struct error err = {0};
        struct outcome outcome = {0};
        assert_null(http_client_start(client, &request, keep_outcome, &outcome, &err));
        assert_int_equal(err.code, ERR_INVALID);
        assert_true(http_client_run(client, 0, &err));
        assert_false(outcome.over);
    }
    http_client_destroy(client);
}

static void a_missing_certificate_file_is_named_in_the_error(void **state) {
    (void)state;
    char url[URL_BYTES];
    struct tcp_server server;
    tcp_server_start(&server, say_nothing, NULL);
    (void)snprintf(url, sizeof url, "https://127.0.0.1:%u/", server.port);
    struct error err = {0};
    const struct http_client_settings settings = {.ca_file = "/no/such/file.pem",
                                                  .clock = clock_system()};
    struct http_client *client = http_client_create(&settings, &err);
    assert_non_null(client);
    struct outcome outcome;
    run_exchange(client, &(struct http_request){.method = "GET", .url = url}, &outcome);
    assert_false(outcome.answered);
    assert_non_null(strstr(outcome.error.message, "/no/such/file.pem"));
    http_client_destroy(client);
    tcp_server_stop(&server);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_an_answer_of_the_largest_size_and_no_larger),
        cmocka_unit_test(says_why_there_is_no_answer),
        cmocka_unit_test(says_that_nobody_listens),
        cmocka_unit_test(a_fault_on_a_used_connection_is_told_from_one_on_a_new_one),
        cmocka_unit_test(a_redirect_is_an_answer_like_any_other),
        cmocka_unit_test(refuses_a_request_that_cannot_be_one),
        cmocka_unit_test(a_missing_certificate_file_is_named_in_the_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
