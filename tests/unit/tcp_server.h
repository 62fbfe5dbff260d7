// SPDX-License-Identifier: MIT
/* A TCP server on the loopback for tests: each connection is served by `serve` in a thread of its
 * own, until that returns. What `serve` shares with the test must be safe across threads. */
#pragma once

#include "base/buf.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { TCP_PEERS_MAX = 64 };

struct tcp_server;

struct tcp_peer {
    struct tcp_server *server;
    int socket;
    unsigned number; /* of the connection: 0, 1, 2, … */
    pthread_t thread;
    struct buf received; /* what has come and not been taken */
    bool resets;
};

typedef void (*tcp_serve_fn)(struct tcp_peer *peer, void *context);

struct tcp_server {
    int socket;
    uint16_t port;
    tcp_serve_fn serve;
    void *context;
    pthread_t thread;
    struct tcp_peer peers[TCP_PEERS_MAX];
    atomic_uint connections; /* accepted so far */
};

void tcp_server_start(struct tcp_server *server, tcp_serve_fn serve, void *context);

/* Ends all connections and joins all threads. */
void tcp_server_stop(struct tcp_server *server);

/* Reads one request, head and body by its Content-Length, into *request; false at the end of the
 * connection. */
bool tcp_read_request(struct tcp_peer *peer, struct buf *request);

void tcp_send(struct tcp_peer *peer, const char *text);

/* Sends an answer with the right Content-Length. `headers` are whole lines with their CRLF. */
void tcp_answer(struct tcp_peer *peer, int status, const char *headers, const char *body);

/* Waits until the other side is gone. */
void tcp_wait_for_end(struct tcp_peer *peer);

/* Makes the end of this connection a reset instead of a close. */
void tcp_reset_at_end(struct tcp_peer *peer);

/* A port of the loopback that nobody listens on. */
uint16_t tcp_unused_port(void);
