// SPDX-License-Identifier: MIT
#include "net/http_client.h"

#include "net/http_exchange.h"

#include <curl/curl.h>

#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    /* Connections kept open between exchanges: the Runtime API's and as many as a destination
     * ever has in flight. libcurl's own choice shrinks with the exchanges that happen to run. */
    KEPT_CONNECTIONS = 16,

    /* Exchanges kept for the next request instead of being freed. */
    KEPT_EXCHANGES = 8,

    /* While an exchange has a limit no wait is asked to be longer, and the time between two looks
     * at the clock counts up to this much only: that is all a freeze can take from a limit. */
    LIMIT_STEP_MS = 100,

    /* How long memory is waited for when libcurl has none to wait with. */
    STARVED_MS = 50,
};

static const int64_t no_limit = INT64_MAX;

struct http_client {
    CURLM *multi;
    const struct clock *clock;
    char *ca_file; /* NULL: none of the user's own */
    const char *system_ca_file;
    char *https_proxy, *http_proxy, *bypass;
    int64_t looked_at_ms; /* when the clock was last looked at */
    int64_t awake_ms;     /* a clock that stands still while the environment does */
    struct http_exchange *running;
    struct http_exchange *kept;
    unsigned kept_count;
    atomic_bool woken;
};

/* --- life cycle --- */

/* The bundle of Debian and of Amazon Linux 2023, of Amazon Linux 2, and of Alpine. */
static const char *system_ca_file(void) {
    static const char *const files[] = {
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/cert.pem",
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        if (access(files[i], R_OK) == 0) {
            return files[i];
        }
    }
    return files[0]; /* an exchange then fails with a message that names it */
}

static char *copy_text(struct span text) {
    return strndup(text.ptr == NULL ? "" : text.ptr, text.len);
}

static bool copy_settings(struct http_client *client, const struct http_client_settings *settings) {
    const struct http_proxies *proxies = &settings->proxies;
    bool needs_file = settings->ca_file != NULL;
    client->system_ca_file = system_ca_file();
    client->ca_file = needs_file ? strdup(settings->ca_file) : NULL;
    client->https_proxy = copy_text(proxies->for_https);
    client->http_proxy = copy_text(proxies->for_http);
    client->bypass = copy_text(proxies->bypass);
    return (client->ca_file != NULL || !needs_file) && client->https_proxy != NULL &&
           client->http_proxy != NULL && client->bypass != NULL;
}

static bool create_multi(struct http_client *client) {
    client->multi = curl_multi_init();
    return client->multi != NULL && curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS,
                                                      (long)KEPT_CONNECTIONS) == CURLM_OK;
}

struct http_client *http_client_create(const struct http_client_settings *settings,
                                       struct error *err) {
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        error_set(err, ERR_SYSTEM, "libcurl cannot be initialised");
        return NULL;
    }
    struct http_client *client = calloc(1, sizeof *client);
    if (client == NULL) {
        curl_global_cleanup();
        error_set_memory(err, "the HTTP client");
        return NULL;
    }
    if (!copy_settings(client, settings) || !create_multi(client)) {
        http_client_destroy(client);
        error_set_memory(err, "the HTTP client");
        return NULL;
    }
    client->clock = settings->clock;
    client->looked_at_ms = clock_monotonic_ms(client->clock);
    return client;
}

void http_client_destroy(struct http_client *client) {
    if (client == NULL) {
        return;
    }
    while (client->running != NULL) {
        http_client_cancel(client, client->running);
    }
    while (client->kept != NULL) {
        struct http_exchange *exchange = client->kept;
        client->kept = exchange->next;
        http_exchange_destroy(exchange);
    }
    (void)curl_multi_cleanup(client->multi);
    free(client->ca_file);
    free(client->https_proxy);
    free(client->http_proxy);
    free(client->bypass);
    free(client);
    curl_global_cleanup();
}

/* --- the awake clock --- */

static void look_at_clock(struct http_client *client) {
    int64_t now_ms = clock_monotonic_ms(client->clock);
    int64_t passed_ms = now_ms - client->looked_at_ms;
    client->awake_ms += passed_ms < LIMIT_STEP_MS ? passed_ms : LIMIT_STEP_MS;
    client->looked_at_ms = now_ms;
}

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

/* How long a wait may be for the sake of the limits. */
static int64_t limit_step_ms(const struct http_client *client) {
    int64_t step_ms = INT_MAX;
    for (const struct http_exchange *e = client->running; e != NULL; e = e->next) {
        if (e->ends_at_ms != no_limit) {
            step_ms = smaller(step_ms, smaller(e->ends_at_ms - client->awake_ms, LIMIT_STEP_MS));
        }
    }
    return step_ms;
}

/* --- start and end --- */

static struct http_route route_of(const struct http_client *client,
                                  const struct http_request *request) {
    bool is_https =
        span_equals_ignoring_case(span_first(span_of_text(request->url), 5), SPAN("https"));
    const char *others = client->ca_file != NULL ? client->ca_file : client->system_ca_file;
    bool built_in = client->ca_file == NULL && request->trust == HTTP_TRUST_AMAZON;
    const char *proxy = is_https ? client->https_proxy : client->http_proxy;
    return (struct http_route){
        .ca_file = built_in ? NULL : others,
        .proxy = request->use_proxy ? proxy : "",
        .bypass = client->bypass,
        .proxy_ca_file = others,
    };
}

static struct http_exchange *obtain(struct http_client *client) {
    struct http_exchange *exchange = client->kept;
    if (exchange == NULL) {
        return http_exchange_create();
    }
    client->kept = exchange->next;
    client->kept_count--;
    return exchange;
}

static void retire(struct http_client *client, struct http_exchange *exchange) {
    if (client->kept_count >= KEPT_EXCHANGES) {
        http_exchange_destroy(exchange);
        return;
    }
    http_exchange_reset(exchange);
    exchange->next = client->kept;
    client->kept = exchange;
    client->kept_count++;
}

static bool add_to_multi(struct http_client *client, struct http_exchange *exchange,
                         struct error *err) {
    CURLMcode code = curl_multi_add_handle(client->multi, exchange->easy);
    return code == CURLM_OK || error_set(err, code == CURLM_OUT_OF_MEMORY ? ERR_MEMORY : ERR_SYSTEM,
                                         "libcurl: %s", curl_multi_strerror(code));
}

struct http_exchange *http_client_start(struct http_client *client,
                                        const struct http_request *request, http_done_fn done,
                                        void *context, struct error *err) {
    struct http_exchange *exchange = obtain(client);
    if (exchange == NULL) {
        error_set_memory(err, "an HTTP exchange");
        return NULL;
    }
    struct http_route route = route_of(client, request);
    if (!http_exchange_prepare(exchange, request, &route, err) ||
        !add_to_multi(client, exchange, err)) {
        http_exchange_destroy(exchange);
        return NULL;
    }
    look_at_clock(client);
    int64_t limit_ms = request->time_limit_ms;
    exchange->done = done;
    exchange->context = context;
    exchange->time_limit_ms = limit_ms;
    exchange->ends_at_ms = limit_ms > 0 ? client->awake_ms + limit_ms : no_limit;
    exchange->next = client->running;
    client->running = exchange;
    return exchange;
}

/* Out of the list and out of libcurl; the handle keeps what it knows of the answer. */
static void stop(struct http_client *client, struct http_exchange *exchange) {
    struct http_exchange **link = &client->running;
    while (*link != NULL && *link != exchange) {
        link = &(*link)->next;
    }
    if (*link != NULL) {
        *link = exchange->next;
    }
    (void)curl_multi_remove_handle(client->multi, exchange->easy);
}

void http_client_cancel(struct http_client *client, struct http_exchange *exchange) {
    if (exchange != NULL) {
        stop(client, exchange);
        retire(client, exchange);
    }
}

/* `done` may do anything with the client but cancel this exchange. */
static void finish(struct http_client *client, struct http_exchange *exchange,
                   const struct http_answer *answer) {
    stop(client, exchange);
    exchange->done(exchange->context, answer);
    retire(client, exchange);
}

static struct http_exchange *find_running(const struct http_client *client, const CURL *easy) {
    struct http_exchange *exchange = client->running;
    while (exchange != NULL && exchange->easy != easy) {
        exchange = exchange->next;
    }
    return exchange;
}

static bool finish_all_ended(struct http_client *client) {
    bool any = false;
    int left = 0;
    for (CURLMsg *message; (message = curl_multi_info_read(client->multi, &left)) != NULL;) {
        struct http_exchange *exchange = find_running(client, message->easy_handle);
        if (exchange != NULL) {
            struct http_answer answer = http_exchange_answer(exchange, message->data.result);
            finish(client, exchange, &answer);
            any = true;
        }
    }
    return any;
}

static struct http_exchange *find_late(const struct http_client *client) {
    struct http_exchange *exchange = client->running;
    while (exchange != NULL && exchange->ends_at_ms > client->awake_ms) {
        exchange = exchange->next;
    }
    return exchange;
}

/* The list is searched anew each time, since `done` may change it. */
static bool finish_all_late(struct http_client *client) {
    bool any = false;
    for (struct http_exchange *late; (late = find_late(client)) != NULL; any = true) {
        struct http_answer answer = http_exchange_late_answer(late);
        finish(client, late, &answer);
    }
    return any;
}

/* --- run --- */

/* The kernel needs memory for a poll(), too, and libcurl does not say why one failed. */
static bool is_starved(CURLMcode code) {
    return code == CURLM_OUT_OF_MEMORY || code == CURLM_UNRECOVERABLE_POLL;
}

/* libcurl failed. Where memory may come back, that takes a while, and who calls has no other place
 * to wait in: this needs no memory. */
static bool fail(CURLMcode code, int64_t pause_ms, struct error *err) {
    if (!is_starved(code)) {
        return error_set(err, ERR_SYSTEM, "libcurl failed: %s", curl_multi_strerror(code));
    }
    (void)poll(NULL, 0, (int)smaller(pause_ms, STARVED_MS));
    return error_set_memory(err, "the event loop");
}

/* Ends what is over; says whether anything was. In this order: an answer that came during a freeze
 * is not late. */
static bool finish_all(struct http_client *client) {
    bool any_ended = finish_all_ended(client);
    look_at_clock(client);
    return finish_all_late(client) || any_ended;
}

bool http_client_run(struct http_client *client, int64_t wait_ms, struct error *err) {
    look_at_clock(client);
    int64_t longest_ms = INT64_MAX - client->looked_at_ms;
    int64_t until_ms =
        client->looked_at_ms + (wait_ms < 0 ? longest_ms : smaller(wait_ms, longest_ms));
    for (;;) {
        int running = 0;
        CURLMcode code = curl_multi_perform(client->multi, &running);
        /* What failed in one exchange does not keep the answers of the others. */
        bool any_ended = finish_all(client);
        bool woken = atomic_exchange(&client->woken, false);
        if (any_ended || woken || client->looked_at_ms >= until_ms) {
            return true;
        }
        int64_t pause_ms = smaller(until_ms - client->looked_at_ms, limit_step_ms(client));
        if (code == CURLM_OK) {
            code = curl_multi_poll(client->multi, NULL, 0, (int)pause_ms, NULL);
        }
        if (code != CURLM_OK) {
            return fail(code, pause_ms, err);
        }
    }
}

void http_client_wake(struct http_client *client) {
    atomic_store(&client->woken, true); /* libcurl does not tell what ended its wait */
    (void)curl_multi_wakeup(client->multi);
}
