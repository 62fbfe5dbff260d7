// SPDX-License-Identifier: MIT
#include "net/http_listener.h"

#include <microhttpd.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    /* libmicrohttpd reads into half of a connection's memory: 32 KiB a turn, while all
     * connections together cannot hold more than 2 MiB. */
    CONNECTION_BYTES = 64 * 1024,

    /* Of a request that is not taken, so much is read and thrown away before it is answered: most
     * senders look for the answer only when they have sent everything. Then the connection is cut.
     */
    DISCARD_BYTES_MAX = 2 * LISTENER_BODY_BYTES_MAX,
};

/* All but `daemon`, `socket` and `port` belongs to the listener's thread once it runs. */
struct http_listener {
    struct MHD_Daemon *daemon;
    struct MHD_Response *empty;       /* for 200, 413 and 503 */
    struct MHD_Response *not_allowed; /* for 405, which has to say what is */
    int socket;
    uint16_t port;
    struct http_listener_settings settings;
    atomic_uint unanswered; /* bodies that were handed over; any thread may read it */
    size_t unfinished_bytes;
    unsigned kept_connections;
    struct peer *oldest;
    struct peer *newest;
    unsigned connections;
};

/* A request that is being received. */
struct upload {
    struct buf body;
    unsigned status; /* what it will be answered; anything but 200 takes no more bytes */
    size_t received;
    bool handed_over; /* counted in `unanswered` */
};

/* A connection. It sends one request after the other. */
struct peer {
    struct peer *older, *newer;
    int socket;
    bool kept; /* counted in kept_connections */
    struct upload upload;
};

/* --- bodies --- */

static void release(struct http_listener *listener, struct upload *upload) {
    if (upload->handed_over) {
        upload->handed_over = false;
        atomic_fetch_sub(&listener->unanswered, 1);
        listener->settings.on_answered(listener->settings.context);
    }
    listener->unfinished_bytes -= upload->body.len;
    buf_done(&upload->body);
}

static void refuse(struct http_listener *listener, struct upload *upload, unsigned status) {
    release(listener, upload);
    upload->status = status;
}

static const char *header(struct MHD_Connection *connection, const char *name) {
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

/* False when the sender does not say, or says it in a way that is not to be relied on. */
static bool declared_length(struct MHD_Connection *connection, unsigned long long *ret) {
    return header(connection, MHD_HTTP_HEADER_TRANSFER_ENCODING) == NULL &&
           span_to_u64(span_of_text(header(connection, MHD_HTTP_HEADER_CONTENT_LENGTH)), ret);
}

static bool is_taken(const char *method) {
    return strcmp(method, MHD_HTTP_METHOD_POST) == 0 || strcmp(method, MHD_HTTP_METHOD_PUT) == 0;
}

static struct buf memory_for(const struct http_listener *listener, size_t length) {
    const struct http_listener_settings *settings = &listener->settings;
    return settings->memory_for == NULL ? buf_with_ceiling(length)
                                        : settings->memory_for(settings->context, length);
}

/* A ceiling at the declared length makes the buffer exactly as large as it has to be. The pages are
 * not touched before bytes arrive, so that a length that is a lie costs nothing. */
static void begin_body(struct http_listener *listener, struct upload *upload, bool declared,
                       unsigned long long length) {
    if (declared && length > LISTENER_BODY_BYTES_MAX) {
        refuse(listener, upload, MHD_HTTP_CONTENT_TOO_LARGE);
        return;
    }
    upload->body =
        declared ? memory_for(listener, (size_t)length) : buf_with_ceiling(LISTENER_BODY_BYTES_MAX);
    if (declared && buf_reserve(&upload->body, (size_t)length) == NULL) {
        refuse(listener, upload, MHD_HTTP_SERVICE_UNAVAILABLE);
    }
}

static void take(struct http_listener *listener, struct upload *upload, struct span bytes) {
    if (bytes.len > LISTENER_UNFINISHED_BYTES_MAX - listener->unfinished_bytes) {
        refuse(listener, upload, MHD_HTTP_SERVICE_UNAVAILABLE);
        return;
    }
    buf_append(&upload->body, bytes);
    if (!buf_failed(&upload->body)) {
        listener->unfinished_bytes += bytes.len;
    } else if (bytes.len > upload->body.ceiling - upload->body.len) {
        refuse(listener, upload, MHD_HTTP_CONTENT_TOO_LARGE);
    } else {
        refuse(listener, upload, MHD_HTTP_SERVICE_UNAVAILABLE);
    }
}

static void hand_over(struct http_listener *listener, struct upload *upload) {
    size_t length = upload->body.len;
    if (listener->settings.on_answered != NULL) {
        upload->handed_over = true;
        atomic_fetch_add(&listener->unanswered, 1);
    }
    if (!listener->settings.on_body(listener->settings.context, &upload->body)) {
        upload->status = MHD_HTTP_SERVICE_UNAVAILABLE;
    }
    listener->unfinished_bytes -= length;
    buf_done(&upload->body);
}

/* --- requests --- */

static enum MHD_Result answer(struct http_listener *listener, struct MHD_Connection *connection,
                              unsigned status) {
    struct MHD_Response *response =
        status == MHD_HTTP_METHOD_NOT_ALLOWED ? listener->not_allowed : listener->empty;
    return MHD_queue_response(connection, status, response);
}

/* NULL when there was no memory for it. */
static struct peer *peer_of(struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info == NULL ? NULL : info->socket_context;
}

static bool waits_for_continue(struct MHD_Connection *connection) {
    const char *expect = header(connection, MHD_HTTP_HEADER_EXPECT);
    return expect != NULL && span_equals_ignoring_case(span_of_text(expect), SPAN("100-continue"));
}

static void set_timeout(const struct http_listener *listener, struct MHD_Connection *connection,
                        bool ever) {
    unsigned seconds = ever ? listener->settings.idle_seconds : 0;
    (void)MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, seconds);
}

static enum MHD_Result begin(struct http_listener *listener, struct MHD_Connection *connection,
                             const char *method, void **request) {
    struct peer *peer = peer_of(connection);
    if (peer == NULL) {
        return MHD_NO;
    }
    struct upload *upload = &peer->upload;
    *upload = (struct upload){.status = MHD_HTTP_OK};
    *request = upload;
    set_timeout(listener, connection, true);
    unsigned long long length = 0;
    bool declared = declared_length(connection, &length);
    if (is_taken(method)) {
        begin_body(listener, upload, declared, length);
    } else {
        upload->status = MHD_HTTP_METHOD_NOT_ALLOWED;
    }
    /* Nothing is on its way yet, or too much to wait for. */
    bool at_once = waits_for_continue(connection) || (declared && length > DISCARD_BYTES_MAX);
    return upload->status != MHD_HTTP_OK && at_once ? answer(listener, connection, upload->status)
                                                    : MHD_YES;
}

static enum MHD_Result receive(struct http_listener *listener, struct upload *upload,
                               struct span bytes) {
    upload->received += bytes.len;
    if (upload->status == MHD_HTTP_OK) {
        take(listener, upload, bytes);
    }
    return upload->received <= DISCARD_BYTES_MAX ? MHD_YES : MHD_NO;
}

/* Called with the head of a request, then with each piece of its body, then at its end. */
static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
                                  const char *path, const char *method, const char *version,
                                  const char *bytes, size_t *length, void **request) {
    (void)path;
    (void)version;
    struct http_listener *listener = context;
    struct upload *upload = *request;
    if (upload == NULL) {
        return begin(listener, connection, method, request);
    }
    if (*length > 0) {
        struct span piece = span_of(bytes, *length);
        *length = 0;
        return receive(listener, upload, piece);
    }
    if (upload->status == MHD_HTTP_OK) {
        hand_over(listener, upload);
    }
    return answer(listener, connection, upload->status);
}

/* --- connections --- */

/* A connection may be silent for ever once it has completed a request, if there is a place left. */
static void keep(struct http_listener *listener, struct MHD_Connection *connection) {
    struct peer *peer = peer_of(connection);
    if (peer != NULL && !peer->kept && listener->kept_connections < LISTENER_KEPT_CONNECTIONS) {
        peer->kept = true;
        listener->kept_connections++;
    }
    if (peer != NULL && peer->kept) {
        set_timeout(listener, connection, false);
    }
}

static void on_request_end(void *context, struct MHD_Connection *connection, void **request,
                           enum MHD_RequestTerminationCode how) {
    struct http_listener *listener = context;
    struct upload *upload = *request;
    if (upload == NULL) {
        return;
    }
    if (how == MHD_REQUEST_TERMINATED_COMPLETED_OK && upload->status == MHD_HTTP_OK) {
        keep(listener, connection);
    }
    release(listener, upload);
    *request = NULL;
}

static void link_peer(struct http_listener *listener, struct peer *peer) {
    peer->older = listener->newest;
    *(peer->older == NULL ? &listener->oldest : &peer->older->newer) = peer;
    listener->newest = peer;
}

static void unlink_peer(struct http_listener *listener, struct peer *peer) {
    *(peer->older == NULL ? &listener->oldest : &peer->older->newer) = peer->newer;
    *(peer->newer == NULL ? &listener->newest : &peer->newer->older) = peer->older;
}

/* Somebody who sends a byte now and then is never idle. So whoever comes when all places are taken
 * costs the oldest connection its own, unless that is one that is kept: the platform always gets
 * in. */
static void make_room(const struct http_listener *listener) {
    struct peer *peer = listener->oldest;
    while (peer != NULL && peer->kept) {
        peer = peer->newer;
    }
    if (listener->connections > LISTENER_CONNECTIONS_MAX && peer != NULL) {
        (void)shutdown(peer->socket, SHUT_RDWR);
    }
}

static struct peer *new_peer(struct http_listener *listener, struct MHD_Connection *connection) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct peer *peer = info == NULL ? NULL : calloc(1, sizeof *peer);
    if (peer != NULL) {
        peer->socket = info->connect_fd;
        link_peer(listener, peer);
    }
    return peer; /* NULL: it is never kept */
}

static void forget_peer(struct http_listener *listener, struct peer *peer) {
    if (peer != NULL) {
        listener->kept_connections -= peer->kept;
        unlink_peer(listener, peer);
        /* Without memory for an answer, libmicrohttpd does not tell that a request has ended. */
        release(listener, &peer->upload);
        free(peer);
    }
}

static void on_connection(void *context, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode what) {
    struct http_listener *listener = context;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        listener->connections++;
        *socket_context = new_peer(listener, connection);
        make_room(listener);
        return;
    }
    listener->connections--;
    forget_peer(listener, *socket_context);
    *socket_context = NULL;
}

/* --- life cycle --- */

static bool bind_socket(struct http_listener *listener, struct error *err) {
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(listener->settings.port),
        .sin_addr.s_addr = htonl(listener->settings.address),
    };
    int on = 1;
    if (setsockopt(listener->socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(listener->socket, (struct sockaddr *)&address, sizeof address) == 0 &&
        listen(listener->socket, LISTENER_CONNECTIONS_MAX) == 0) {
        return true;
    }
    return error_set(err, errno == EADDRINUSE ? ERR_FULL : ERR_SYSTEM,
                     "cannot listen on port %u: %s", listener->settings.port, strerror(errno));
}

/* The socket is ours and not libmicrohttpd's own, so that a taken port is told from other faults,
 * and because its "address reuse" is SO_REUSEPORT: two listeners would share the deliveries. */
static bool open_socket(struct http_listener *listener, struct error *err) {
    listener->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listener->socket < 0) {
        return error_set(err, ERR_SYSTEM, "no socket to listen on: %s", strerror(errno));
    }
    if (!bind_socket(listener, err)) {
        return false;
    }
    struct sockaddr_in bound = {0};
    socklen_t size = sizeof bound;
    if (getsockname(listener->socket, (struct sockaddr *)&bound, &size) != 0) {
        return error_set(err, ERR_SYSTEM, "no port to listen on: %s", strerror(errno));
    }
    listener->port = ntohs(bound.sin_port);
    return true;
}

static bool create_responses(struct http_listener *listener) {
    static char nothing[1];
    listener->empty = MHD_create_response_from_buffer(0, nothing, MHD_RESPMEM_PERSISTENT);
    listener->not_allowed = MHD_create_response_from_buffer(0, nothing, MHD_RESPMEM_PERSISTENT);
    return listener->empty != NULL && listener->not_allowed != NULL &&
           MHD_add_response_header(listener->not_allowed, MHD_HTTP_HEADER_ALLOW, "POST, PUT") ==
               MHD_YES;
}

/* libmicrohttpd is told to report nothing: peers could fill the function's log through it. */
static struct MHD_Daemon *start_daemon(struct http_listener *listener) {
    const struct MHD_OptionItem options[] = {
        {MHD_OPTION_LISTEN_SOCKET, listener->socket, NULL},
        {MHD_OPTION_CONNECTION_LIMIT, LISTENER_CONNECTIONS_MAX + 1, NULL}, /* see make_room() */
        {MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)listener->settings.idle_seconds, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_BYTES, NULL},
        {MHD_OPTION_END, 0, NULL},
    };
    return MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC, 0, NULL, NULL, on_request,
                            listener, MHD_OPTION_ARRAY, options, MHD_OPTION_NOTIFY_COMPLETED,
                            on_request_end, listener, MHD_OPTION_NOTIFY_CONNECTION, on_connection,
                            listener, MHD_OPTION_END);
}

/* A thread inherits its mask. SIGPIPE included: the thread gets EPIPE instead. */
static bool start_thread(struct http_listener *listener, struct error *err) {
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    listener->daemon = start_daemon(listener);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return listener->daemon != NULL ||
           error_set(err, ERR_SYSTEM, "libmicrohttpd cannot be started");
}

struct http_listener *http_listener_create(const struct http_listener_settings *settings,
                                           struct error *err) {
    struct http_listener *listener = calloc(1, sizeof *listener);
    if (listener == NULL) {
        error_set_memory(err, "the listener");
        return NULL;
    }
    listener->settings = *settings;
    if (listener->settings.idle_seconds == 0) {
        listener->settings.idle_seconds = LISTENER_IDLE_SECONDS;
    }
    bool opened = open_socket(listener, err);
    bool ready = opened && (create_responses(listener) || error_set_memory(err, "the listener"));
    if (!ready || !start_thread(listener, err)) {
        http_listener_destroy(listener);
        return NULL;
    }
    return listener;
}

bool http_listener_is_answering(const struct http_listener *listener) {
    return atomic_load(&listener->unanswered) > 0;
}

uint16_t http_listener_port(const struct http_listener *listener) { return listener->port; }

void http_listener_destroy(struct http_listener *listener) {
    if (listener == NULL) {
        return;
    }
    if (listener->daemon != NULL) {
        MHD_stop_daemon(listener->daemon); /* joins its thread and closes the socket */
    } else if (listener->socket >= 0) {
        (void)close(listener->socket);
    }
    if (listener->empty != NULL) {
        MHD_destroy_response(listener->empty);
    }
    if (listener->not_allowed != NULL) {
        MHD_destroy_response(listener->not_allowed);
    }
    free(listener);
}
