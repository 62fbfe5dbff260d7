// SPDX-License-Identifier: MIT
#include "aws/aws_call.h"

#include "aws/http_date.h"

#include <stdio.h>

enum {
    HEADERS_MAX = 6,
    HEADER_BYTES_MAX = 64 * 1024, /* all together; a session token may take some KiB */
    RETRY_AFTER_MS_MAX = 60 * 60 * 1000,
};

/* -- the request -- */

static struct sigv4_scope scope_now(const struct aws_client *client) {
    struct sigv4_scope scope = {
        .region = span_of_text(client->endpoint.region),
        .service = span_of_text(client->service),
    };
    char now[CLOCK_TEXT_BYTES];
    clock_format_basic(clock_wall_ms(client->clock) + client->clock_offset_ms, now);
    (void)snprintf(scope.timestamp, sizeof scope.timestamp, "%.16s", now);
    return scope;
}

struct headers {
    struct sigv4_header list[HEADERS_MAX];
    size_t count;
};

static void add(struct headers *headers, struct span name, struct span value) {
    headers->list[headers->count++] = (struct sigv4_header){name, value};
}

/* What is signed and sent. Host goes first: it is signed, but libcurl sends it. */
static struct headers headers_of(const struct aws_client *client, const struct aws_request *request,
                                 const struct credentials *credentials,
                                 const struct sigv4_scope *scope) {
    struct headers headers = {.count = 0};
    add(&headers, SPAN("Host"), span_of_text(client->endpoint.host));
    add(&headers, SPAN("Content-Type"), span_of_text(request->content_type));
    add(&headers, SPAN("X-Amz-Date"), span_of_text(scope->timestamp));
    if (request->target != NULL) {
        add(&headers, SPAN("X-Amz-Target"), span_of_text(request->target));
    }
    if (credentials->session_token.len > 0) {
        add(&headers, SPAN("X-Amz-Security-Token"), credentials->session_token);
    }
    return headers;
}

static bool sign(struct aws_client *client, struct span body, const struct headers *headers,
                 const struct credentials *credentials, const struct sigv4_scope *scope,
                 struct buf *authorization, struct error *err) {
    uint8_t digest[SHA256_BYTES];
    char payload_hash[SHA256_HEX_BYTES];
    if (!crypto_sha256(body, digest, err)) {
        return false;
    }
    crypto_hex(digest, sizeof digest, payload_hash);
    const struct sigv4_request request = {
        .method = SPAN("POST"),
        .path = span_of_text(client->endpoint.path),
        .headers = headers->list,
        .header_count = headers->count,
        .payload_hash = span_of(payload_hash, sizeof payload_hash),
        .path_style = SIGV4_PATH_NORMALIZED,
    };
    return sigv4_sign(&request, scope, credentials, &client->keys, authorization, err);
}

/* Writes the headers that libcurl is to send as lines, and the spans of the lines. No value holds
 * a line break: they have been signed. */
static bool write_lines(const struct headers *headers, struct buf *lines,
                        struct span ret[HEADERS_MAX], size_t *ret_count, struct error *err) {
    for (size_t i = 1; i < headers->count; i++) {
        buf_append(lines, headers->list[i].name);
        buf_append(lines, SPAN(": "));
        buf_append(lines, headers->list[i].value);
        buf_append_char(lines, '\n');
    }
    if (buf_failed(lines)) {
        return error_set_memory(err, "request headers");
    }
    size_t count = 0;
    struct span rest = buf_span(lines);
    while (rest.len > 0) {
        ret[count++] = span_cut(&rest, '\n');
    }
    *ret_count = count;
    return true;
}

/* -- the answer -- */

static int64_t retry_after_ms(const struct http_answer *http) {
    unsigned long long wanted = 0;
    bool given = span_to_u64(http_answer_header(http, "x-amz-retry-after"), &wanted);
    return given && wanted <= RETRY_AFTER_MS_MAX ? (int64_t)wanted : 0;
}

static void read_error(const struct http_answer *http, struct aws_answer *ret) {
    struct aws_error error = {0};
    aws_error_read(http->body, ret->format, http_answer_header(http, "x-amzn-ErrorType"), &error);
    memcpy(ret->error_code, error.code, sizeof ret->error_code);
    memcpy(ret->error_message, error.message, sizeof ret->error_message);
}

static void read_answer(const struct http_answer *http, struct aws_answer *ret) {
    ret->status = http->status;
    ret->body = http->body;
    ret->format = aws_format_of(http_answer_header(http, "Content-Type"), http->body);
    ret->retry_after_ms = retry_after_ms(http);
    if (!http_date_read(http_answer_header(http, "Date"), &ret->server_wall_ms)) {
        ret->server_wall_ms = 0;
    }
    /* What succeeded names no error, and its body may be large. */
    if (http->status < 200 || http->status > 299) {
        read_error(http, ret);
    }
    ret->verdict =
        aws_classify(ret->status, span_of_text(ret->error_code), span_of_text(ret->error_message));
}

static void on_answer(void *context, const struct http_answer *http) {
    struct aws_call *call = context;
    struct aws_answer answer = {
        .verdict = AWS_TRANSIENT,
        .was_sent = true,
        .connection_was_reused = http->connection_was_reused,
    };
    if (http->answered) {
        read_answer(http, &answer);
    } else {
        (void)snprintf(answer.error_message, sizeof answer.error_message, "%.*s",
                       (int)sizeof answer.error_message - 1, http->error.message);
    }
    call->exchange = NULL;
    call->done(call->context, &answer);
}

/* -- the call -- */

static bool send(struct aws_call *call, const struct credentials *credentials, struct error *err) {
    struct aws_client *client = call->client;
    const struct aws_request *request = &call->request;
    struct sigv4_scope scope = scope_now(client);
    struct headers headers = headers_of(client, request, credentials, &scope);
    CLEANUP(buf_done) struct buf authorization = buf_with_ceiling(HEADER_BYTES_MAX);
    CLEANUP(buf_done) struct buf text = buf_with_ceiling(HEADER_BYTES_MAX);
    struct span lines[HEADERS_MAX];
    size_t line_count = 0;
    if (!sign(client, request->body, &headers, credentials, &scope, &authorization, err)) {
        return false;
    }
    add(&headers, SPAN("Authorization"), buf_span(&authorization));
    if (!write_lines(&headers, &text, lines, &line_count, err)) {
        return false;
    }
    const struct http_request http = {
        .method = "POST",
        .url = client->endpoint.url,
        .headers = lines,
        .header_count = line_count,
        .body = request->body,
        .time_limit_ms = request->time_limit_ms,
        .use_proxy = true,
        .trust = client->endpoint.has_amazon_certificate ? HTTP_TRUST_AMAZON : HTTP_TRUST_SYSTEM,
        .fresh_connection = request->fresh_connection,
        .single_use = client->single_use,
    };
    call->exchange = http_client_start(client->http, &http, on_answer, call, err);
    return call->exchange != NULL;
}

/* Nothing was sent, and nothing will be. */
static void give_up(struct aws_call *call, const struct error *err) {
    bool is_to_be_mended = err->code == ERR_INVALID || err->code == ERR_REFUSED;
    struct aws_answer answer = {.verdict = is_to_be_mended ? AWS_MISCONFIGURED : AWS_TRANSIENT};
    (void)snprintf(answer.error_message, sizeof answer.error_message, "%.*s",
                   (int)sizeof answer.error_message - 1, err->message);
    call->done(call->context, &answer);
}

static void on_credentials(struct credentials_waiter *waiter) {
    struct aws_call *call = (struct aws_call *)waiter;
    struct credentials credentials = {0};
    struct error err = {0};
    enum credentials_answer answer =
        credentials_current(call->client->credentials, &credentials, &call->waiter, &err);
    if (answer == CREDENTIALS_NONE ||
        (answer == CREDENTIALS_READY && !send(call, &credentials, &err))) {
        give_up(call, &err);
    }
}

bool aws_call_start(struct aws_client *client, const struct aws_request *request,
                    struct aws_call *call, aws_done_fn done, void *context, struct error *err) {
    *call = (struct aws_call){
        .waiter = {.wake = on_credentials},
        .client = client,
        .request = *request,
        .done = done,
        .context = context,
    };
    struct credentials credentials = {0};
    switch (credentials_current(client->credentials, &credentials, &call->waiter, err)) {
    case CREDENTIALS_READY:
        return send(call, &credentials, err);
    case CREDENTIALS_PENDING:
        return true;
    case CREDENTIALS_NONE:
        break;
    }
    return false;
}

void aws_call_cancel(struct aws_call *call) {
    credentials_stop_waiting(&call->waiter);
    if (call->exchange != NULL) {
        http_client_cancel(call->client->http, call->exchange);
        call->exchange = NULL;
    }
}
