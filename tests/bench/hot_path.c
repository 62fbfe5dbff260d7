// SPDX-License-Identifier: MIT
/* The way of a log line without the network, for counting instructions: bodies go into the queue,
 * and are split, enriched, packed, made into requests and signed by the code that is shipped.
 *
 *   hot_path BODY…
 *
 * The settings come from the environment, as the extension's do. Each BODY is the file of one. Ends
 * with 1 unless every event was delivered. The work is in ship(), so that a tool can leave out what
 * goes before it. */
#include "../unit/fake_clock.h"
#include "app/config.h"
#include "app/shipping.h"
#include "base/crypto.h"
#include "net/http_client.h"
#include "put_records.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { READ_BYTES = 64 * 1024, NOW_MS = 1000, WALL_MS = 1767323045 };

/* --- in place of net/http_client.c: takes requests, and answers when it is told to --- */

struct http_exchange {
    bool running;
    enum wire_format format;
    struct span body;
    http_done_fn done;
    void *context;
};

struct http_client {
    struct http_exchange exchanges[DESTINATION_LANES_MAX];
};

struct span http_answer_header(const struct http_answer *answer, const char *name) {
    bool cbor = answer->exchange->format == WIRE_CBOR;
    if (!span_equals_ignoring_case(span_of_text(name), SPAN("Content-Type"))) {
        return (struct span){0};
    }
    return cbor ? SPAN("application/x-amz-cbor-1.1") : SPAN("application/x-amz-json-1.1");
}

static enum wire_format format_of(const struct http_request *request) {
    for (size_t i = 0; i < request->header_count; i++) {
        if (span_find(request->headers[i], SPAN("application/x-amz-cbor")) != NULL) {
            return WIRE_CBOR;
        }
    }
    return WIRE_JSON;
}

struct http_exchange *http_client_start(struct http_client *client,
                                        const struct http_request *request, http_done_fn done,
                                        void *context, struct error *err) {
    (void)err;
    struct http_exchange *exchange = client->exchanges;
    while (exchange->running) {
        exchange++;
    }
    *exchange = (struct http_exchange){
        .running = true,
        .format = format_of(request),
        .body = request->body,
        .done = done,
        .context = context,
    };
    return exchange;
}

void http_client_cancel(struct http_client *client, struct http_exchange *exchange) {
    (void)client;
    if (exchange != NULL) {
        exchange->running = false;
    }
}

/* Only the platform's answers are waited for in this way, and it is not asked anything here. */
bool http_client_run(struct http_client *client, int64_t wait_ms, struct error *err) {
    (void)client;
    (void)wait_ms;
    return error_set(err, ERR_SYSTEM, "there is nothing to wait for");
}

static void answer(struct http_exchange *exchange) {
    static struct buf body = {.ceiling = SIZE_MAX};
    buf_clear(&body);
    put_records_answer(exchange->format, put_records_count(exchange->format, exchange->body),
                       &body);
    exchange->running = false;
    const struct http_answer all_taken = {
        .answered = true,
        .status = 200,
        .body = buf_span(&body),
        .exchange = exchange,
    };
    exchange->done(exchange->context, &all_taken);
}

static void answer_all(struct http_client *client) {
    for (size_t i = 0; i < DESTINATION_LANES_MAX; i++) {
        if (client->exchanges[i].running) {
            answer(&client->exchanges[i]);
        }
    }
}

/* --- the way --- */

static void read_body(const char *path, struct buf *out) {
    FILE *file = fopen(path, "rb");
    size_t got = 0;
    char *space;
    *out = buf_with_ceiling(SIZE_MAX);
    while (file != NULL && (space = buf_reserve(out, READ_BYTES)) != NULL &&
           (got = fread(space, 1, READ_BYTES, file)) > 0) {
        buf_commit(out, got);
    }
    if (file == NULL || out->len == 0) {
        perror(path);
        exit(EXIT_FAILURE);
    }
    (void)fclose(file);
}

/* What the tool counts: all of it, from the queue to the signed request and its answer. */
__attribute__((noinline)) bool ship(struct shipping *shipping, struct http_client *client,
                                    struct buf *body);
bool ship(struct shipping *shipping, struct http_client *client, struct buf *body) {
    if (!batch_queue_push(shipping->queue, body, NULL)) {
        return false;
    }
    while (!shipper_idle(shipping->shipper)) {
        shipper_pump(shipping->shipper);
        answer_all(client);
    }
    return true;
}

static void ignore_event(void *context, enum event_kind kind, const struct event *event,
                         uint64_t position) {
    (void)context, (void)kind, (void)event, (void)position;
}

static void say_trouble(void *context, enum retry_pace pace, const char *reason) {
    (void)context, (void)pace;
    (void)fprintf(stderr, "%s\n", reason);
}

static bool prepare(struct shipping *shipping, struct http_client *client, char **environment,
                    struct error *err) {
    static struct fake_clock clock;
    static struct config config;
    static struct lambda_function function = {
        .name = "orders",
        .version = "7",
        .account_id = "123456789012",
    };
    struct config_report report = config_report_empty();
    clock = fake_clock_at(NOW_MS, (int64_t)WALL_MS * 1000);
    if (!config_read(environment, &config, &report)) {
        (void)fprintf(stderr, "%.*s", SPAN_ARGS(buf_span(&report.errors)));
        return false;
    }
    const struct shipping_settings settings = {
        .config = &config,
        .function = &function,
        .http = client,
        .clock = &clock.clock,
        .events = {.on_event = ignore_event},
        .troubles = {.on_trouble = say_trouble},
    };
    return crypto_init(err) && shipping_init(shipping, &settings, err);
}

int main(int argc, char **argv, char **environment) {
    static struct http_client client;
    static struct shipping shipping;
    struct error err = {0};
    if (!prepare(&shipping, &client, environment, &err)) {
        (void)fprintf(stderr, "hot_path: %s\n", err.message);
        return EXIT_FAILURE;
    }
    for (int i = 1; i < argc; i++) {
        struct buf body;
        read_body(argv[i], &body);
        if (!ship(&shipping, &client, &body)) {
            return EXIT_FAILURE;
        }
    }
    const struct ledger *ledger = shipper_ledger(shipping.shipper);
    printf("%" PRIu64 " of %" PRIu64 " events in %" PRIu64 " requests\n", ledger->delivered.events,
           ledger->received.events, ledger->requests);
    bool all = ledger->delivered.events == ledger->received.events && ledger->requests > 0;
    shipping_done(&shipping);
    return all ? EXIT_SUCCESS : EXIT_FAILURE;
}
