// SPDX-License-Identifier: MIT
/* The bench's Kinesis: takes PutRecords over TLS, says yes at once, and then looks into what came.
 *
 *   kinesis_server CERTIFICATE COUNTERS BODIES EVENTS_A_BODY [SAMPLE SAMPLE_BYTES]
 *
 * CERTIFICATE is a PEM file with the key. It listens on a free port of the loopback, which it
 * prints, and ends when its stdin does. SAMPLE gets the first records, without base64 and gzip,
 * each after its length in 4 bytes. */
#include "arrivals.h"
#include "put_records.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    HEAD_BYTES_MAX = 16 * 1024,
    READ_BYTES = 64 * 1024,
    WOKEN_FOR_BYTES = 256 * 1024,
    UNIT_BYTES = 25000,
    BACKLOG = 16,
};

struct server {
    SSL_CTX *tls;
    struct arrivals arrivals;
    pthread_mutex_t sample_lock;
    FILE *sample; /* NULL: none */
    size_t sample_left;
};

struct connection {
    struct server *server;
    SSL *tls;
    uint64_t wire_bytes; /* that have been counted */
    struct buf input, plain, answer;
};

struct request {
    enum wire_format format;
    struct span body;
    size_t size; /* head and body */
};

/* --- what came --- */

static void sample(struct server *server, struct span plain) {
    pthread_mutex_lock(&server->sample_lock);
    if (server->sample != NULL && server->sample_left >= plain.len) {
        uint32_t length = (uint32_t)plain.len;
        (void)fwrite(&length, sizeof length, 1, server->sample);
        (void)fwrite(plain.ptr, 1, plain.len, server->sample);
        (void)fflush(server->sample);
        server->sample_left -= plain.len;
    }
    pthread_mutex_unlock(&server->sample_lock);
}

static void examine(struct connection *connection, const struct request *request) {
    struct server *server = connection->server;
    struct arrival_counters *counters = server->arrivals.counters;
    struct span rest = request->body;
    struct put_record record;
    while (put_records_next(request->format, &rest, &record)) {
        size_t stored = 0;
        if (!put_records_open(request->format, record.data, &connection->plain, &stored)) {
            counters->strange++;
            continue;
        }
        arrivals_find(&server->arrivals, buf_span(&connection->plain));
        sample(server, buf_span(&connection->plain));
        counters->records++;
        counters->record_bytes += stored + record.key.len;
        counters->units += (stored + record.key.len + UNIT_BYTES - 1) / UNIT_BYTES;
    }
    counters->body_bytes += request->body.len;
    counters->examined++;
}

/* --- HTTP over TLS --- */

static void count_wire_bytes(struct connection *connection) {
    uint64_t now = BIO_number_read(SSL_get_rbio(connection->tls));
    connection->server->arrivals.counters->wire_bytes += now - connection->wire_bytes;
    connection->wire_bytes = now;
}

static bool read_more(struct connection *connection) {
    char *space = buf_reserve(&connection->input, READ_BYTES);
    int got = space == NULL ? 0 : SSL_read(connection->tls, space, READ_BYTES);
    if (got <= 0) {
        return false;
    }
    buf_commit(&connection->input, (size_t)got);
    count_wire_bytes(connection);
    return true;
}

/* On the loopback, it is the sender who wakes the reader, and would pay for that with every TLS
 * record; over a network nobody would. So the reader sleeps until so much of a request is there. */
static void sleep_until_there_are(const struct connection *connection, size_t bytes) {
    struct pollfd readable = {.fd = SSL_get_fd(connection->tls), .events = POLLIN};
    int many = (int)bytes;
    int any = 1;
    (void)setsockopt(readable.fd, SOL_SOCKET, SO_RCVLOWAT, &many, sizeof many);
    (void)poll(&readable, 1, -1);
    (void)setsockopt(readable.fd, SOL_SOCKET, SO_RCVLOWAT, &any, sizeof any);
}

/* There are no fewer bytes in TLS records, and OpenSSL holds none of them back. */
static bool read_up_to(struct connection *connection, size_t size) {
    while (connection->input.len < size) {
        size_t left = size - connection->input.len;
        size_t many = left < WOKEN_FOR_BYTES ? left : WOKEN_FOR_BYTES;
        size_t until = connection->input.len + many;
        sleep_until_there_are(connection, many);
        while (connection->input.len < until) {
            if (!read_more(connection)) {
                return false;
            }
        }
    }
    return true;
}

/* The value of a header that every request has. `name` with its colon, as libcurl writes it. */
static struct span header(struct span head, struct span name) {
    const char *found = memmem(head.ptr, head.len, name.ptr, name.len);
    if (found == NULL) {
        return (struct span){0};
    }
    struct span rest = span_skip(head, (size_t)(found - head.ptr) + name.len);
    return span_trim(span_cut(&rest, '\r'));
}

static bool read_head(struct connection *connection, struct request *request) {
    const char *end;
    while ((end = span_find(buf_span(&connection->input), SPAN("\r\n\r\n"))) == NULL) {
        if (connection->input.len > HEAD_BYTES_MAX || !read_more(connection)) {
            return false;
        }
    }
    struct span head = span_of(connection->input.ptr, (size_t)(end - connection->input.ptr) + 4);
    unsigned long long length = 0;
    if (!span_to_u64(header(head, SPAN("\r\nContent-Length:")), &length)) {
        return false;
    }
    struct span type = header(head, SPAN("\r\nContent-Type:"));
    request->format = span_find(type, SPAN("cbor")) == NULL ? WIRE_JSON : WIRE_CBOR;
    request->size = head.len + length;
    request->body.len = length;
    return true;
}

static bool read_request(struct connection *connection, struct request *request) {
    if (!read_head(connection, request)) {
        return false;
    }
    if (!read_up_to(connection, request->size)) {
        return false;
    }
    request->body.ptr = connection->input.ptr + request->size - request->body.len;
    return true;
}

static bool answer(struct connection *connection, const struct request *request) {
    static _Thread_local struct buf body = {.ceiling = SIZE_MAX};
    struct buf *out = &connection->answer;
    buf_clear(&body);
    buf_clear(out);
    put_records_answer(request->format, put_records_count(request->format, request->body), &body);
    buf_append_format(out,
                      "HTTP/1.1 200 OK\r\nx-amzn-RequestId: 0\r\n"
                      "Content-Type: application/x-amz-%s-1.1\r\nContent-Length: %zu\r\n\r\n",
                      request->format == WIRE_CBOR ? "cbor" : "json", body.len);
    buf_append(out, buf_span(&body));
    return !buf_failed(out) && SSL_write(connection->tls, out->ptr, (int)out->len) > 0;
}

static void serve(struct connection *connection) {
    struct request request;
    while (read_request(connection, &request)) {
        connection->server->arrivals.counters->requests++;
        if (!answer(connection, &request)) {
            return;
        }
        examine(connection, &request);
        struct span next = span_skip(buf_span(&connection->input), request.size);
        memmove(connection->input.ptr, next.ptr, next.len);
        buf_truncate(&connection->input, next.len);
    }
}

static void *run_connection(void *context) {
    struct connection *connection = context;
    if (SSL_accept(connection->tls) == 1) {
        connection->server->arrivals.counters->connections++;
        serve(connection);
    }
    (void)close(SSL_get_fd(connection->tls));
    SSL_free(connection->tls);
    buf_done(&connection->input);
    buf_done(&connection->plain);
    buf_done(&connection->answer);
    free(connection);
    return NULL;
}

/* --- the server --- */

static bool take_connection(struct server *server, int fd) {
    int on = 1;
    struct connection *connection = calloc(1, sizeof *connection);
    SSL *tls = SSL_new(server->tls);
    pthread_t thread;
    if (connection == NULL || tls == NULL || SSL_set_fd(tls, fd) != 1) {
        return false;
    }
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    *connection = (struct connection){.server = server, .tls = tls};
    connection->input.ceiling = connection->plain.ceiling = connection->answer.ceiling = SIZE_MAX;
    return pthread_create(&thread, NULL, run_connection, connection) == 0 &&
           pthread_detach(thread) == 0;
}

static void *end_with_stdin(void *context) {
    char byte;
    while (read(STDIN_FILENO, &byte, 1) > 0) {
    }
    (void)context;
    _exit(EXIT_SUCCESS);
}

static int listen_on_loopback(void) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
        perror("the listening socket");
        return -1;
    }
    printf("%u\n", ntohs(address.sin_port));
    (void)fflush(stdout);
    return fd;
}

static bool prepare(struct server *server, int argc, char **argv) {
    server->tls = SSL_CTX_new(TLS_server_method());
    if (argc > 6) {
        server->sample = fopen(argv[5], "wb");
        server->sample_left = strtoull(argv[6], NULL, 10);
    }
    return server->tls != NULL && SSL_CTX_use_certificate_chain_file(server->tls, argv[1]) == 1 &&
           SSL_CTX_use_PrivateKey_file(server->tls, argv[1], SSL_FILETYPE_PEM) == 1 &&
           arrivals_open(&server->arrivals, argv[2], strtoull(argv[3], NULL, 10),
                         strtoull(argv[4], NULL, 10));
}

int main(int argc, char **argv) {
    static struct server server = {.sample_lock = PTHREAD_MUTEX_INITIALIZER};
    pthread_t watcher;
    (void)signal(SIGPIPE, SIG_IGN);
    if (argc < 5 || !prepare(&server, argc, argv) ||
        pthread_create(&watcher, NULL, end_with_stdin, NULL) != 0) {
        (void)fprintf(stderr, "kinesis_server: cannot start\n");
        return EXIT_FAILURE;
    }
    int listening = listen_on_loopback();
    for (int fd; listening >= 0 && (fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC)) >= 0;) {
        if (!take_connection(&server, fd)) {
            break;
        }
    }
    return EXIT_FAILURE;
}
