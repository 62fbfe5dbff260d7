// SPDX-License-Identifier: MIT
#include "aws/credentials_role.h"

#include "aws/xml_text.h"
#include "base/timestamp.h"

enum {
    /* STS answers in some ten milliseconds; longer than this it is not coming. */
    CALL_LIMIT_MS = 5000,
    /* Each byte of a value may take three in the body. */
    BODY_BYTES_MAX = 3 * (ROLE_ARN_BYTES_MAX + ROLE_EXTERNAL_ID_BYTES_MAX) + 1024,
    SESSION_NAME_BYTES_MIN = 2,
};

/* --- what the settings may be --- */

static bool is_alphanumeric(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_of(struct span text, const char *others) {
    for (size_t i = 0; i < text.len; i++) {
        if (!is_alphanumeric(text.ptr[i]) && strchr(others, text.ptr[i]) == NULL) {
            return false;
        }
    }
    return text.len == 0 || memchr(text.ptr, '\0', text.len) == NULL;
}

/* arn:aws…:iam::<account>:role/[path/]<name> */
bool role_is_arn(struct span text) {
    struct span rest = text;
    struct span arn = span_cut(&rest, ':');
    struct span partition = span_cut(&rest, ':');
    struct span service = span_cut(&rest, ':');
    struct span region = span_cut(&rest, ':');
    struct span account = span_cut(&rest, ':');
    unsigned long long number = 0;
    return text.len <= ROLE_ARN_BYTES_MAX && span_equals(arn, SPAN("arn")) &&
           span_starts_with(partition, SPAN("aws")) && is_of(partition, "-") &&
           span_equals(service, SPAN("iam")) && region.len == 0 && account.len == 12 &&
           span_to_u64(account, &number) && span_starts_with(rest, SPAN("role/")) &&
           rest.len > SPAN("role/").len && is_of(rest, "_+=,.@-/");
}

bool role_is_external_id(struct span text) {
    return text.len >= 2 && text.len <= ROLE_EXTERNAL_ID_BYTES_MAX && is_of(text, "_+=,.@:/-");
}

/* --- the request --- */

static void append_encoded(struct buf *body, struct span value) {
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        if (is_alphanumeric(value.ptr[i]) || c == '-' || c == '.' || c == '_' || c == '~') {
            buf_append_char(body, value.ptr[i]);
        } else {
            const char encoded[] = {'%', digits[c >> 4], digits[c & 15]};
            buf_append(body, span_of(encoded, sizeof encoded));
        }
    }
}

static void append_session_name(struct buf *body, struct span wanted) {
    if (wanted.len < SESSION_NAME_BYTES_MIN) {
        wanted = SPAN("kinesis-stream-logs-extension");
    }
    wanted = span_first(wanted, ROLE_SESSION_NAME_BYTES_MAX);
    for (size_t i = 0; i < wanted.len; i++) {
        struct span character = span_of(wanted.ptr + i, 1);
        append_encoded(body, is_of(character, "_+=,.@-") ? character : SPAN("-"));
    }
}

static bool write_body(struct credentials_role *self, struct error *err) {
    const struct role_settings *settings = &self->settings;
    buf_clear(&self->body);
    buf_append_format(&self->body,
                      "Action=AssumeRole&Version=2011-06-15&DurationSeconds=%d&RoleSessionName=",
                      ROLE_DURATION_SECONDS);
    append_session_name(&self->body, settings->session_name);
    buf_append(&self->body, SPAN("&RoleArn="));
    append_encoded(&self->body, settings->arn);
    if (settings->external_id.len > 0) {
        buf_append(&self->body, SPAN("&ExternalId="));
        append_encoded(&self->body, settings->external_id);
    }
    return !buf_failed(&self->body) || error_set_memory(err, "a request for credentials");
}

/* --- the answer --- */

static bool append_leaf(struct span body, const char *path, struct buf *text, struct span *ret,
                        struct error *err) {
    size_t from = text->len;
    bool read = xml_text_append(body, path, text, err);
    *ret = read ? span_trim(span_skip(buf_span(text), from)) : span_of(NULL, 0);
    return read;
}

#define CREDENTIALS_AT "AssumeRoleResponse/AssumeRoleResult/Credentials/"

bool role_read_answer(struct span body, struct credentials_grant *ret, struct buf *ret_text,
                      struct error *err) {
    struct credentials_grant grant = {0};
    struct credentials *credentials = &grant.credentials;
    struct span expiration = {0};
    (void)buf_reserve(ret_text, body.len); /* so that no span moves: the leaves are no longer */
    if (!append_leaf(body, CREDENTIALS_AT "AccessKeyId", ret_text, &credentials->access_key_id,
                     err) ||
        !append_leaf(body, CREDENTIALS_AT "SecretAccessKey", ret_text,
                     &credentials->secret_access_key, err) ||
        !append_leaf(body, CREDENTIALS_AT "SessionToken", ret_text, &credentials->session_token,
                     err) ||
        !append_leaf(body, CREDENTIALS_AT "Expiration", ret_text, &expiration, err)) {
        return false;
    }
    if (!timestamp_read(expiration, &grant.expires_wall_ms)) {
        return error_set(err, ERR_INVALID, "the Expiration of the credentials cannot be read");
    }
    *ret = grant;
    return true;
}

static void explain(const struct aws_answer *answer, struct error *err) {
    enum error_code code = ERR_UNAVAILABLE;
    if (answer->verdict == AWS_MISCONFIGURED || answer->verdict == AWS_REFUSED) {
        code = ERR_REFUSED;
    }
    if (!answer->was_sent) {
        error_set(err, code, "%s", answer->error_message);
    } else if (answer->status == 0) {
        error_set(err, code, "EXTENSION_LOG_ROLE_ARN: no answer from STS: %s",
                  answer->error_message);
    } else {
        error_set(err, code, "EXTENSION_LOG_ROLE_ARN cannot be assumed: HTTP status %d %s: %s",
                  answer->status, answer->error_code, answer->error_message);
    }
}

static void on_answer(void *context, const struct aws_answer *answer) {
    struct credentials_role *self = context;
    CLEANUP(buf_done) struct buf text = buf_with_ceiling(CREDENTIALS_BYTES_MAX);
    struct credentials_grant grant = {0};
    struct error err = {0};
    bool granted = false;
    aws_client_mend(&self->client, answer->verdict, answer->server_wall_ms);
    if (answer->verdict == AWS_OK) {
        granted = role_read_answer(answer->body, &grant, &text, &err);
    } else {
        explain(answer, &err);
    }
    self->done(self->context, granted ? &grant : NULL, &err);
}

/* --- the provider --- */

static bool fetch(struct credentials_provider *provider, credentials_granted_fn done, void *context,
                  struct error *err) {
    struct credentials_role *self = (struct credentials_role *)provider;
    if (!write_body(self, err)) {
        return false;
    }
    const struct aws_request request = {
        .content_type = "application/x-www-form-urlencoded; charset=utf-8",
        .body = buf_span(&self->body),
        .time_limit_ms = CALL_LIMIT_MS,
    };
    self->done = done;
    self->context = context;
    return aws_call_start(&self->client, &request, &self->call, on_answer, self, err);
}

static void cancel(struct credentials_provider *provider) {
    aws_call_cancel(&((struct credentials_role *)provider)->call);
}

void credentials_role_init(struct credentials_role *self, const struct role_settings *settings,
                           struct credentials_source *source, struct http_client *http,
                           const struct clock *clock) {
    *self = (struct credentials_role){
        .provider = {.fetch = fetch, .cancel = cancel},
        .client =
            {
                .http = http,
                .clock = clock,
                .credentials = source,
                .endpoint = settings->endpoint,
                .service = "sts",
                .single_use = true, /* the next call comes when this one's would be closed */
            },
        .settings = *settings,
        .body = buf_with_ceiling(BODY_BYTES_MAX),
    };
}

void credentials_role_done(struct credentials_role *self) { buf_done(&self->body); }
