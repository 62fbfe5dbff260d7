// SPDX-License-Identifier: MIT
#include "tcp_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int listen_on_loopback(uint16_t *port) {
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    socklen_t size = sizeof address;
    int listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listening < 0 || bind(listening, (struct sockaddr *)&address, size) != 0 ||
        listen(listening, TCP_PEERS_MAX) != 0 ||
        getsockname(listening, (struct sockaddr *)&address, &size) != 0) {
        perror("a test server cannot listen");
        abort();
    }
    *port = ntohs(address.sin_port);
    return listening;
}

static void *serve_peer(void *argument) {
    struct tcp_peer *peer = argument;
    peer->server->serve(peer, peer->server->context);
    if (peer->resets) {
        /* Closes the connection, but keeps its number taken until tcp_server_stop(). */
        int spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
        (void)dup2(spare, peer->socket);
        (void)close(spare);
    } else {
        (void)shutdown(peer->socket, SHUT_RDWR);
    }
    return NULL;
}

static void *accept_peers(void *argument) {
    struct tcp_server *server = argument;
    for (unsigned number = 0; number < TCP_PEERS_MAX; number++) {
        int accepted = accept4(server->socket, NULL, NULL, SOCK_CLOEXEC);
        if (accepted < 0) {
            break;
        }
        struct tcp_peer *peer = &server->peers[number];
        *peer = (struct tcp_peer){
            .server = server,
            .socket = accepted,
            .number = number,
            .received = buf_with_ceiling(16 * 1024 * 1024),
        };
        atomic_fetch_add(&server->connections, 1); /* before anybody can be answered */
        if (pthread_create(&peer->thread, NULL, serve_peer, peer) != 0) {
            abort();
        }
    }
    return NULL;
}

void tcp_server_start(struct tcp_server *server, tcp_serve_fn serve, void *context) {
    *server = (struct tcp_server){.serve = serve, .context = context};
    server->socket = listen_on_loopback(&server->port);
    if (pthread_create(&server->thread, NULL, accept_peers, server) != 0) {
        abort();
    }
}

void tcp_server_stop(struct tcp_server *server) {
    (void)shutdown(server->socket, SHUT_RDWR); /* ends the accept */
    (void)pthread_join(server->thread, NULL);
    (void)close(server->socket);
    for (unsigned i = 0; i < server->connections; i++) {
        struct tcp_peer *peer = &server->peers[i];
        (void)shutdown(peer->socket, SHUT_RDWR);
        (void)pthread_join(peer->thread, NULL);
        (void)close(peer->socket);
        buf_done(&peer->received);
    }
}

static bool receive_more(struct tcp_peer *peer) {
    char bytes[65536];
    ssize_t got = recv(peer->socket, bytes, sizeof bytes, 0);
    if (got > 0) {
        buf_append(&peer->received, span_of(bytes, (size_t)got));
    }
    return got > 0;
}

static size_t content_length(struct span head) {
    unsigned long long length = 0;
    while (head.len > 0) {
        struct span line = span_cut(&head, '\n');
        struct span name = span_cut(&line, ':');
        if (span_equals_ignoring_case(name, SPAN("Content-Length")) &&
            !span_to_u64(span_trim(line), &length)) {
            return 0;
        }
    }
    return (size_t)length;
}

bool tcp_read_request(struct tcp_peer *peer, struct buf *request) {
    const char *end = NULL;
    while ((end = span_find(buf_span(&peer->received), SPAN("\r\n\r\n"))) == NULL) {
        if (!receive_more(peer)) {
            return false;
        }
    }
    size_t head = (size_t)(end - peer->received.ptr) + 4;
    size_t whole = head + content_length(span_first(buf_span(&peer->received), head));
    while (peer->received.len < whole) {
        if (!receive_more(peer)) {
            return false;
        }
    }
    buf_clear(request);
    buf_append(request, span_first(buf_span(&peer->received), whole));
    memmove(peer->received.ptr, peer->received.ptr + whole, peer->received.len - whole);
    buf_truncate(&peer->received, peer->received.len - whole);
    return true;
}

static void send_bytes(struct tcp_peer *peer, struct span bytes) {
    while (bytes.len > 0) {
        ssize_t sent = send(peer->socket, bytes.ptr, bytes.len, MSG_NOSIGNAL);
        if (sent <= 0) {
            return;
        }
        bytes = span_skip(bytes, (size_t)sent);
    }
}

void tcp_send(struct tcp_peer *peer, const char *text) { send_bytes(peer, span_of_text(text)); }

void tcp_answer(struct tcp_peer *peer, int status, const char *headers, const char *body) {
    struct buf answer = buf_with_ceiling(16 * 1024 * 1024);
    buf_append_format(&answer, "HTTP/1.1 %d Whatever\r\nContent-Length: %zu\r\n%s\r\n", status,
                      strlen(body), headers);
    buf_append_text(&answer, body);
    send_bytes(peer, buf_span(&answer));
    buf_done(&answer);
}

void tcp_wait_for_end(struct tcp_peer *peer) {
    while (receive_more(peer)) {
    }
}

void tcp_reset_at_end(struct tcp_peer *peer) {
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    peer->resets = true;
    (void)setsockopt(peer->socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

uint16_t tcp_unused_port(void) {
    uint16_t port = 0;
    (void)close(listen_on_loopback(&port));
    return port;
}
