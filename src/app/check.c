// SPDX-License-Identifier: MIT
#include "app/check.h"

#include "app/client.h"
#include "app/config.h"
#include "app/shipping.h"
#include "app/version.h"
#include "aws/caller_identity.h"
#include "base/crypto.h"
#include "net/url.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>

enum {
    IDENTITY_LIMIT_MS = 6000,
    DELIVERY_LIMIT_MS = 8000,
    SHOWN_KEY_END = 4, /* characters of an access key id, enough to tell it from others … */
    SHOWN_KEY_MIN = 9, /* … where it has so many, as real ones have */
    REASON_BYTES = 512,
};

struct check {
    FILE *out;
    struct config config;
    const struct clock *clock;
    struct http_client *http;
    struct shipping shipping;
    struct lambda_function function;
    struct aws_client sts;
    bool identity_asked;
    unsigned faults;           /* found so far */
    char reason[REASON_BYTES]; /* of the last trouble with the delivery */
};

/* --- what is said --- */

static void print_heading(struct check *check, const char *text) {
    (void)fprintf(check->out, "%s\n", text);
}

static void print_member(struct check *check, const char *name, struct span value) {
    (void)fprintf(check->out, "  %-31s %.*s\n", name, SPAN_ARGS(value));
}

static void print_fault(struct check *check, const char *text) {
    check->faults++;
    (void)fprintf(check->out, "  WOULD FAIL: %s\n", text);
}

/* What helps against a trouble, by a word of its description. */
static const struct {
    const char *word;
    const char *advice;
} helps[] = {
    {"AWS_ACCESS_KEY_ID is not set", "run this with the variables of a function, or with "
                                     "credentials of your own"},
    {"cannot be assumed", "the function's role has to be allowed sts:AssumeRole on that role, and "
                          "named in its trust policy, with the same external id"},
    {"AccessDenied", "its policy has to allow kinesis:PutRecords on the stream; another account's "
                     "stream needs a policy, too"},
    {"ResourceNotFound", "there is no such stream in this account and region: correct the name, or "
                         "give the stream's ARN"},
    {"KMS", "the stream is encrypted: its key has to be usable, with kms:GenerateDataKey"},
    {"UnrecognizedClient", "the credentials are not known: take them from the function anew"},
    {"InvalidClientTokenId", "the credentials are not known: take them from the function anew"},
    {"ExpiredToken", "the credentials have expired: take them from the function anew"},
    {"Signature", "the secret is not that of the key, or something between here and AWS changes "
                  "requests"},
    {"no answer", "the endpoint is not reached: in a VPC it takes a NAT gateway or an endpoint for "
                  "the service; elsewhere, look at the proxy and the endpoint's URL"},
};

static void print_help(struct check *check, struct span trouble) {
    for (size_t i = 0; i < sizeof helps / sizeof helps[0]; i++) {
        if (span_find(trouble, span_of_text(helps[i].word)) != NULL) {
            (void)fprintf(check->out, "              %s\n", helps[i].advice);
            return;
        }
    }
}

static void print_lines(struct check *check, const char *mark, const struct buf *lines) {
    struct span rest = buf_span(lines);
    while (rest.len > 0) {
        struct span line = span_cut(&rest, '\n');
        (void)fprintf(check->out, "  %s%.*s\n", mark, SPAN_ARGS(line));
    }
}

/* --- settings --- */

static bool read_config(struct check *check, char *const *environment) {
    CLEANUP(config_report_done) struct config_report report = config_report_empty();
    print_heading(check, "Settings");
    bool is_good = config_read(environment, &check->config, &report);
    config_print_values(environment, check->out);
    print_lines(check, "warning: ", &report.warnings);
    print_lines(check, "WOULD FAIL: ", &report.errors);
    check->faults += !is_good;
    check->config.spool_bytes = 0; /* a check leaves nothing on disk */
    return is_good;
}

/* --- where it goes --- */

/* User and password are left out. */
static void print_proxy(struct check *check, const char *name, struct span text) {
    struct url url;
    if (text.len == 0 || !url_split(text, &url)) {
        return;
    }
    const char *hidden = url.user_info.ptr == NULL ? "" : "***@";
    const char *scheme_end = url.scheme.len > 0 ? "://" : "";
    (void)fprintf(check->out, "  %-31s %.*s%s%s%.*s%s%.*s\n", name, SPAN_ARGS(url.scheme),
                  scheme_end, hidden, SPAN_ARGS(url.host), url.port.len > 0 ? ":" : "",
                  SPAN_ARGS(url.port));
}

static void print_destination(struct check *check) {
    const struct config *config = &check->config;
    print_heading(check, "Kinesis");
    print_member(check, "stream", config->stream);
    print_member(check, "region", span_of_text(config->endpoint.region));
    print_member(check, "endpoint", span_of_text(config->endpoint.url));
    print_proxy(check, "proxy for https", config->proxies.for_https);
    print_proxy(check, "proxy for http", config->proxies.for_http);
    if (config->proxies.bypass.len > 0) {
        print_member(check, "without a proxy", config->proxies.bypass);
    }
    if (config->ca_file.len > 0) {
        print_member(check, "certificates believed", config->ca_file);
    }
}

/* --- who writes --- */

static void print_masked_key(struct check *check, struct span key) {
    size_t hidden = key.len >= SHOWN_KEY_MIN ? key.len - SHOWN_KEY_END : key.len;
    (void)fprintf(check->out, "  %-31s ***%.*s\n", "AWS_ACCESS_KEY_ID",
                  SPAN_ARGS(span_skip(key, hidden)));
}

static void print_source(struct check *check) {
    const struct credentials_settings *settings = &check->config.credentials;
    const struct credentials *variables = &settings->environment;
    if (container_is_wanted(&settings->container)) {
        print_member(check, "source", SPAN("the endpoint in AWS_CONTAINER_CREDENTIALS_*_URI"));
    } else {
        print_member(check, "source", SPAN("environment variables"));
    }
    if (variables->access_key_id.len > 0) {
        print_masked_key(check, variables->access_key_id);
        print_member(check, "AWS_SECRET_ACCESS_KEY",
                     variables->secret_access_key.len > 0 ? SPAN("(set)") : SPAN("(not set)"));
        print_member(check, "AWS_SESSION_TOKEN",
                     variables->session_token.len > 0 ? SPAN("(set)") : SPAN("(not set)"));
    }
    if (settings->role.arn.len > 0) {
        print_member(check, "role that is assumed with them", settings->role.arn);
    }
}

/* The extension itself asks STS only for a role that it is to assume. */
static void on_identity(void *context, struct span arn, const struct error *err) {
    struct check *check = context;
    check->identity_asked = false;
    if (arn.len > 0) {
        print_member(check, "identity", arn);
    } else if (err->code == ERR_UNAVAILABLE) {
        (void)fprintf(check->out, "  %-31s not known: %s\n", "identity", err->message);
    } else {
        print_fault(check, err->message);
        print_help(check, span_of_text(err->message));
    }
}

/* Runs the event loop once, until `until_ms` at most; false when that has come or it fails. */
static bool wait_once(struct check *check, int64_t until_ms) {
    struct error err = {0};
    int64_t left_ms = until_ms - clock_monotonic_ms(check->clock);
    if (left_ms <= 0) {
        return false;
    }
    if (!http_client_run(check->http, left_ms, &err)) {
        print_fault(check, err.message);
        return false;
    }
    return true;
}

static void ask_for_identity(struct check *check) {
    struct caller_identity identity;
    struct error err = {0};
    check->identity_asked = true;
    if (!caller_identity_ask(&identity, &check->sts, on_identity, check, &err)) {
        on_identity(check, span_of(NULL, 0), &err);
        return;
    }
    int64_t until_ms = clock_monotonic_ms(check->clock) + IDENTITY_LIMIT_MS;
    while (check->identity_asked && wait_once(check, until_ms)) {
    }
    if (check->identity_asked) {
        caller_identity_cancel(&identity);
        print_member(check, "identity", SPAN("not known: no answer from STS in time"));
    }
}

static void check_credentials(struct check *check) {
    print_heading(check, "Credentials");
    print_source(check);
    if (check->config.sts.url[0] == '\0') {
        print_member(check, "identity", SPAN("not known: there is no STS endpoint"));
        return;
    }
    check->sts = (struct aws_client){
        .http = check->http,
        .clock = check->clock,
        .credentials = credentials_chain_source(&check->shipping.credentials),
        .endpoint = check->config.sts,
        .service = "sts",
    };
    ask_for_identity(check);
}

/* --- the test record --- */

static void on_trouble(void *context, enum retry_pace pace, const char *reason) {
    struct check *check = context;
    (void)pace;
    (void)snprintf(check->reason, sizeof check->reason, "%s", reason);
}

static void on_event(void *context, enum event_kind kind, const struct event *event,
                     uint64_t position) {
    (void)context;
    (void)kind;
    (void)event;
    (void)position;
}

static bool push_test_event(struct check *check, struct error *err) {
    char time[CLOCK_TEXT_BYTES];
    struct buf body = buf_with_ceiling(1024);
    clock_format_iso8601(clock_wall_ms(check->clock), time);
    buf_append_format(&body,
                      "[{\"time\":\"%s\",\"type\":\"extension.check\",\"record\":{\"message\":"
                      "\"a test record\",\"version\":\"" VERSION "\"}}]",
                      time);
    bool pushed = !buf_failed(&body) && batch_queue_push(check->shipping.queue, &body, err);
    buf_done(&body);
    return pushed;
}

/* The first trouble ends it: what helps against it is for people, not for another try. */
static void deliver(struct check *check) {
    struct shipper *shipper = check->shipping.shipper;
    int64_t until_ms = clock_monotonic_ms(check->clock) + DELIVERY_LIMIT_MS;
    shipper_last_call(shipper, until_ms);
    do {
        shipper_pump(shipper);
    } while (!shipper_idle(shipper) && check->reason[0] == '\0' && wait_once(check, until_ms));
}

static void send_test_record(struct check *check) {
    struct error err = {0};
    print_heading(check, "Test record");
    if (!push_test_event(check, &err)) {
        print_fault(check, err.message);
        return;
    }
    deliver(check);
    if (shipper_ledger(check->shipping.shipper)->delivered.events > 0) {
        print_member(check, "extension.check", SPAN("delivered"));
        return;
    }
    print_fault(check, check->reason[0] == '\0' ? "no answer in time" : check->reason);
    print_help(check, span_of_text(check->reason));
}

/* --- from beginning to end --- */

static bool prepare(struct check *check, struct error *err) {
    const struct shipping_settings settings = {
        .config = &check->config,
        .function = &check->function,
        .http = check->http,
        .clock = check->clock,
        .events = {.context = check, .on_event = on_event},
        .troubles = {.context = check, .on_trouble = on_trouble},
    };
    return shipping_init(&check->shipping, &settings, err);
}

static void check_service(struct check *check, bool sends) {
    struct error err = {0};
    check->http = client_create(&check->config, check->clock, &err);
    if (check->http == NULL || !prepare(check, &err)) {
        print_fault(check, err.message);
        return;
    }
    check_credentials(check);
    if (sends) {
        send_test_record(check);
    }
}

static void check_done(struct check *check) {
    shipping_done(&check->shipping);
    http_client_destroy(check->http);
}

int check_run(char *const *environment, bool sends, const struct clock *clock, FILE *out) {
    CLEANUP(check_done) struct check check = {.out = out, .clock = clock};
    struct error err = {0};
    (void)signal(SIGPIPE, SIG_IGN);
    if (!crypto_init(&err)) {
        print_fault(&check, err.message);
    } else if (read_config(&check, environment)) {
        print_destination(&check);
        check_service(&check, sends);
    }
    (void)fprintf(out,
                  check.faults == 0 ? "Nothing was found that would fail.%s\n"
                                    : "The extension would fail with this.%s\n",
                  check.faults == 0 && !sends ? " (--check=send also sends a test record.)" : "");
    return check.faults == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
