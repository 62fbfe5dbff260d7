// SPDX-License-Identifier: MIT
#include "net/http_listener.h"

#include "listener_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <cmocka.h>

static void takes_the_largest_body_and_no_larger(void **state) {
    (void)state;
    const int expected[] = {200, 413};
    for (size_t more = 0; more < 2; more++) {
        int connection = tcp_connect(fixture.port);
        send_length(connection, "POST", LISTENER_BODY_BYTES_MAX + more);
        assert_true(send_filler(connection, LISTENER_BODY_BYTES_MAX + more));
        assert_int_equal(tcp_client_status(connection, NULL), expected[more]);
        (void)close(connection);
    }
    assert_int_equal(sink_count(&fixture.sink), 1);
    assert_int_equal(fixture.sink.last.len, LISTENER_BODY_BYTES_MAX);
}

static void takes_the_largest_chunked_body_and_no_larger(void **state) {
    (void)state;
    const int expected[] = {200, 413};
    for (size_t more = 0; more < 2; more++) {
        char size[32];
        int connection = tcp_connect(fixture.port);
        send_head(connection, "POST", "Transfer-Encoding: chunked\r\n");
        (void)snprintf(size, sizeof size, "%zx\r\n", LISTENER_BODY_BYTES_MAX + more);
        send_text(connection, size);
        assert_true(send_filler(connection, LISTENER_BODY_BYTES_MAX + more));
        send_text(connection, "\r\n0\r\n\r\n");
        assert_int_equal(tcp_client_status(connection, NULL), expected[more]);
        (void)close(connection);
    }
    assert_int_equal(sink_count(&fixture.sink), 1);
}

static void keeps_the_connection_of_a_sender_that_was_refused(void **state) {
    (void)state;
    int connection = tcp_connect(fixture.port);
    send_length(connection, "POST", LISTENER_BODY_BYTES_MAX + 1);
    assert_true(send_filler(connection, LISTENER_BODY_BYTES_MAX + 1));
    assert_int_equal(tcp_client_status(connection, NULL), 413);
    assert_int_equal(post(connection, "[1]"), 200);
    (void)close(connection);
}

static void cuts_an_upload_without_end(void **state) {
    (void)state;
    int connection = tcp_connect(fixture.port);
    send_head(connection, "POST", "Transfer-Encoding: chunked\r\n");
    send_text(connection, "fffffff\r\n"); /* 256 MiB */
    assert_false(send_filler(connection, 0xfffffff));
    assert_int_equal(sink_count(&fixture.sink), 0);
    (void)close(connection);
}

static void a_length_that_is_a_lie_does_no_harm(void **state) {
    (void)state;
    enum { LIARS = LISTENER_CONNECTIONS_MAX / 2 };
    int liars[LIARS];
    for (size_t i = 0; i < LIARS; i++) {
        liars[i] = tcp_connect(fixture.port);
        send_length(liars[i], "POST", LISTENER_BODY_BYTES_MAX);
        send_text(liars[i], "[");
    }
    int honest = tcp_connect(fixture.port);
    send_length(honest, "POST", LISTENER_BODY_BYTES_MAX);
    assert_true(send_filler(honest, LISTENER_BODY_BYTES_MAX));
    assert_int_equal(tcp_client_status(honest, NULL), 200);
    for (size_t i = 0; i < LIARS; i++) {
        (void)close(liars[i]);
    }
    assert_int_equal(post(honest, "[1]"), 200);
    assert_int_equal(sink_count(&fixture.sink), 2);
    (void)close(honest);
}

/* Sends a body of `length` again and again until it is refused, or many times. Head and body go
 * together and are read together, so that they never count while others are being read. */
static int post_until_refused(int connection, size_t length) {
    struct buf request = buf_with_ceiling(65536);
    buf_append_format(&request, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %zu\r\n\r\n%0*d",
                      length, (int)length, 0);
    assert_false(buf_failed(&request));
    int status = 200;
    for (int i = 0; i < 20000 && status == 200; i++) {
        assert_true(tcp_client_send(connection, buf_span(&request)));
        status = tcp_client_status(connection, NULL);
    }
    buf_done(&request);
    return status;
}

static void bounds_the_bytes_of_all_unfinished_bodies(void **state) {
    (void)state;
    enum { MISSING = 4096 };
    int held[2];
    for (size_t i = 0; i < 2; i++) {
        held[i] = tcp_connect(fixture.port);
        send_length(held[i], "POST", LISTENER_BODY_BYTES_MAX);
        assert_true(send_filler(held[i], LISTENER_BODY_BYTES_MAX - MISSING));
    }
    /* What was held may still be on its way: refusals begin when it has been read. */
    int third = tcp_connect(fixture.port);
    assert_int_equal(post_until_refused(third, 2 * MISSING + 1), 503);
    assert_int_equal(post(third, "[1]"), 200);

    for (size_t i = 0; i < 2; i++) {
        assert_true(send_filler(held[i], MISSING));
        assert_int_equal(tcp_client_status(held[i], NULL), 200);
        (void)close(held[i]);
    }
    send_length(third, "POST", LISTENER_BODY_BYTES_MAX);
    assert_true(send_filler(third, LISTENER_BODY_BYTES_MAX));
    assert_int_equal(tcp_client_status(third, NULL), 200);
    (void)close(third);
}

static void serves_as_many_connections_as_it_says(void **state) {
    (void)state;
    int connections[LISTENER_CONNECTIONS_MAX];
    for (size_t i = 0; i < LISTENER_CONNECTIONS_MAX; i++) {
        connections[i] = tcp_connect(fixture.port);
        assert_int_equal(post(connections[i], "[1]"), 200);
    }
    for (size_t i = 0; i < LISTENER_CONNECTIONS_MAX; i++) {
        assert_int_equal(post(connections[i], "[2]"), 200);
        (void)close(connections[i]);
    }
    assert_int_equal(sink_count(&fixture.sink), 2 * LISTENER_CONNECTIONS_MAX);
}

static void idlers_cannot_use_up_all_connections(void **state) {
    (void)state;
    int idlers[LISTENER_CONNECTIONS_MAX];
    for (size_t i = 0; i < LISTENER_CONNECTIONS_MAX; i++) {
        idlers[i] = tcp_connect(fixture.port);
        assert_int_equal(post(idlers[i], "[]"), 200);
    }
    int latecomer = tcp_connect(fixture.port); /* served when the first idler is thrown out */
    assert_int_equal(post(latecomer, "[1]"), 200);
    for (size_t i = LISTENER_KEPT_CONNECTIONS; i < LISTENER_CONNECTIONS_MAX; i++) {
        assert_true(tcp_client_is_closed(idlers[i]));
    }
    /* But some stay, however long they were silent. */
    for (size_t i = 0; i < LISTENER_KEPT_CONNECTIONS; i++) {
        assert_int_equal(post(idlers[i], "[2]"), 200);
    }
    (void)close(latecomer);
    for (size_t i = 0; i < LISTENER_CONNECTIONS_MAX; i++) {
        (void)close(idlers[i]);
    }
}

static void a_request_that_stands_still_is_given_up(void **state) {
    (void)state;
    int silent = tcp_connect(fixture.port);
    int half_head = tcp_connect(fixture.port);
    send_text(half_head, "POST / HT");
    int half_body = tcp_connect(fixture.port);
    assert_int_equal(post(half_body, "[1]"), 200); /* from now on it may be silent, but … */
    send_length(half_body, "POST", 10);
    send_text(half_body, "[");
    assert_int_equal(tcp_client_status(half_body, NULL), 0);
    assert_int_equal(tcp_client_status(half_head, NULL), 0);
    assert_int_equal(tcp_client_status(silent, NULL), 0);
    assert_int_equal(sink_count(&fixture.sink), 1);
    (void)close(silent);
    (void)close(half_head);
    (void)close(half_body);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        LISTENER_TEST(takes_the_largest_body_and_no_larger),
        LISTENER_TEST(takes_the_largest_chunked_body_and_no_larger),
        LISTENER_TEST(keeps_the_connection_of_a_sender_that_was_refused),
        LISTENER_TEST(cuts_an_upload_without_end),
        LISTENER_TEST(a_length_that_is_a_lie_does_no_harm),
        LISTENER_TEST(bounds_the_bytes_of_all_unfinished_bodies),
        LISTENER_TEST(serves_as_many_connections_as_it_says),
        IMPATIENT_TEST(idlers_cannot_use_up_all_connections),
        IMPATIENT_TEST(a_request_that_stands_still_is_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
