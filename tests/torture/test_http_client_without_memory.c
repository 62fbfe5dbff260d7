// SPDX-License-Identifier: MIT
/* An event loop that has no memory to go on with says so, and goes on by itself once there is some
 * again. */
#include "../unit/net/http_outcome.h"
#include "failing_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* More than the ten that libcurl waits for without asking for memory. */
enum { EXCHANGES = 12, RUNS = 3 };

struct loop {
    struct tcp_server server;
    struct http_client *client;
    struct outcome outcomes[EXCHANGES];
};

static struct loop loop; /* large, so not on the stack */

static atomic_uint requests;

static void count_and_say_nothing(struct tcp_peer *peer, void *context) {
    (void)context;
    struct buf request = buf_with_ceiling(65536);
    if (tcp_read_request(peer, &request)) {
        (void)atomic_fetch_add(&requests, 1);
    }
    buf_done(&request);
    tcp_wait_for_end(peer);
}

static void start(tcp_serve_fn serve) {
    char url[URL_BYTES];
    tcp_server_start(&loop.server, serve, NULL);
    loop.client = new_client(clock_system());
    const struct http_request request = {
        .method = "POST", .url = url_of(&loop.server, url), .time_limit_ms = 60000};
    for (size_t i = 0; i < EXCHANGES; i++) {
        (void)start_exchange(loop.client, &request, &loop.outcomes[i]);
    }
}

static void stop(void) {
    http_client_destroy(loop.client);
    tcp_server_stop(&loop.server);
    for (size_t i = 0; i < EXCHANGES; i++) {
        buf_done(&loop.outcomes[i].body);
    }
}

/* A few runs under the plan; how many of them found no memory. */
static unsigned run_short_of_memory(struct memory_plan *plan, int64_t wait_ms) {
    unsigned starved = 0;
    failing_memory_follow(plan);
    for (int i = 0; i < RUNS; i++) {
        struct error err = {0};
        if (!http_client_run(loop.client, wait_ms, &err)) {
            assert_int_equal(err.code, ERR_MEMORY);
            starved++;
        }
    }
    failing_memory_follow(NULL);
    return starved;
}

static void without_memory_to_wait_with_it_says_so_and_waits_again_later(void **state) {
    (void)state;
    struct memory_plan plan = {.first = 1, .also_later = true};
    struct error err = {0};
    start(count_and_say_nothing);
    while (atomic_load(&requests) < EXCHANGES) {
        assert_true(http_client_run(loop.client, 1, &err));
    }
    assert_true(http_client_run(loop.client, 1, &err)); /* nothing is left to be done */
    assert_int_equal(run_short_of_memory(&plan, 10000), RUNS);
    assert_true(http_client_run(loop.client, 1, &err));
    stop();
}

static void every_exchange_ends_once_memory_is_back(void **state) {
    (void)state;
    bool reached = true;
    for (size_t first = 1; reached; first += 1 + first / 8) {
        struct memory_plan plan = {.first = first, .also_later = true};
        start(answer_all);
        (void)run_short_of_memory(&plan, 1);
        reached = plan.refused > 0;
        for (size_t i = 0; i < EXCHANGES; i++) {
            run_until_over(loop.client, &loop.outcomes[i]);
            assert_true(loop.outcomes[i].answered || loop.outcomes[i].error.message[0] != '\0');
            assert_int_not_equal(loop.outcomes[i].error.code, ERR_INVALID); /* that is final */
        }
        stop();
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_memory_to_wait_with_it_says_so_and_waits_again_later),
        cmocka_unit_test(every_exchange_ends_once_memory_is_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
