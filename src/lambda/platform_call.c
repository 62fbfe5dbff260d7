// SPDX-License-Identifier: MIT
#include "lambda/platform_call.h"

#include "base/buf.h"

#include <cjson/cJSON.h>

#include <stdlib.h>

enum { URL_BYTES_MAX = 1024, HEADER_BYTES_MAX = 1024, WORD_BYTES = 200 };

/* Appends "http://host/path". */
static const char *append_url(struct buf *url, const struct platform_call *call) {
    buf_append(url, SPAN("http://"));
    buf_append_text(url, call->host);
    buf_append_text(url, call->path);
    return buf_text(url);
}

struct http_exchange *platform_call_start(struct http_client *client,
                                          const struct platform_call *call, http_done_fn done,
                                          void *context, struct error *err) {
    CLEANUP(buf_done) struct buf url = buf_with_ceiling(URL_BYTES_MAX);
    CLEANUP(buf_done) struct buf id = buf_with_ceiling(HEADER_BYTES_MAX);
    struct http_request request = {
        .method = call->method,
        .url = append_url(&url, call),
        .body = call->body,
        .time_limit_ms = call->time_limit_ms,
    };
    struct span headers[PLATFORM_CALL_HEADERS_MAX];
    for (size_t i = 0; i < PLATFORM_CALL_HEADERS_MAX - 1; i++) {
        if (call->headers[i].len > 0) {
            headers[request.header_count++] = call->headers[i];
        }
    }
    if (call->extension_id != NULL) {
        buf_append_format(&id, "Lambda-Extension-Identifier: %s", call->extension_id);
        headers[request.header_count++] = buf_span(&id);
    }
    if (request.url == NULL || buf_failed(&id)) {
        error_set_memory(err, "a call of the platform");
        return NULL;
    }
    request.headers = headers;
    return http_client_start(client, &request, done, context, err);
}

struct waiting {
    platform_reader_fn read;
    void *ret;
    struct error *err;
    bool over;
    bool ok;
};

static void end_waiting(void *context, const struct http_answer *answer) {
    struct waiting *waiting = context;
    waiting->over = true;
    if (answer->answered) {
        waiting->ok = waiting->read(answer, waiting->ret, waiting->err);
    } else {
        waiting->ok = error_set(waiting->err, answer->error.code, "%s", answer->error.message);
    }
}

/* A lack of memory may pass before the time limit of the call. */
static bool run(struct http_client *client, struct error *err) {
    struct error failure = {0};
    return http_client_run(client, -1, &failure) || failure.code == ERR_MEMORY ||
           error_set(err, failure.code, "%s", failure.message);
}

bool platform_call_wait(struct http_client *client, const struct platform_call *call,
                        platform_reader_fn read, void *ret, struct error *err) {
    struct waiting waiting = {.read = read, .ret = ret, .err = err};
    struct http_exchange *exchange = platform_call_start(client, call, end_waiting, &waiting, err);
    if (exchange == NULL) {
        return false;
    }
    while (!waiting.over) {
        if (!run(client, err)) {
            http_client_cancel(client, exchange);
            return false;
        }
    }
    return waiting.ok;
}

void platform_copy_text(char *ret, size_t size, struct span text) {
    size_t length = text.len < size ? text.len : size - 1;
    for (size_t i = 0; i < length; i++) {
        ret[i] = text.ptr[i] >= ' ' && text.ptr[i] <= '~' ? text.ptr[i] : '?';
    }
    ret[length] = '\0';
}

static void copy_member(const cJSON *object, const char *name, char ret[WORD_BYTES]) {
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    platform_copy_text(ret, WORD_BYTES, span_of_text(text));
}

bool platform_call_refused(const struct http_answer *answer, const char *what, struct error *err) {
    char type[WORD_BYTES];
    char message[WORD_BYTES];
    cJSON *body = cJSON_ParseWithLength(answer->body.ptr, answer->body.len);
    copy_member(body, "errorType", type);
    copy_member(body, "errorMessage", message);
    cJSON_Delete(body);
    const char *between = type[0] != '\0' && message[0] != '\0' ? ": " : "";
    const char *before = type[0] != '\0' || message[0] != '\0' ? ": " : "";
    return error_set(err, ERR_REFUSED, "%s: the platform answered %d%s%s%s%s", what, answer->status,
                     before, type, between, message);
}
