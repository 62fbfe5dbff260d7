// SPDX-License-Identifier: MIT
#include "net/http_exchange.h"

#include "amazon_roots.h"

#include <limits.h>
#include <stdlib.h>

enum {
    /* Load balancers and SDKs commonly give an idle connection a minute. With ten seconds in hand a
     * handshake is paid instead of a reset, also after a freeze: the clock that counts goes on. */
    IDLE_REUSE_SECONDS = 50,

    /* Of one header. A session token has no documented bound; a few kilobytes have been seen. */
    HEADER_BYTES_MAX = 64 * 1024,
};

struct http_exchange *http_exchange_create(void) {
    struct http_exchange *exchange = calloc(1, sizeof *exchange);
    if (exchange == NULL) {
        return NULL;
    }
    exchange->body = buf_with_ceiling(HTTP_ANSWER_BYTES_MAX);
    exchange->easy = curl_easy_init();
    if (exchange->easy == NULL) {
        http_exchange_destroy(exchange);
        return NULL;
    }
    return exchange;
}

void http_exchange_destroy(struct http_exchange *exchange) {
    curl_easy_cleanup(exchange->easy);
    curl_slist_free_all(exchange->headers);
    buf_done(&exchange->body);
    free(exchange);
}

void http_exchange_reset(struct http_exchange *exchange) {
    curl_easy_reset(exchange->easy);
    curl_slist_free_all(exchange->headers);
    exchange->headers = NULL;
    buf_done(&exchange->body);
    exchange->body_too_large = false;
    exchange->head_complete = false;
    exchange->error_text[0] = '\0';
}

/* --- the request --- */

static bool is_http_url(const char *url) {
    CURLU *parsed = curl_url();
    char *scheme = NULL;
    bool is_http = parsed != NULL && curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK &&
                   curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
                   (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);
    curl_free(scheme);
    curl_url_cleanup(parsed);
    return is_http;
}

/* A line break would end the header and let its value write the next one. */
static bool is_one_line(struct span header) {
    return header.len == 0 || (memchr(header.ptr, '\r', header.len) == NULL &&
                               memchr(header.ptr, '\n', header.len) == NULL &&
                               memchr(header.ptr, '\0', header.len) == NULL);
}

static bool check_request(const struct http_request *request, struct error *err) {
    if (strcmp(request->method, "GET") != 0 && strcmp(request->method, "POST") != 0 &&
        strcmp(request->method, "PUT") != 0) {
        return error_set(err, ERR_INVALID, "not a method of this client: %s", request->method);
    }
    if (!is_http_url(request->url)) {
        /* Without the URL, which may hold a token. */
        return error_set(err, ERR_INVALID, "not an http or https URL");
    }
    for (size_t i = 0; i < request->header_count; i++) {
        if (!is_one_line(request->headers[i])) {
            return error_set(err, ERR_INVALID, "an HTTP header holds a line break");
        }
    }
    return true;
}

static size_t receive_body(char *bytes, size_t size, size_t count, void *context) {
    struct http_exchange *exchange = context;
    exchange->body_too_large = size * count > exchange->body.ceiling - exchange->body.len;
    buf_append(&exchange->body, span_of(bytes, size * count));
    return buf_failed(&exchange->body) ? 0 : size * count;
}

/* Called for each line of an answer's head, and of those that only say "continue". libcurl takes an
 * answer that is cut short in its head for a whole one. */
static size_t receive_head_line(char *bytes, size_t size, size_t count, void *context) {
    struct http_exchange *exchange = context;
    exchange->head_complete = span_trim(span_of(bytes, size * count)).len == 0;
    return size * count;
}

/* What holds for every exchange. Results are or-ed: each is 0 when all is well. */
static unsigned set_rules(struct http_exchange *exchange) {
    CURL *easy = exchange->easy;
    unsigned bad = 0;
    bad |= curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->error_text);
    bad |= curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, receive_head_line);
    bad |= curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
    bad |= curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive_body);
    bad |= curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
    bad |= curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    bad |= curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    bad |= curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    /* A signature covers the path as it was written. */
    bad |= curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    bad |= curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, (long)IDLE_REUSE_SECONDS);
    /* Out of the way, since limits are the client's. 0 would mean 300 s. */
    bad |= curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)INT_MAX);
    return bad;
}

static unsigned set_trust(CURL *easy, const struct http_route *route) {
    unsigned bad = 0;
    bad |= curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    bad |= curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    bad |= curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    /* A folder that libcurl was built with would be believed as well. */
    bad |= curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    bad |= curl_easy_setopt(easy, CURLOPT_PROXY_CAPATH, NULL);
    bad |= curl_easy_setopt(easy, CURLOPT_PROXY_CAINFO, route->proxy_ca_file);
    if (route->ca_file != NULL) {
        return bad | curl_easy_setopt(easy, CURLOPT_CAINFO, route->ca_file);
    }
    struct curl_blob roots = {
        .data = (void *)(uintptr_t)amazon_roots_pem, /* only ever read */
        .len = sizeof amazon_roots_pem - 1,
        .flags = CURL_BLOB_NOCOPY,
    };
    return bad | curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &roots);
}

/* Given even when there is none: else libcurl looks for one in the environment. */
static unsigned set_proxy(CURL *easy, const struct http_route *route) {
    unsigned bad = 0;
    bad |= curl_easy_setopt(easy, CURLOPT_PROXY, route->proxy);
    bad |= curl_easy_setopt(easy, CURLOPT_NOPROXY, route->bypass);
    return bad;
}

static unsigned set_request(CURL *easy, const struct http_request *request) {
    unsigned bad = 0;
    bad |= curl_easy_setopt(easy, CURLOPT_URL, request->url);
    bad |= curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, (long)request->fresh_connection);
    bad |= curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, (long)request->single_use);
    if (strcmp(request->method, "GET") == 0) {
        return bad | curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    }
    /* NULL would make libcurl read the body from stdin. */
    const char *body = request->body.len == 0 ? "" : request->body.ptr;
    bad |= curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
    bad |= curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
    bad |= curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
    return bad;
}

static bool add_header(struct http_exchange *exchange, const char *line) {
    struct curl_slist *longer = curl_slist_append(exchange->headers, line);
    if (longer != NULL) {
        exchange->headers = longer;
    }
    return longer != NULL;
}

static bool is_content_type(struct span header) {
    return span_equals_ignoring_case(span_cut(&header, ':'), SPAN("Content-Type"));
}

static bool set_headers(struct http_exchange *exchange, const struct http_request *request) {
    CLEANUP(buf_done) struct buf line = buf_with_ceiling(HEADER_BYTES_MAX);
    /* A name without a value keeps libcurl from sending such a header of its own. */
    bool added = add_header(exchange, "Expect:");
    bool has_content_type = false;
    for (size_t i = 0; added && i < request->header_count; i++) {
        buf_clear(&line);
        buf_append(&line, request->headers[i]);
        const char *text = buf_text(&line);
        added = text != NULL && add_header(exchange, text);
        has_content_type = has_content_type || is_content_type(request->headers[i]);
    }
    return added && (has_content_type || add_header(exchange, "Content-Type:")) &&
           curl_easy_setopt(exchange->easy, CURLOPT_HTTPHEADER, exchange->headers) == CURLE_OK;
}

bool http_exchange_prepare(struct http_exchange *exchange, const struct http_request *request,
                           const struct http_route *route, struct error *err) {
    if (!check_request(request, err)) {
        return false;
    }
    unsigned bad = set_rules(exchange);
    bad |= set_trust(exchange->easy, route);
    bad |= set_proxy(exchange->easy, route);
    bad |= set_request(exchange->easy, request);
    return (bad == 0 && set_headers(exchange, request)) || error_set_memory(err, "a request");
}

/* --- the answer --- */

/* No connection was made, and yet there was one to send on. */
static bool connection_was_reused(CURL *easy) {
    long connects = 0;
    curl_off_t ready_after_us = 0;
    return curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &connects) == CURLE_OK &&
           curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &ready_after_us) == CURLE_OK &&
           connects == 0 && ready_after_us > 0;
}

static void describe_failure(const struct http_exchange *exchange, CURLcode code,
                             struct error *err) {
    bool body_failed = buf_failed(&exchange->body);
    if (code == CURLE_OUT_OF_MEMORY || (body_failed && !exchange->body_too_large)) {
        error_set_memory(err, "an HTTP exchange");
    } else if (code == CURLE_OK) {
        error_set(err, ERR_UNAVAILABLE, "the answer ended before its headers did");
    } else if (body_failed) {
        error_set(err, ERR_INVALID, "the answer is larger than %d bytes", HTTP_ANSWER_BYTES_MAX);
    } else {
        const char *text = exchange->error_text;
        error_set(err, ERR_UNAVAILABLE, "%s", text[0] != '\0' ? text : curl_easy_strerror(code));
    }
}

struct http_answer http_exchange_answer(const struct http_exchange *exchange, CURLcode code) {
    struct http_answer answer = {
        .exchange = exchange,
        .answered = code == CURLE_OK && exchange->head_complete,
        .connection_was_reused = connection_was_reused(exchange->easy),
    };
    if (answer.answered) {
        long status = 0;
        (void)curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &status);
        answer.status = (int)status;
        answer.body = buf_span(&exchange->body);
    } else {
        describe_failure(exchange, code, &answer.error);
    }
    return answer;
}

struct http_answer http_exchange_late_answer(const struct http_exchange *exchange) {
    struct http_answer answer = {
        .exchange = exchange,
        .connection_was_reused = connection_was_reused(exchange->easy),
    };
    error_set(&answer.error, ERR_UNAVAILABLE, "no answer within %lld ms",
              (long long)exchange->time_limit_ms);
    return answer;
}

struct span http_answer_header(const struct http_answer *answer, const char *name) {
    struct curl_header *header = NULL;
    if (answer->exchange == NULL ||
        curl_easy_header(answer->exchange->easy, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK) {
        return span_of(NULL, 0);
    }
    return span_trim(span_of_text(header->value)); /* libcurl leaves the CR of an empty one */
}
