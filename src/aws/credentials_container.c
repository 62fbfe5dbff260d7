// SPDX-License-Identifier: MIT
#include "aws/credentials_container.h"

#include "base/timestamp.h"
#include "net/url.h"

#include <cjson/cJSON.h>

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum {
    /* What the SDKs allow such an endpoint; it is on the same machine. */
    FETCH_LIMIT_MS = 2000,
    TOKEN_BYTES_MAX = 16 * 1024,
};

#define RELATIVE_TO "http://169.254.170.2"

/* --- where --- */

bool container_is_wanted(const struct container_settings *settings) {
    return settings->relative_uri.len > 0 || settings->full_uri.len > 0;
}

static bool write_url(const struct container_settings *settings, char ret[CONTAINER_URL_BYTES]) {
    bool relative = settings->relative_uri.len > 0;
    struct span uri = relative ? settings->relative_uri : settings->full_uri;
    int length =
        snprintf(ret, CONTAINER_URL_BYTES, "%s%.*s", relative ? RELATIVE_TO : "", SPAN_ARGS(uri));
    return length > 0 && length < CONTAINER_URL_BYTES &&
           (!relative || span_starts_with(uri, SPAN("/")));
}

/* 127.0.0.0/8 */
static bool is_loopback_address(struct span host) {
    for (int i = 0; i < 4; i++) {
        unsigned long long number = 0;
        if (!span_to_u64(span_cut(&host, '.'), &number) || number > 255 ||
            (i == 0 && number != 127)) {
            return false;
        }
    }
    return host.len == 0;
}

/* Who may get the token in clear. */
static bool is_trusted_host(struct span host) {
    static const char *const hosts[] = {"localhost", "[::1]", "169.254.170.2", "169.254.170.23",
                                        "[fd00:ec2::23]"};
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        if (span_equals_ignoring_case(host, span_of_text(hosts[i]))) {
            return true;
        }
    }
    return is_loopback_address(host);
}

/* It would end the header, and what follows it would be another. */
static bool has_line_break(struct span text) {
    return span_find(text, SPAN("\n")) != NULL || span_find(text, SPAN("\r")) != NULL;
}

static bool check_token(const struct container_settings *settings, struct error *err) {
    if (has_line_break(settings->token)) {
        return error_set(err, ERR_INVALID, "its token holds a line break");
    }
    if (settings->token_file.len >= CONTAINER_PATH_BYTES) {
        return error_set(err, ERR_INVALID, "the path of its token file is too long");
    }
    return true;
}

bool container_check(const struct container_settings *settings, struct error *err) {
    char text[CONTAINER_URL_BYTES];
    struct url url = {0};
    if (!write_url(settings, text) || !url_split(span_of_text(text), &url) ||
        url.user_info.ptr != NULL) {
        return error_set(err, ERR_INVALID, "it is not %s",
                         settings->relative_uri.len > 0 ? "a path such as /credentials"
                                                        : "a URL such as http://localhost/path");
    }
    bool https = span_equals_ignoring_case(url.scheme, SPAN("https"));
    bool http = span_equals_ignoring_case(url.scheme, SPAN("http"));
    if (!https && !(http && is_trusted_host(url.host))) {
        return error_set(err, ERR_INVALID,
                         "its host must be a loopback address, 169.254.170.2, 169.254.170.23 or "
                         "[fd00:ec2::23], unless it begins with https://");
    }
    return check_token(settings, err);
}

/* --- the answer --- */

static struct span append_member(struct buf *text, const cJSON *object, const char *name) {
    const char *value = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    size_t from = text->len;
    buf_append_text(text, value == NULL ? "" : value);
    return buf_failed(text) ? span_of(NULL, 0) : span_skip(buf_span(text), from);
}

static struct credentials_grant read_members(const cJSON *answer, struct buf *text) {
    struct credentials_grant grant = {
        .credentials =
            {
                .access_key_id = append_member(text, answer, "AccessKeyId"),
                .secret_access_key = append_member(text, answer, "SecretAccessKey"),
                .session_token = append_member(text, answer, "Token"),
            },
        .expires_wall_ms = INT64_MAX,
    };
    const cJSON *expiration = cJSON_GetObjectItemCaseSensitive(answer, "Expiration");
    (void)!timestamp_read(span_of_text(cJSON_GetStringValue(expiration)), &grant.expires_wall_ms);
    return grant;
}

bool container_read_answer(struct span body, struct credentials_grant *ret, struct buf *ret_text,
                           struct error *err) {
    cJSON *answer = cJSON_ParseWithLength(body.ptr, body.len);
    if (!cJSON_IsObject(answer)) {
        cJSON_Delete(answer);
        return error_set(err, ERR_INVALID, "the container credentials are not a JSON object");
    }
    (void)buf_reserve(ret_text, body.len); /* so that no span moves: no value is longer than all */
    struct credentials_grant grant = read_members(answer, ret_text);
    cJSON_Delete(answer);
    if (buf_failed(ret_text)) {
        return error_set_memory(err, "credentials");
    }
    if (grant.credentials.access_key_id.len == 0 || grant.credentials.secret_access_key.len == 0) {
        return error_set(err, ERR_INVALID,
                         "the container credentials have no AccessKeyId or no SecretAccessKey");
    }
    *ret = grant;
    return true;
}

static void on_answer(void *context, const struct http_answer *answer) {
    struct credentials_container *self = context;
    CLEANUP(buf_done) struct buf text = buf_with_ceiling(CREDENTIALS_BYTES_MAX);
    struct credentials_grant grant = {0};
    struct error err = {0};
    bool granted = false;
    if (!answer->answered) {
        error_set(&err, answer->error.code, "the container credentials are not given: %.400s",
                  answer->error.message);
    } else if (answer->status != 200) {
        error_set(&err, ERR_UNAVAILABLE, "the container credentials are not given: HTTP status %d",
                  answer->status);
    } else {
        granted = container_read_answer(answer->body, &grant, &text, &err);
    }
    self->exchange = NULL;
    self->done(self->context, granted ? &grant : NULL, &err);
}

/* --- the request --- */

/* Not blocking: what is no plain file must not stop the event loop. */
static void read_file(const char *path, struct buf *content) {
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    for (ssize_t got = 1; file >= 0 && got > 0;) {
        size_t room = content->ceiling - content->len;
        char *to = room == 0 ? NULL : buf_reserve(content, room);
        got = to == NULL ? 0 : read(file, to, room);
        buf_commit(content, got > 0 ? (size_t)got : 0);
    }
    if (file >= 0) {
        (void)close(file);
    }
}

static bool append_token(const struct credentials_container *self, struct buf *header,
                         struct error *err) {
    CLEANUP(buf_done) struct buf content = buf_with_ceiling(TOKEN_BYTES_MAX);
    struct span token = self->token;
    if (self->token_file[0] != '\0') {
        read_file(self->token_file, &content);
        token = span_trim(buf_span(&content));
        if (token.len == 0 || has_line_break(token)) {
            return error_set(err, ERR_INVALID,
                             "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE cannot be read, or is empty, "
                             "or has more than one line");
        }
    }
    buf_append(header, SPAN("Authorization: "));
    buf_append(header, token);
    return !buf_failed(header) || error_set_memory(err, "a request for credentials");
}

static bool fetch(struct credentials_provider *provider, credentials_granted_fn done, void *context,
                  struct error *err) {
    struct credentials_container *self = (struct credentials_container *)provider;
    CLEANUP(buf_done) struct buf authorization = buf_with_ceiling(TOKEN_BYTES_MAX + 64);
    bool has_token = self->token_file[0] != '\0' || self->token.len > 0;
    if (has_token && !append_token(self, &authorization, err)) {
        return false;
    }
    const struct span headers[] = {SPAN("Accept: application/json"), buf_span(&authorization)};
    const struct http_request request = {
        .method = "GET",
        .url = self->url,
        .headers = headers,
        .header_count = has_token ? 2 : 1,
        .time_limit_ms = FETCH_LIMIT_MS,
        .trust = HTTP_TRUST_SYSTEM,
        .single_use = true, /* the next fetch comes when this one's would be closed */
    };
    self->done = done;
    self->context = context;
    self->exchange = http_client_start(self->http, &request, on_answer, self, err);
    return self->exchange != NULL;
}

static void cancel(struct credentials_provider *provider) {
    struct credentials_container *self = (struct credentials_container *)provider;
    http_client_cancel(self->http, self->exchange);
    self->exchange = NULL;
}

void credentials_container_init(struct credentials_container *self,
                                const struct container_settings *settings,
                                struct http_client *http) {
    *self = (struct credentials_container){
        .provider = {.fetch = fetch, .cancel = cancel},
        .http = http,
        .token = settings->token,
    };
    (void)write_url(settings, self->url);
    (void)snprintf(self->token_file, sizeof self->token_file, "%.*s",
                   SPAN_ARGS(settings->token_file));
}
