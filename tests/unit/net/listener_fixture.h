// SPDX-License-Identifier: MIT
/* What the tests of http_listener share: a listener, what it handed over, and senders. */
#pragma once

#include "../tcp_client.h"
#include "net/http_listener.h"

#include <pthread.h>
#include <signal.h>

/* What the listener handed over, from its own thread. */
struct sink {
    pthread_mutex_t mutex;
    bool full;
    bool has_no_memory;
    unsigned count;
    struct buf last;
    struct buf memory; /* what the next body is to be received into */
    sigset_t mask;     /* of the thread that handed it over */
};

/* The memory_for and on_body of a sink. */
struct buf sink_memory_for(void *context, size_t length);
bool sink_put(void *context, struct buf *body);

unsigned sink_count(struct sink *sink);
bool sink_last_is(struct sink *sink, struct span expected);
void sink_set_full(struct sink *sink, bool full);
void sink_set_no_memory(struct sink *sink, bool has_no_memory);

struct fixture {
    struct sink sink;
    struct http_listener *listener;
    uint16_t port;
};

/* Of the test that runs. */
extern struct fixture fixture;

int listener_set_up(void **state);
int listener_set_up_impatient(void **state); /* with an idle time of one second */
int listener_tear_down(void **state);

#define LISTENER_TEST(test)                                                                        \
    cmocka_unit_test_setup_teardown(test, listener_set_up, listener_tear_down)
#define IMPATIENT_TEST(test)                                                                       \
    cmocka_unit_test_setup_teardown(test, listener_set_up_impatient, listener_tear_down)

/* Pieces of a request; they must go out. */
void send_text(int connection, const char *text);
void send_head(int connection, const char *method, const char *headers);
void send_length(int connection, const char *method, unsigned long long length);

/* So many bytes of a body. False when the listener has closed before it had all. */
bool send_filler(int connection, size_t length);

/* A whole POST and the status of its answer. */
int post(int connection, const char *body);
