// SPDX-License-Identifier: MIT
#include "net/http_client.h"

#include "http_outcome.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void gives_status_body_and_headers_of_an_answer(void **state) {
    (void)state;
    char url[URL_BYTES];
    struct tcp_server server;
    tcp_server_start(&server, answer_all, NULL);
    struct http_client *client = new_client(clock_system());
    struct outcome outcome;
    (void)start_exchange(
        client, &(struct http_request){.method = "GET", .url = url_of(&server, url)}, &outcome);
    run_until_over(client, &outcome);
    assert_true(outcome.answered);
    assert_int_equal(outcome.status, 200);
    assert_true(span_equals(buf_span(&outcome.body), SPAN("hello")));
    assert_string_equal(outcome.header, "found");
    assert_false(outcome.reused);
    buf_done(&outcome.body);
    http_client_destroy(client);
    tcp_server_stop(&server);
}

static bool holds(const struct buf *text, const char *part) {
    return span_find(buf_span(text), span_of_text(part)) != NULL;
}

static void sends_what_it_was_given_and_nothing_of_its_own(void **state) {
    (void)state;
    char url[URL_BYTES];
    struct buf seen = buf_with_ceiling(16 * 1024 * 1024);
    struct tcp_server server;
    tcp_server_start(&server, answer_all, &seen);
    struct http_client *client = new_client(clock_system());
    static char large[3 * 1024 * 1024];
    memset(large, 'x', sizeof large);
    const struct {
        const char *method;
        struct span body;
        const char *length;
    } cases[] = {
        {"GET", {0}, NULL},
        {"POST", {0}, "Content-Length: 0\r\n"},
        {"PUT", SPAN("{\"a\":1}"), "Content-Length: 7\r\n"},
        {"POST", SPAN("bytes with a \0 in them"), "Content-Length: 22\r\n"},
        {"POST", {.ptr = large, .len = sizeof large}, "Content-Length: 3145728\r\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct span headers[] = {SPAN("X-One: 1"), SPAN("X-Two: two words")};
        const struct http_request request = {
            .method = cases[i].method,
            .url = url_of(&server, url),
            .headers = headers,
            .header_count = 2,
            .body = cases[i].body,
        };
        struct outcome outcome;
        run_exchange(client, &request, &outcome);
        char first_line[64];
        (void)snprintf(first_line, sizeof first_line, "%s /some/../path HTTP/1.1\r\n",
                       cases[i].method);
        assert_true(span_starts_with(buf_span(&seen), span_of_text(first_line)));
        assert_true(span_ends_with(buf_span(&seen), cases[i].body));
        assert_true(holds(&seen, "X-One: 1\r\n") && holds(&seen, "X-Two: two words\r\n"));
        assert_true(cases[i].length == NULL || holds(&seen, cases[i].length));
        assert_false(holds(&seen, "Expect:"));
        assert_false(holds(&seen, "Content-Type:"));
    }
    http_client_destroy(client);
    tcp_server_stop(&server);
    buf_done(&seen);
}

static void sends_the_content_type_that_it_was_given_once(void **state) {
    (void)state;
    char url[URL_BYTES];
    struct buf seen = buf_with_ceiling(65536);
    struct tcp_server server;
    tcp_server_start(&server, answer_all, &seen);
    struct http_client *client = new_client(clock_system());
    const struct span header = SPAN("content-type: application/x-amz-json-1.1");
    const struct http_request request = {
        .method = "POST", .url = url_of(&server, url), .headers = &header, .header_count = 1};
    struct outcome outcome;
    run_exchange(client, &request, &outcome);
    assert_true(holds(&seen, "content-type: application/x-amz-json-1.1\r\n"));
    assert_false(holds(&seen, "Content-Type:"));
    http_client_destroy(client);
    tcp_server_stop(&server);
    buf_done(&seen);
}

static void uses_a_connection_again_and_says_so(void **state) {
    (void)state;
    char url[URL_BYTES];
    struct tcp_server server;
    tcp_server_start(&server, answer_all, NULL);
    struct http_client *client = new_client(clock_system());
    struct http_request request = {.method = "POST", .url = url_of(&server, url)};
    struct outcome first, second, fresh;
    run_exchange(client, &request, &first);
    run_exchange(client, &request, &second);
    request.fresh_connection = true;
    run_exchange(client, &request, &fresh);
    assert_false(first.reused);
    assert_true(second.reused);
    assert_false(fresh.reused);
    assert_int_equal(server.connections, 2);
    http_client_destroy(client);
    tcp_server_stop(&server);
}

static void a_connection_for_a_single_use_is_not_used_again(void **state) {
    (void)state;
    char url[URL_BYTES];
    struct tcp_server server;
    tcp_server_start(&server, answer_all, NULL);
    struct http_client *client = new_client(clock_system());
    struct http_request request = {
        .method = "POST", .url = url_of(&server, url), .single_use = true};
    struct outcome first, second;
    run_exchange(client, &request, &first);
    request.single_use = false;
    run_exchange(client, &request, &second);
    assert_false(second.reused);
    assert_int_equal(server.connections, 2);
    http_client_destroy(client);
    tcp_server_stop(&server);
}

enum { MANY = 20 };

static pthread_barrier_t all_here;

static void answer_when_all_have_asked(struct tcp_peer *peer, void *context) {
    (void)context;
    struct buf request = buf_with_ceiling(65536);
    (void)tcp_read_request(peer, &request);
    (void)pthread_barrier_wait(&all_here);
    tcp_answer(peer, 200, "", "together");
    buf_done(&request);
}

static void runs_many_exchanges_at_once(void **state) {
    (void)state;
    char url[URL_BYTES];
    struct tcp_server server;
    (void)pthread_barrier_init(&all_here, NULL, MANY);
    tcp_server_start(&server, answer_when_all_have_asked, NULL);
    struct http_client *client = new_client(clock_system());
    struct outcome outcomes[MANY];
    for (size_t i = 0; i < MANY; i++) {
        (void)start_exchange(client,
                             &(struct http_request){.method = "GET", .url = url_of(&server, url)},
                             &outcomes[i]);
    }
    for (size_t i = 0; i < MANY; i++) {
        run_until_over(client, &outcomes[i]);
        assert_int_equal(outcomes[i].status, 200);
        buf_done(&outcomes[i].body);
    }
    http_client_destroy(client);
    tcp_server_stop(&server);
    (void)pthread_barrier_destroy(&all_here);
}

/* An exchange whose `done` starts the next one and cancels another. */
struct chain {
    struct http_client *client;
    const struct http_request *request;
    struct http_exchange *victim;
    unsigned links;
};

static void go_on(void *context, const struct http_answer *answer) {
    struct chain *chain = context;
    assert_true(answer->answered);
    http_client_cancel(chain->client, chain->victim);
    chain->victim = NULL;
    if (++chain->links < 5) {
        struct error err;
        assert_non_null(http_client_start(chain->client, chain->request, go_on, chain, &err));
    }
}

static void done_may_start_and_cancel_exchanges(void **state) {
    (void)state;
    char url[URL_BYTES];
    char silent_url[URL_BYTES];
    struct tcp_server server;
    struct tcp_server silent;
    tcp_server_start(&server, answer_all, NULL);
    tcp_server_start(&silent, say_nothing, NULL);
    struct http_client *client = new_client(clock_system());
    const struct http_request request = {.method = "GET", .url = url_of(&server, url)};
    struct outcome never;
    struct chain chain = {.client = client, .request = &request};
    struct error err = {0};
    assert_non_null(http_client_start(client, &request, go_on, &chain, &err));
    chain.victim = start_exchange(
        client, &(struct http_request){.method = "GET", .url = url_of(&silent, silent_url)},
        &never);
    while (chain.links < 5) {
        assert_true(http_client_run(client, -1, &err));
    }
    assert_false(never.over);
    http_client_destroy(client);
    tcp_server_stop(&silent);
    tcp_server_stop(&server);
}

static void a_cancelled_exchange_is_never_done(void **state) {
    (void)state;
    char url[URL_BYTES];
    struct tcp_server server;
    tcp_server_start(&server, answer_all, NULL);
    struct http_client *client = new_client(clock_system());
    const struct http_request request = {.method = "GET", .url = url_of(&server, url)};
    struct outcome cancelled;
    struct outcome other;
    struct http_exchange *victim = start_exchange(client, &request, &cancelled);
    http_client_cancel(client, victim);
    http_client_cancel(client, NULL);
    run_exchange(client, &request, &other);
    assert_true(other.answered);
    assert_false(cancelled.over);
    http_client_destroy(client);
    tcp_server_stop(&server);
}

static void destroying_a_client_cancels_what_runs(void **state) {
    (void)state;
    char url[URL_BYTES];
    struct tcp_server server;
    tcp_server_start(&server, say_nothing, NULL);
    struct http_client *client = new_client(clock_system());
    struct outcome outcome;
    struct error err = {0};
    (void)start_exchange(
        client, &(struct http_request){.method = "GET", .url = url_of(&server, url)}, &outcome);
    assert_true(http_client_run(client, 1, &err));
    http_client_destroy(client);
    http_client_destroy(NULL);
    assert_false(outcome.over);
    tcp_server_stop(&server);
}

static void proxies_are_used_only_where_allowed(void **state) {
    (void)state;
    char url[URL_BYTES];
    char proxy[URL_BYTES];
    struct buf seen = buf_with_ceiling(65536);
    struct tcp_server server;
    struct tcp_server proxy_server;
    tcp_server_start(&server, answer_all, NULL);
    tcp_server_start(&proxy_server, answer_all, &seen);
    (void)snprintf(proxy, sizeof proxy, "http://127.0.0.1:%u", proxy_server.port);
    const struct http_client_settings settings = {.proxies = {.for_http = span_of_text(proxy)},
                                                  .clock = clock_system()};
    struct http_client *client = http_client_create(&settings, NULL);
    assert_non_null(client);
    struct http_request request = {.method = "GET", .url = url_of(&server, url)};
    struct outcome outcome;
    run_exchange(client, &request, &outcome);
    assert_int_equal(proxy_server.connections, 0);
    request.use_proxy = true;
    run_exchange(client, &request, &outcome);
    assert_int_equal(proxy_server.connections, 1);
    assert_true(span_starts_with(buf_span(&seen), SPAN("GET http://127.0.0.1:")));
    http_client_destroy(client);
    tcp_server_stop(&proxy_server);
    tcp_server_stop(&server);
    buf_done(&seen);
}

static void a_bypassed_host_is_reached_without_the_proxy(void **state) {
    (void)state;
    char url[URL_BYTES];
    struct tcp_server server;
    tcp_server_start(&server, answer_all, NULL);
    const struct http_client_settings settings = {
        .proxies = {.for_http = SPAN("http://127.0.0.1:9"),
                    .bypass = SPAN("example.org,127.0.0.1")},
        .clock = clock_system()};
    struct http_client *client = http_client_create(&settings, NULL);
    assert_non_null(client);
    const struct http_request request = {
        .method = "GET", .url = url_of(&server, url), .use_proxy = true};
    struct outcome outcome;
    run_exchange(client, &request, &outcome);
    assert_true(outcome.answered);
    http_client_destroy(client);
    tcp_server_stop(&server);
}

static void the_environment_names_no_proxy_behind_our_back(void **state) {
    (void)state;
    static const char *const names[] = {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"};
    char url[URL_BYTES];
    struct tcp_server server;
    tcp_server_start(&server, answer_all, NULL);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_int_equal(setenv(names[i], "http://127.0.0.1:9", 1), 0);
    }
    struct http_client *client = new_client(clock_system());
    const struct http_request request = {
        .method = "GET", .url = url_of(&server, url), .use_proxy = true};
    struct outcome outcome;
    run_exchange(client, &request, &outcome);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        assert_int_equal(unsetenv(names[i]), 0);
    }
    assert_true(outcome.answered);
    http_client_destroy(client);
    tcp_server_stop(&server);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_status_body_and_headers_of_an_answer),
        cmocka_unit_test(sends_what_it_was_given_and_nothing_of_its_own),
        cmocka_unit_test(sends_the_content_type_that_it_was_given_once),
        cmocka_unit_test(uses_a_connection_again_and_says_so),
        cmocka_unit_test(a_connection_for_a_single_use_is_not_used_again),
        cmocka_unit_test(runs_many_exchanges_at_once),
        cmocka_unit_test(done_may_start_and_cancel_exchanges),
        cmocka_unit_test(a_cancelled_exchange_is_never_done),
        cmocka_unit_test(destroying_a_client_cancels_what_runs),
        cmocka_unit_test(proxies_are_used_only_where_allowed),
        cmocka_unit_test(a_bypassed_host_is_reached_without_the_proxy),
        cmocka_unit_test(the_environment_names_no_proxy_behind_our_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
