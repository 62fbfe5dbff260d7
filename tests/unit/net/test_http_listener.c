// SPDX-License-Identifier: MIT
#include "net/http_listener.h"

#include "listener_fixture.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static void takes_post_and_put_on_one_connection(void **state) {
    (void)state;
    int connection = tcp_connect(fixture.port);
    assert_int_equal(post(connection, "[1]"), 200);
    assert_true(sink_last_is(&fixture.sink, SPAN("[1]")));
    send_length(connection, "PUT", 3);
    send_text(connection, "[2]");
    assert_int_equal(tcp_client_status(connection, NULL), 200);
    assert_true(sink_last_is(&fixture.sink, SPAN("[2]")));
    assert_int_equal(sink_count(&fixture.sink), 2);
    (void)close(connection);
}

static void takes_any_path(void **state) {
    (void)state;
    const char *const paths[] = {"/", "/a/../b", "/%00%zz?x=%", "//", "*", "http://sandbox:1/x"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        char request[128];
        int connection = tcp_connect(fixture.port);
        (void)snprintf(request, sizeof request,
                       "POST %s HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n[]", paths[i]);
        send_text(connection, request);
        assert_int_equal(tcp_client_status(connection, NULL), 200);
        (void)close(connection);
    }
}

static void receives_a_body_into_the_memory_that_is_given_for_it(void **state) {
    (void)state;
    for (size_t capacity = 2; capacity <= 5; capacity++) {
        struct buf memory = buf_with_ceiling(capacity);
        const char *bytes = buf_reserve(&memory, capacity);
        (void)pthread_mutex_lock(&fixture.sink.mutex);
        fixture.sink.memory = memory;
        (void)pthread_mutex_unlock(&fixture.sink.mutex);
        int connection = tcp_connect(fixture.port);
        assert_int_equal(post(connection, "[1]"), 200);
        assert_true(sink_last_is(&fixture.sink, SPAN("[1]")));
        assert_true(capacity < 3 || fixture.sink.last.ptr == bytes);
        (void)close(connection);
    }
}

static void takes_an_empty_body(void **state) {
    (void)state;
    int connection = tcp_connect(fixture.port);
    assert_int_equal(post(connection, ""), 200);
    assert_int_equal(sink_count(&fixture.sink), 1);
    assert_true(sink_last_is(&fixture.sink, SPAN("")));
    (void)close(connection);
}

static void takes_a_chunked_body_with_trailers(void **state) {
    (void)state;
    int connection = tcp_connect(fixture.port);
    send_head(connection, "POST", "Transfer-Encoding: chunked\r\n");
    send_text(connection, "3\r\n[1,\r\n");
    send_text(connection, "2;extension=x\r\n2]\r\n0\r\nX-Trailer: yes\r\n\r\n");
    assert_int_equal(tcp_client_status(connection, NULL), 200);
    assert_true(sink_last_is(&fixture.sink, SPAN("[1,2]")));
    assert_int_equal(post(connection, "[3]"), 200);
    (void)close(connection);
}

static void takes_a_body_that_comes_byte_by_byte(void **state) {
    (void)state;
    static const char request[] =
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n[\"a\\u00\"]";
    int connection = tcp_connect(fixture.port);
    for (size_t i = 0; i < sizeof request - 1; i++) {
        assert_true(tcp_client_send(connection, span_of(&request[i], 1)));
    }
    assert_int_equal(tcp_client_status(connection, NULL), 200);
    assert_true(sink_last_is(&fixture.sink, SPAN("[\"a\\u00\"]")));
    (void)close(connection);
}

static void tells_a_sender_that_asks_to_go_on(void **state) {
    (void)state;
    int connection = tcp_connect(fixture.port);
    send_head(connection, "POST", "Expect: 100-continue\r\nContent-Length: 2\r\n");
    assert_int_equal(tcp_client_status(connection, NULL), 100);
    send_text(connection, "[]");
    assert_int_equal(tcp_client_status(connection, NULL), 200);
    (void)close(connection);
}

static void tells_a_sender_that_asks_not_to_send_too_much(void **state) {
    (void)state;
    int connection = tcp_connect(fixture.port);
    send_head(connection, "POST", "Expect: 100-continue\r\nContent-Length: 5000000\r\n");
    assert_int_equal(tcp_client_status(connection, NULL), 413);
    assert_true(tcp_client_is_closed(connection));
    (void)close(connection);
}

static void refuses_lengths_that_are_not_numbers(void **state) {
    (void)state;
    const char *const lengths[] = {"-1", "1e3", "99999999999999999999999", "0x10", ""};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        char header[64];
        int connection = tcp_connect(fixture.port);
        (void)snprintf(header, sizeof header, "Content-Length: %s\r\n", lengths[i]);
        send_head(connection, "POST", header);
        int status = tcp_client_status(connection, NULL);
        assert_true(status == 0 || (status >= 400 && status < 500));
        (void)close(connection);
    }
    assert_int_equal(sink_count(&fixture.sink), 0);
}

static void answers_503_while_there_is_no_room(void **state) {
    (void)state;
    int connection = tcp_connect(fixture.port);
    sink_set_full(&fixture.sink, true);
    assert_int_equal(post(connection, "[1]"), 503);
    sink_set_full(&fixture.sink, false);
    assert_int_equal(post(connection, "[1]"), 200);
    assert_int_equal(sink_count(&fixture.sink), 1);
    (void)close(connection);
}

static void a_body_that_there_is_no_memory_for_is_answered_503_and_not_handed_over(void **state) {
    (void)state;
    int connection = tcp_connect(fixture.port);
    sink_set_no_memory(&fixture.sink, true);
    assert_int_equal(post(connection, "[1]"), 503);
    assert_int_equal(sink_count(&fixture.sink), 0);
    sink_set_no_memory(&fixture.sink, false);
    assert_int_equal(post(connection, "[2]"), 200); /* on the same connection */
    assert_true(sink_last_is(&fixture.sink, SPAN("[2]")));
    (void)close(connection);
}

static void refuses_other_methods_and_says_which_it_takes(void **state) {
    (void)state;
    const char *const methods[] = {"GET", "HEAD", "DELETE", "OPTIONS", "PATCH", "post", "X"};
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        struct buf head = buf_with_ceiling(4096);
        int connection = tcp_connect(fixture.port);
        send_head(connection, methods[i], "");
        assert_int_equal(tcp_client_status(connection, &head), 405);
        assert_non_null(span_find(buf_span(&head), SPAN("Allow: POST, PUT\r\n")));
        buf_done(&head);
        (void)close(connection);
    }
    int connection = tcp_connect(fixture.port);
    send_length(connection, "PATCH", 3);
    send_text(connection, "[1]");
    assert_int_equal(tcp_client_status(connection, NULL), 405);
    assert_int_equal(post(connection, "[2]"), 200);
    assert_int_equal(sink_count(&fixture.sink), 1);
    (void)close(connection);
}

static void refuses_what_is_not_http(void **state) {
    (void)state;
    static char long_header[256 * 1024];
    memset(long_header, 'h', sizeof long_header - 1);
    memcpy(long_header, "POST / HTTP/1.1\r\nHost: h\r\nX: ", 29);
    const char *const inputs[] = {
        "\x16\x03\x01\x02 a TLS hello\r\n\r\n",
        "nonsense\r\n\r\n",
        "POST / HTTP/9.9\r\nHost: h\r\nContent-Length: 2\r\n\r\n[]",

        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n[]\r\n",
        long_header,
    };
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
        int connection = tcp_connect(fixture.port);
        (void)tcp_client_send(connection, span_of_text(inputs[i]));
        (void)shutdown(connection, SHUT_WR);
        int status = tcp_client_status(connection, NULL);
        assert_true(status == 0 || status == 505 || (status >= 400 && status < 500));
        (void)close(connection);
    }
    assert_int_equal(sink_count(&fixture.sink), 0);
    int connection = tcp_connect(fixture.port);
    assert_int_equal(post(connection, "[1]"), 200);
    (void)close(connection);
}

/* libmicrohttpd notices such an end with the data, or else when the idle time is over. */
static void a_body_that_is_cut_short_is_not_handed_over(void **state) {
    (void)state;
    int connection = tcp_connect(fixture.port);
    send_length(connection, "POST", 10);
    send_text(connection, "[1");
    (void)shutdown(connection, SHUT_WR);
    assert_int_not_equal(tcp_client_status(connection, NULL), 200);
    (void)close(connection);
    assert_int_equal(sink_count(&fixture.sink), 0);
}

static void says_that_its_port_is_taken(void **state) {
    (void)state;
    struct error err = {0};
    const struct http_listener_settings settings = {
        .address = INADDR_LOOPBACK, .port = fixture.port, .on_body = sink_put};
    assert_null(http_listener_create(&settings, &err));
    assert_int_equal(err.code, ERR_FULL);
    assert_non_null(strstr(err.message, "Address already in use"));
}

static void takes_a_port_that_was_just_in_use(void **state) {
    (void)state;
    int connection = tcp_connect(fixture.port);
    assert_int_equal(post(connection, "[1]"), 200);
    http_listener_destroy(fixture.listener); /* closes first, which leaves it in TIME_WAIT */
    struct error err = {0};
    const struct http_listener_settings settings = {.address = INADDR_LOOPBACK,
                                                    .port = fixture.port,
                                                    .on_body = sink_put,
                                                    .context = &fixture.sink};
    fixture.listener = http_listener_create(&settings, &err);
    assert_non_null(fixture.listener);
    int second = tcp_connect(fixture.port);
    assert_int_equal(post(second, "[1]"), 200);
    (void)close(second);
    (void)close(connection);
}

static void says_that_an_address_is_not_its_own(void **state) {
    (void)state;
    struct error err = {0};
    const struct http_listener_settings settings = {.address = 0xC0000201, .on_body = sink_put};
    assert_null(http_listener_create(&settings, &err));
    assert_int_equal(err.code, ERR_SYSTEM);
}

static void blocks_signals_in_its_thread_and_not_in_others(void **state) {
    (void)state;
    int connection = tcp_connect(fixture.port);
    assert_int_equal(post(connection, "[1]"), 200);
    assert_int_equal(sigismember(&fixture.sink.mask, SIGTERM), 1);
    assert_int_equal(sigismember(&fixture.sink.mask, SIGPIPE), 1);
    sigset_t own;
    (void)pthread_sigmask(SIG_SETMASK, NULL, &own);
    assert_int_equal(sigismember(&own, SIGTERM), 0);
    (void)close(connection);
}

static void can_be_destroyed_while_requests_are_under_way(void **state) {
    (void)state;
    int half_body = tcp_connect(fixture.port);
    int idle = tcp_connect(fixture.port);
    assert_int_equal(post(half_body, "[1]"), 200);
    assert_int_equal(post(idle, "[2]"), 200);
    send_length(half_body, "POST", 1000000);
    assert_true(send_filler(half_body, 500000));
    http_listener_destroy(fixture.listener);
    fixture.listener = NULL;
    assert_true(tcp_client_is_closed(half_body));
    assert_true(tcp_client_is_closed(idle));
    assert_int_equal(sink_count(&fixture.sink), 2);
    (void)close(half_body);
    (void)close(idle);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        LISTENER_TEST(takes_post_and_put_on_one_connection),
        LISTENER_TEST(takes_any_path),
        LISTENER_TEST(receives_a_body_into_the_memory_that_is_given_for_it),
        LISTENER_TEST(takes_an_empty_body),
        LISTENER_TEST(takes_a_chunked_body_with_trailers),
        LISTENER_TEST(takes_a_body_that_comes_byte_by_byte),
        LISTENER_TEST(tells_a_sender_that_asks_to_go_on),
        LISTENER_TEST(tells_a_sender_that_asks_not_to_send_too_much),
        LISTENER_TEST(refuses_lengths_that_are_not_numbers),
        LISTENER_TEST(answers_503_while_there_is_no_room),
        LISTENER_TEST(a_body_that_there_is_no_memory_for_is_answered_503_and_not_handed_over),
        LISTENER_TEST(refuses_other_methods_and_says_which_it_takes),
        LISTENER_TEST(refuses_what_is_not_http),
        IMPATIENT_TEST(a_body_that_is_cut_short_is_not_handed_over),
        LISTENER_TEST(says_that_its_port_is_taken),
        LISTENER_TEST(takes_a_port_that_was_just_in_use),
        LISTENER_TEST(says_that_an_address_is_not_its_own),
        LISTENER_TEST(blocks_signals_in_its_thread_and_not_in_others),
        LISTENER_TEST(can_be_destroyed_while_requests_are_under_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
