// SPDX-License-Identifier: MIT
#include "lambda/extensions_api.h"

#include "base/buf.h"
#include "base/json_writer.h"
#include "lambda/lambda_event.h"
#include "lambda/platform_call.h"

#include <cjson/cJSON.h>

#include <stdio.h>

enum { HEADER_BYTES_MAX = 1024, BODY_BYTES_MAX = 8192 };

/* --- host and port --- */

static bool is_host_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
}

static bool is_host_and_port(struct span text) {
    struct span host = span_cut(&text, ':');
    for (size_t i = 0; i < host.len; i++) {
        if (!is_host_char(host.ptr[i])) {
            return false;
        }
    }
    unsigned long long port = 0;
    return host.len > 0 && span_to_u64(text, &port) && port > 0 && port <= UINT16_MAX;
}

bool extensions_api_init(struct extensions_api *api, struct http_client *client,
                         const char *runtime_api, struct error *err) {
    struct span host = span_of_text(runtime_api);
    if (host.len == 0) {
        return error_set(err, ERR_INVALID,
                         "AWS_LAMBDA_RUNTIME_API is not set: this program is run by AWS Lambda");
    }
    if (host.len >= sizeof api->host || !is_host_and_port(host)) {
        return error_set(err, ERR_INVALID, "AWS_LAMBDA_RUNTIME_API is not a host and a port");
    }
    *api = (struct extensions_api){.client = client};
    (void)snprintf(api->host, sizeof api->host, "%s", runtime_api);
    return true;
}

/* --- register --- */

struct registration {
    struct lambda_function function;
    char extension_id[LAMBDA_ID_BYTES];
};

static void copy_member(const cJSON *object, const char *name, char *ret, size_t size) {
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    platform_copy_text(ret, size, span_of_text(text));
}

static void read_function(struct span json, struct lambda_function *ret) {
    cJSON *body = cJSON_ParseWithLength(json.ptr, json.len);
    copy_member(body, "functionName", ret->name, sizeof ret->name);
    copy_member(body, "functionVersion", ret->version, sizeof ret->version);
    copy_member(body, "accountId", ret->account_id, sizeof ret->account_id);
    cJSON_Delete(body);
}

static bool read_registration(const struct http_answer *answer, void *ret, struct error *err) {
    struct registration *registration = ret;
    if (answer->status != 200) {
        return platform_call_refused(answer, "registration", err);
    }
    struct span id = http_answer_header(answer, "Lambda-Extension-Identifier");
    if (id.len == 0 || id.len >= LAMBDA_ID_BYTES) {
        return error_set(err, ERR_INVALID, "registration: the platform gave no usable identifier");
    }
    platform_copy_text(registration->extension_id, LAMBDA_ID_BYTES, id);
    read_function(answer->body, &registration->function);
    return true;
}

bool extensions_api_register(struct extensions_api *api, const char *name, const char *lifecycle,
                             struct lambda_function *ret, struct error *err) {
    CLEANUP(buf_done) struct buf name_header = buf_with_ceiling(HEADER_BYTES_MAX);
    CLEANUP(buf_done) struct buf body = buf_with_ceiling(BODY_BYTES_MAX);
    buf_append_format(&name_header, "Lambda-Extension-Name: %s", name);
    buf_append_format(&body, "{\"events\":[%s]}", lifecycle);
    if (buf_failed(&name_header) || buf_failed(&body)) {
        return error_set_memory(err, "the registration");
    }
    const struct platform_call call = {
        .host = api->host,
        .method = "POST",
        .path = "/2020-01-01/extension/register",
        .headers = {buf_span(&name_header), SPAN("Lambda-Extension-Accept-Feature: accountId"),
                    SPAN("Content-Type: application/json")},
        .body = buf_span(&body),
        .time_limit_ms = LAMBDA_CALL_LIMIT_MS,
    };
    struct registration registration = {0};
    if (!platform_call_wait(api->client, &call, read_registration, &registration, err)) {
        return false;
    }
    (void)snprintf(api->extension_id, sizeof api->extension_id, "%s", registration.extension_id);
    *ret = registration.function;
    return true;
}

/* --- next --- */

static bool read_event(const struct http_answer *answer, struct lambda_event *ret,
                       struct error *err) {
    if (!answer->answered) {
        return error_set(err, answer->error.code, "next event: %s", answer->error.message);
    }
    if (answer->status != 200) {
        return platform_call_refused(answer, "next event", err);
    }
    return lambda_event_parse(answer->body, ret, err);
}

static void next_done(void *context, const struct http_answer *answer) {
    struct extensions_api *api = context;
    struct lambda_event event;
    struct error err = {0};
    bool ok = read_event(answer, &event, &err);
    api->next = NULL; /* before the callback, which may well ask for the next one */
    api->on_event(api->context, ok ? &event : NULL, ok ? NULL : &err);
}

bool extensions_api_next(struct extensions_api *api, lambda_event_fn on_event, void *context,
                         struct error *err) {
    if (api->next != NULL) {
        return error_set(err, ERR_INVALID, "the next event has been asked for already");
    }
    const struct platform_call call = {
        .host = api->host,
        .method = "GET",
        .path = "/2020-01-01/extension/event/next",
        .extension_id = api->extension_id,
    };
    api->on_event = on_event;
    api->context = context;
    api->next = platform_call_start(api->client, &call, next_done, api, err);
    return api->next != NULL;
}

/* --- init and exit errors --- */

static bool read_acceptance(const struct http_answer *answer, void *ret, struct error *err) {
    (void)ret;
    return answer->status / 100 == 2 || platform_call_refused(answer, "error report", err);
}

static bool report_error(struct extensions_api *api, const char *path, const char *error_type,
                         const char *message, struct error *err) {
    CLEANUP(buf_done) struct buf type = buf_with_ceiling(HEADER_BYTES_MAX);
    CLEANUP(buf_done) struct buf body = buf_with_ceiling(BODY_BYTES_MAX);
    buf_append_format(&type, "Lambda-Extension-Function-Error-Type: %s", error_type);
    buf_append_char(&body, '{');
    json_append_member(&body, SPAN("errorMessage"), span_of_text(message));
    buf_append_char(&body, ',');
    json_append_member(&body, SPAN("errorType"), span_of_text(error_type));
    buf_append(&body, SPAN(",\"stackTrace\":[]}"));
    if (buf_failed(&type) || buf_failed(&body)) {
        return error_set_memory(err, "an error report");
    }
    const struct platform_call call = {
        .host = api->host,
        .method = "POST",
        .path = path,
        .extension_id = api->extension_id,
        .headers = {buf_span(&type), SPAN("Content-Type: application/json")},
        .body = buf_span(&body),
        .time_limit_ms = LAMBDA_CALL_LIMIT_MS,
    };
    return platform_call_wait(api->client, &call, read_acceptance, NULL, err);
}

bool extensions_api_init_error(struct extensions_api *api, const char *error_type,
                               const char *message, struct error *err) {
    return report_error(api, "/2020-01-01/extension/init/error", error_type, message, err);
}

bool extensions_api_exit_error(struct extensions_api *api, const char *error_type,
                               const char *message, struct error *err) {
    return report_error(api, "/2020-01-01/extension/exit/error", error_type, message, err);
}
