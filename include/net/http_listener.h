// SPDX-License-Identifier: MIT
/* An HTTP server in a thread of its own, which takes request bodies and hands them over.
 * The one door to libmicrohttpd.
 *
 * Takes POST and PUT on any path, Content-Length and chunked, keep-alive. A complete body is given
 * to `on_body`; the sender then gets 200, or 503 when on_body says no or `memory_for` has none.
 * Everything else gets a 4xx and changes nothing: other methods 405, a body over
 * LISTENER_BODY_BYTES_MAX 413, a request that is not HTTP 400. Nothing that a peer sends is trusted
 * or logged.
 *
 * Any code in the same environment can connect, so the number of connections, the time that a
 * request may stand still, the size of a body and the bytes of all unfinished bodies together are
 * bounded by the constants below. */
#pragma once

#include "base/attributes.h"
#include "base/buf.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    /* The platform sends up to 2 × maxBytes and some metadata, and maxBytes is 1 MiB at most
     * (Logs API reference, "Buffering configuration"). */
    LISTENER_BODY_BYTES_MAX = 4 * 1024 * 1024,
    /* Of all unfinished bodies together; one more gets 503. The platform has one at a time. */
    LISTENER_UNFINISHED_BYTES_MAX = 2 * LISTENER_BODY_BYTES_MAX,
    /* The platform uses one connection for each subscription. When all are taken, the oldest that
     * is not kept (below) is closed to make room. */
    LISTENER_CONNECTIONS_MAX = 32,
    /* A connection that is silent for longer is closed. */
    LISTENER_IDLE_SECONDS = 10,
    /* But so many that have completed a request may stay silent between requests for as long as
     * they like, so that the platform's survives a freeze instead of being closed under its next
     * delivery. No more, so that others cannot use up all connections by doing nothing. */
    LISTENER_KEPT_CONNECTIONS = 8,
};

struct http_listener;

/* Called in the listener's thread for each complete body (which may be empty). Must not block.
 * Returns true when it took the body (and left *body empty), false when there is no room. */
typedef bool (*listener_body_fn)(void *context, struct buf *body);

/* Called in the listener's thread for a body that is to have `length` bytes. Must not block.
 * Returns an empty buffer that may hold these, with or without memory, to receive it into; or one
 * that has failed, when there is no room: then the answer is 503, and the body is thrown away. */
typedef struct buf (*listener_memory_fn)(void *context, size_t length);

struct http_listener_settings {
    uint32_t address;              /* IPv4 address to listen on, host byte order */
    uint16_t port;                 /* 0: any free one */
    listener_memory_fn memory_for; /* NULL: memory is always new */
    listener_body_fn on_body;
    /* Called in the listener's thread when a body that was given to on_body is answered (or its
     * connection is gone). NULL: nobody wants to know. */
    void (*on_answered)(void *context);
    void *context;         /* for these functions */
    unsigned idle_seconds; /* 0: LISTENER_IDLE_SECONDS */
};

/* Binds and starts the thread. A port that an earlier process left in TIME_WAIT is taken
 * (SO_REUSEADDR); one that somebody listens on gives ERR_FULL; anything else ERR_SYSTEM.
 * All signals are blocked in the new thread. */
MUST_CHECK struct http_listener *http_listener_create(const struct http_listener_settings *settings,
                                                      struct error *err);

/* Whether a body was given to on_body and its sender has no answer yet. Only with on_answered. Any
 * thread. */
bool http_listener_is_answering(const struct http_listener *listener);

/* The port that is listened on. */
uint16_t http_listener_port(const struct http_listener *listener);

/* Stops listening, closes connections and joins the thread: after it returns, on_body is
 * not running and never called again. NULL is fine. */
void http_listener_destroy(struct http_listener *listener);
