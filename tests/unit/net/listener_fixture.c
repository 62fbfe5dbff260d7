// SPDX-License-Identifier: MIT
#include "listener_fixture.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

bool sink_put(void *context, struct buf *body) {
    struct sink *sink = context;
    (void)pthread_mutex_lock(&sink->mutex);
    bool taken = !sink->full;
    if (taken) {
        buf_done(&sink->last);
        sink->last = buf_take(body);
        sink->count++;
        (void)pthread_sigmask(SIG_SETMASK, NULL, &sink->mask);
    }
    (void)pthread_mutex_unlock(&sink->mutex);
    return taken;
}

struct buf sink_memory_for(void *context, size_t length) {
    struct sink *sink = context;
    (void)pthread_mutex_lock(&sink->mutex);
    struct buf memory = buf_take(&sink->memory);
    memory.failed = sink->has_no_memory;
    (void)pthread_mutex_unlock(&sink->mutex);
    memory.ceiling = length > memory.capacity ? length : memory.capacity;
    return memory;
}

unsigned sink_count(struct sink *sink) {
    (void)pthread_mutex_lock(&sink->mutex);
    unsigned count = sink->count;
    (void)pthread_mutex_unlock(&sink->mutex);
    return count;
}

bool sink_last_is(struct sink *sink, struct span expected) {
    (void)pthread_mutex_lock(&sink->mutex);
    bool is = span_equals(buf_span(&sink->last), expected);
    (void)pthread_mutex_unlock(&sink->mutex);
    return is;
}

void sink_set_full(struct sink *sink, bool full) {
    (void)pthread_mutex_lock(&sink->mutex);
    sink->full = full;
    (void)pthread_mutex_unlock(&sink->mutex);
}

void sink_set_no_memory(struct sink *sink, bool has_no_memory) {
    (void)pthread_mutex_lock(&sink->mutex);
    sink->has_no_memory = has_no_memory;
    (void)pthread_mutex_unlock(&sink->mutex);
}

struct fixture fixture;

static int create(unsigned idle_seconds) {
    fixture = (struct fixture){.sink.mutex = PTHREAD_MUTEX_INITIALIZER};
    const struct http_listener_settings settings = {.address = INADDR_LOOPBACK,
                                                    .memory_for = sink_memory_for,
                                                    .on_body = sink_put,
                                                    .context = &fixture.sink,
                                                    .idle_seconds = idle_seconds};
    struct error err = {0};
    fixture.listener = http_listener_create(&settings, &err);
    fixture.port = fixture.listener == NULL ? 0 : http_listener_port(fixture.listener);
    return fixture.port == 0;
}

int listener_set_up(void **state) {
    (void)state;
    return create(0);
}

int listener_set_up_impatient(void **state) {
    (void)state;
    return create(1);
}

int listener_tear_down(void **state) {
    (void)state;
    http_listener_destroy(fixture.listener);
    buf_done(&fixture.sink.last);
    buf_done(&fixture.sink.memory);
    return 0;
}

void send_text(int connection, const char *text) {
    assert_true(tcp_client_send(connection, span_of_text(text)));
}

void send_head(int connection, const char *method, const char *headers) {
    char head[512];
    (void)snprintf(head, sizeof head, "%s /a/path?q=1 HTTP/1.1\r\nHost: sandbox\r\n%s\r\n", method,
                   headers);
    send_text(connection, head);
}

void send_length(int connection, const char *method, unsigned long long length) {
    char header[64];
    (void)snprintf(header, sizeof header, "Content-Length: %llu\r\n", length);
    send_head(connection, method, header);
}

/* False when the listener has closed before it had all. */
bool send_filler(int connection, size_t length) {
    char bytes[4096];
    memset(bytes, 'x', sizeof bytes);
    while (length > 0) {
        struct span piece = span_first(span_of(bytes, sizeof bytes), length);
        if (!tcp_client_send(connection, piece)) {
            return false;
        }
        length -= piece.len;
    }
    return true;
}

int post(int connection, const char *body) {
    send_length(connection, "POST", strlen(body));
    send_text(connection, body);
    return tcp_client_status(connection, NULL);
}
