// SPDX-License-Identifier: MIT
/* The inside of http_client: one handle of libcurl with the request that it makes and the answer
 * that it gets. Nobody but http_client.c needs this header. */
#pragma once

#include "base/attributes.h"
#include "base/buf.h"
#include "base/error.h"
#include "net/http_client.h"

#include <curl/curl.h>

#include <stdbool.h>
#include <stdint.h>

struct http_exchange {
    struct http_exchange *next; /* in the client's list of those that run, or of those kept */
    CURL *easy;
    struct curl_slist *headers; /* of the request */
    struct buf body;            /* of the answer */
    bool body_too_large;        /* what came last exceeds its ceiling */
    bool head_complete;         /* of the answer */
    char error_text[CURL_ERROR_SIZE];

    /* The client's. */
    http_done_fn done;
    void *context;
    int64_t time_limit_ms;
    int64_t ends_at_ms; /* on the client's awake clock */
};

/* How a request gets there and whom it believes. Strings are copied by http_exchange_prepare(). */
struct http_route {
    const char *ca_file;       /* NULL: the built-in roots */
    const char *proxy;         /* "": none */
    const char *bypass;        /* hosts that are reached without it */
    const char *proxy_ca_file; /* for a proxy that is spoken to over TLS */
};

/* NULL when out of memory. */
MUST_CHECK struct http_exchange *http_exchange_create(void);
void http_exchange_destroy(struct http_exchange *exchange);

/* Forgets request and answer; keeps the handle, and with it the TLS sessions that it can resume. */
void http_exchange_reset(struct http_exchange *exchange);

/* Makes a new or reset exchange ready to run. ERR_INVALID for a request that cannot be one, else
 * ERR_MEMORY. */
MUST_CHECK bool http_exchange_prepare(struct http_exchange *exchange,
                                      const struct http_request *request,
                                      const struct http_route *route, struct error *err);

/* The answer of an exchange that libcurl ended with `code`. Lives as long as the exchange. */
struct http_answer http_exchange_answer(const struct http_exchange *exchange, CURLcode code);

/* The answer of one that has been given up. */
struct http_answer http_exchange_late_answer(const struct http_exchange *exchange);
