// SPDX-License-Identifier: MIT
#include "tcp_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>

int tcp_connect(uint16_t port) {
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        .sin_port = htons(port),
    };
    const struct timeval half_a_minute = {.tv_sec = 30};
    const int on = 1;
    int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection < 0 ||
        setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &half_a_minute, sizeof half_a_minute) ||
        setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) ||
        connect(connection, (struct sockaddr *)&address, sizeof address) != 0) {
        perror("a test cannot connect");
        abort();
    }
    return connection;
}

bool tcp_client_send(int connection, struct span bytes) {
    while (bytes.len > 0) {
        ssize_t sent = send(connection, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        if (sent <= 0) {
            return false;
        }
        bytes = span_skip(bytes, (size_t)sent);
    }
    return true;
}

static bool receive_char(int connection, char *ret) {
    ssize_t got = recv(connection, ret, 1, 0);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        (void)fputs("a test got nothing for half a minute\n", stderr);
        abort();
    }
    return got == 1;
}

static unsigned long long body_length(struct span head) {
    unsigned long long length = 0;
    while (head.len > 0) {
        struct span line = span_cut(&head, '\n');
        struct span name = span_cut(&line, ':');
        if (span_equals_ignoring_case(name, SPAN("Content-Length")) &&
            !span_to_u64(span_trim(line), &length)) {
            return 0;
        }
    }
    return length;
}

int tcp_client_status(int connection, struct buf *head) {
    struct buf own = buf_with_ceiling(64 * 1024);
    struct buf *to = head == NULL ? &own : head;
    int status = 0;
    char c = 0;
    buf_clear(to);
    while (!span_ends_with(buf_span(to), SPAN("\r\n\r\n")) && receive_char(connection, &c)) {
        buf_append_char(to, c);
    }
    if (span_ends_with(buf_span(to), SPAN("\r\n\r\n"))) {
        for (unsigned long long i = body_length(buf_span(to)); i > 0; i--) {
            (void)receive_char(connection, &c);
        }
        (void)sscanf(buf_text(to), "HTTP/1.%*d %d", &status);
    }
    buf_done(&own);
    return status;
}

bool tcp_client_is_closed(int connection) {
    char c = 0;
    return !receive_char(connection, &c);
}
