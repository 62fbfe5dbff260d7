// SPDX-License-Identifier: MIT
/* HTTP exchanges, many at once, all waited for in one place. The one door to libcurl.
 *
 * An exchange is one request and its answer. It is started, runs while somebody calls
 * http_client_run(), and ends with one call of its `done` function: in http_client_run(), never in
 * http_client_start(). This is the event loop of the program: http_client_run() also returns when
 * its time is over and when another thread calls http_client_wake().
 *
 * Everything belongs to the thread that created the client, except http_client_wake().
 *
 * Time limits are kept here and not by libcurl, because an environment may be frozen in the middle
 * of an exchange: what a wait overslept is added to the limit, so that no exchange ends only
 * because the environment stood still. */
#pragma once

#include "base/attributes.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/span.h"

#include <stdbool.h>
#include <stdint.h>

struct http_client;
struct http_exchange;

/* Answers larger than this are failures. PutRecords answers 500 records with some 120 bytes
 * each; the Extensions API a few hundred bytes. */
enum { HTTP_ANSWER_BYTES_MAX = 1024 * 1024 };

/* Whose certificates are believed, unless the settings name a file. */
enum http_trust {
    HTTP_TRUST_AMAZON, /* the roots of Amazon Trust Services, built in: AWS endpoints */
    HTTP_TRUST_SYSTEM, /* the system's bundle: anybody else */
};

/* URLs of proxies by the scheme of what is asked for, and who is reached without: a list of names,
 * suffixes, addresses and networks, or "*". Empty: none. */
struct http_proxies {
    struct span for_https;
    struct span for_http;
    struct span bypass;
};

struct http_client_settings {
    const char *ca_file;         /* a PEM file to believe instead of all else; NULL: none; copied */
    struct http_proxies proxies; /* copied */
    const struct clock *clock;   /* must outlive the client */
};

/* All spans and strings need to live until http_client_start() returns, but `body`, which is not
 * copied: it must stay where it is until the exchange is done or cancelled. */
struct http_request {
    const char *method; /* "GET", "POST" or "PUT" */
    const char *url;
    const struct span *headers; /* each "Name: value", without CR and LF */
    size_t header_count;
    struct span body;      /* sent with Content-Length, also when empty, unless method is GET */
    int64_t time_limit_ms; /* from the start to the end of the answer; 0: none */
    bool use_proxy;        /* never for what is inside the environment: the Runtime API */
    enum http_trust trust; /* for https */
    bool fresh_connection; /* do not reuse one that has been idle */
    bool single_use;       /* close the connection with the answer: nothing may be left of it */
};

/* How an exchange ended. Spans are valid during the `done` call only. */
struct http_answer {
    bool answered; /* false: no complete answer came, `error` says why */
    int status;    /* HTTP status when answered */
    struct span body;
    bool connection_was_reused; /* it had served an earlier exchange */
    struct error error;
    const struct http_exchange *exchange; /* for http_answer_header() */
};

/* The value of a header of the answer, or an empty span. Names compare without case. */
struct span http_answer_header(const struct http_answer *answer, const char *name);

typedef void (*http_done_fn)(void *context, const struct http_answer *answer);

/* Initialises libcurl, which reads nothing from the environment; no name is looked up, no
 * certificate read, no connection made. NULL on failure. Call in one thread only, before others
 * start. */
MUST_CHECK struct http_client *http_client_create(const struct http_client_settings *settings,
                                                  struct error *err);

/* Cancels what is still running (without calling `done`). NULL is fine. */
void http_client_destroy(struct http_client *client);

/* NULL on failure (ERR_MEMORY, ERR_INVALID for a URL that cannot be read); then `done` is never
 * called. Never blocks. The exchange belongs to the client and is gone after `done`. */
MUST_CHECK struct http_exchange *http_client_start(struct http_client *client,
                                                   const struct http_request *request,
                                                   http_done_fn done, void *context,
                                                   struct error *err);

/* Ends an exchange without calling `done`. NULL is fine. Not from within a `done`
 * of the same exchange. */
void http_client_cancel(struct http_client *client, struct http_exchange *exchange);

/* Moves all exchanges forward until something happened: one ended, http_client_wake() was called,
 * or `wait_ms` have passed (-1: no bound; 0: do not wait). Calls `done` functions, which
 * may start and cancel exchanges. Returns false only when libcurl itself failed (ERR_SYSTEM), or
 * had no memory to go on with (ERR_MEMORY): it has then paused for a moment, at most 50 ms and
 * without hearing http_client_wake(), and may be called again. */
MUST_CHECK bool http_client_run(struct http_client *client, int64_t wait_ms, struct error *err);

/* Makes a running or the next http_client_run() return. Any thread; never blocks. */
void http_client_wake(struct http_client *client);
