// SPDX-License-Identifier: MIT
#include "net/http_client.h"

#include "http_outcome.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LONG_LIMIT_MS = 30000 };

struct moved_clock {
    struct clock clock;
    atomic_llong ahead_ms;
};

static int64_t moved_monotonic_ms(const struct clock *self) {
    const struct moved_clock *moved = (const struct moved_clock *)(const void *)self;
    return clock_monotonic_ms(clock_system()) + atomic_load(&moved->ahead_ms);
}

static struct moved_clock moved_clock(void) {
    return (struct moved_clock){.clock = {.monotonic_ms = moved_monotonic_ms}};
}

static void ends_an_exchange_at_its_time_limit(void **state) {
    (void)state;
    char url[URL_BYTES];
    struct tcp_server server;
    tcp_server_start(&server, say_nothing, NULL);
    struct http_client *client = new_client(clock_system());
    const struct http_request request = {
        .method = "GET", .url = url_of(&server, url), .time_limit_ms = 150};
    int64_t before = clock_monotonic_ms(clock_system());
    struct outcome outcome;
    run_exchange(client, &request, &outcome);
    assert_false(outcome.answered);
    assert_int_equal(outcome.error.code, ERR_UNAVAILABLE);
    assert_string_equal(outcome.error.message, "no answer within 150 ms");
    assert_true(clock_monotonic_ms(clock_system()) - before >= 149);
    http_client_destroy(client);
    tcp_server_stop(&server);
}

/* Answers only after hours have passed on the client's clock, in one leap: a freeze. */
static void answer_after_a_freeze(struct tcp_peer *peer, void *context) {
    struct moved_clock *clock = context;
    struct buf request = buf_with_ceiling(65536);
    (void)tcp_read_request(peer, &request);
    (void)atomic_fetch_add(&clock->ahead_ms, 3 * 3600 * 1000);
    tcp_send(peer, "HTTP/1.1 200 OK\r\n"); /* lets the client look at its clock */
    tcp_send(peer, "Content-Length: 0\r\n\r\n");
    tcp_wait_for_end(peer);
    buf_done(&request);
}

static void a_freeze_in_the_middle_does_not_use_up_the_time_limit(void **state) {
    (void)state;
    char url[URL_BYTES];
    struct moved_clock clock = moved_clock();
    struct tcp_server server;
    tcp_server_start(&server, answer_after_a_freeze, &clock);
    struct http_client *client = new_client(&clock.clock);
    const struct http_request request = {
        .method = "POST", .url = url_of(&server, url), .time_limit_ms = LONG_LIMIT_MS};
    struct outcome outcome;
    run_exchange(client, &request, &outcome);
    assert_true(outcome.answered);
    assert_int_equal(outcome.status, 200);
    http_client_destroy(client);
    tcp_server_stop(&server);
}

static void a_freeze_before_the_first_run_does_not_use_up_the_time_limit(void **state) {
    (void)state;
    char url[URL_BYTES];
    struct moved_clock clock = moved_clock();
    struct tcp_server server;
    tcp_server_start(&server, say_nothing, NULL);
    struct http_client *client = new_client(&clock.clock);
    const struct http_request request = {
        .method = "POST", .url = url_of(&server, url), .time_limit_ms = LONG_LIMIT_MS};
    struct outcome outcome;
    struct error err = {0};
    (void)start_exchange(client, &request, &outcome);
    for (int i = 0; i < 10; i++) {
        (void)atomic_fetch_add(&clock.ahead_ms, 3 * 3600 * 1000);
        assert_true(http_client_run(client, 0, &err));
    }
    assert_false(outcome.over);
    http_client_destroy(client);
    tcp_server_stop(&server);
}

static void a_limit_counts_from_the_start_of_its_exchange(void **state) {
    (void)state;
    char url[URL_BYTES];
    struct moved_clock clock = moved_clock();
    struct tcp_server server;
    tcp_server_start(&server, say_nothing, NULL);
    struct http_client *client = new_client(&clock.clock);
    const struct http_request request = {
        .method = "POST", .url = url_of(&server, url), .time_limit_ms = 90};
    struct outcome outcome;
    struct error err = {0};
    (void)atomic_fetch_add(&clock.ahead_ms, 95); /* the client has not looked at its clock since */
    (void)start_exchange(client, &request, &outcome);
    assert_true(http_client_run(client, 0, &err));
    assert_false(outcome.over);
    http_client_destroy(client);
    tcp_server_stop(&server);
}

static void run_returns_when_its_time_is_over(void **state) {
    (void)state;
    struct http_client *client = new_client(clock_system());
    struct error err = {0};
    int64_t before = clock_monotonic_ms(clock_system());
    assert_true(http_client_run(client, 0, &err));
    assert_true(http_client_run(client, 30, &err));
    assert_true(clock_monotonic_ms(clock_system()) - before >= 29);
    http_client_destroy(client);
}

static void *wake(void *client) {
    http_client_wake(client);
    return NULL;
}

static void run_returns_when_another_thread_wakes_it(void **state) {
    (void)state;
    struct http_client *client = new_client(clock_system());
    struct error err = {0};
    for (int i = 0; i < 100;
         i++) { /* the wake comes before, during or after the start of the run */
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, wake, client), 0);
        assert_true(http_client_run(client, -1, &err));
        (void)pthread_join(thread, NULL);
    }
    http_client_destroy(client);
}

static void many_wakes_end_one_run(void **state) {
    (void)state;
    struct moved_clock clock = moved_clock();
    struct http_client *client = new_client(&clock.clock);
    struct error err = {0};
    for (int i = 0; i < 100000; i++) { /* more than a pipe or socket holds: none may block */
        http_client_wake(client);
    }
    assert_true(http_client_run(client, -1, &err));
    int64_t before = clock_monotonic_ms(clock_system());
    assert_true(http_client_run(client, 30, &err));
    assert_true(clock_monotonic_ms(clock_system()) - before >= 29);
    http_client_destroy(client);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_an_exchange_at_its_time_limit),
        cmocka_unit_test(a_freeze_in_the_middle_does_not_use_up_the_time_limit),
        cmocka_unit_test(a_freeze_before_the_first_run_does_not_use_up_the_time_limit),
        cmocka_unit_test(a_limit_counts_from_the_start_of_its_exchange),
        cmocka_unit_test(run_returns_when_its_time_is_over),
        cmocka_unit_test(run_returns_when_another_thread_wakes_it),
        cmocka_unit_test(many_wakes_end_one_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
