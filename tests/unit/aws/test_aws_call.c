// SPDX-License-Identifier: MIT
/* aws_call with a fake in the place of the http_client. Every program here is linked with the real
 * one, so the module is compiled into this one again, under names of its own. */
#define http_client_start fake_http_client_start
#define http_client_cancel fake_http_client_cancel
#define http_answer_header fake_http_answer_header
#define aws_call_start tested_aws_call_start
#define aws_call_cancel tested_aws_call_cancel
#include "../../../src/aws/aws_call.c" // NOLINT(bugprone-suspicious-include)

#include "aws/credentials_environment.h"
#include "vector_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- the fake ---- */

enum { SENT_BYTES_MAX = 8192 };

struct http_exchange {
    int unused;
};

struct http_client {
    struct http_exchange exchange;
    bool refuses;
    char url[ENDPOINT_URL_BYTES];
    char headers[SENT_BYTES_MAX]; /* each ended by a newline */
    struct http_request request;
    http_done_fn done;
    void *context;
    const struct http_exchange *cancelled;
    const struct sigv4_header *answer_headers;
    size_t answer_header_count;
};

static struct http_client *client_of_exchange;

struct http_exchange *http_client_start(struct http_client *client,
                                        const struct http_request *request, http_done_fn done,
                                        void *context, struct error *err) {
    if (client->refuses) {
        (void)error_set(err, ERR_INVALID, "the URL cannot be read");
        return NULL;
    }
    char *end = client->headers;
    for (size_t i = 0; i < request->header_count; i++) {
        end += snprintf(end, SENT_BYTES_MAX - (size_t)(end - client->headers), "%.*s\n",
                        SPAN_ARGS(request->headers[i]));
    }
    (void)snprintf(client->url, sizeof client->url, "%s", request->url);
    client->request = *request;
    client->done = done;
    client->context = context;
    client_of_exchange = client;
    return &client->exchange;
}

void http_client_cancel(struct http_client *client, struct http_exchange *exchange) {
    client->cancelled = exchange;
}

struct span http_answer_header(const struct http_answer *answer, const char *name) {
    (void)answer;
    for (size_t i = 0; i < client_of_exchange->answer_header_count; i++) {
        const struct sigv4_header *header = &client_of_exchange->answer_headers[i];
        if (span_equals_ignoring_case(header->name, span_of_text(name))) {
            return header->value;
        }
    }
    return span_of(NULL, 0);
}

/* ---- a client at a known time ---- */

static int64_t fixed_wall_ms(const struct clock *self) {
    (void)self;
    return 1773500966536; /* 2026-03-14T15:09:26.536Z */
}

static const struct clock fixed_clock = {.monotonic_ms = fixed_wall_ms, .wall_ms = fixed_wall_ms};

struct fixture {
    struct http_client http;
    struct credentials_environment environment;
    struct aws_client client;
    struct aws_call call;
    struct aws_answer answer;
    int answers;
};

static void on_done(void *context, const struct aws_answer *answer) {
    struct fixture *f = context;
    f->answer = *answer;
    f->answers++;
    assert_null(f->call.exchange); /* so that the next call may start from here */
}

static int create_fixture(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    if (f == NULL || !crypto_init(NULL)) {
        return -1;
    }
    credentials_environment_init(
        &f->environment,
        (struct credentials){SPAN("AKIDEXAMPLE"), SPAN("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
                             SPAN("IQoJb3JpZ2luX2VjEXAMPLETOKEN//////////"
                                  "wEaCXVzLWVhc3QtMSJHMEUCIQDEXAMPLE+abc/def==")});
    f->client = (struct aws_client){.http = &f->http,
                                    .clock = &fixed_clock,
                                    .credentials = &f->environment.source,
                                    .service = "kinesis"};
    const struct endpoint_options options = {.service = "kinesis", .region = SPAN("eu-central-1")};
    *state = f;
    return endpoint_resolve(&options, &f->client.endpoint, NULL) ? 0 : -1;
}

static int destroy_fixture(void **state) {
    free(*state);
    return 0;
}

static bool start(struct fixture *f, struct span body, struct error *err) {
    const struct aws_request request = {.target = "Kinesis_20131202.PutRecords",
                                        .content_type = "application/x-amz-json-1.1",
                                        .body = body,
                                        .time_limit_ms = 4321,
                                        .fresh_connection = true};
    return aws_call_start(&f->client, &request, &f->call, on_done, f, err);
}

static void answer_with(struct fixture *f, int status, const char *body,
                        const struct sigv4_header *headers, size_t header_count) {
    assert_true(start(f, SPAN("{}"), NULL));
    f->http.answer_headers = headers;
    f->http.answer_header_count = header_count;
    const struct http_answer answer = {.answered = true,
                                       .status = status,
                                       .body = span_of_text(body),
                                       .connection_was_reused = true,
                                       .exchange = &f->http.exchange};
    f->http.done(f->http.context, &answer);
}

/* ---- requests ---- */

static void sends_what_botocore_would_send(void **state) {
    struct fixture *f = *state;
    cJSON *file = read_vector_json("tests/data/sigv4/generated-vectors.json");
    const cJSON *vector = cJSON_GetArrayItem(cJSON_GetObjectItem(file, "vectors"), 0);
    assert_string_equal(vector_text(vector, "name"), "kinesis-putrecords-session-token");
    struct span body =
        span_of_text(vector_text(cJSON_GetObjectItem(vector, "request"), "body_utf8"));
    assert_true(start(f, body, NULL));

    char expected[SENT_BYTES_MAX];
    const cJSON *headers = cJSON_GetObjectItem(vector, "signed_headers");
    (void)snprintf(expected, sizeof expected,
                   "Content-Type: %s\nX-Amz-Date: %s\nX-Amz-Target: %s\n"
                   "X-Amz-Security-Token: %s\nAuthorization: %s\n",
                   vector_text(headers, "Content-Type"), vector_text(headers, "X-Amz-Date"),
                   vector_text(headers, "X-Amz-Target"),
                   vector_text(headers, "X-Amz-Security-Token"),
                   vector_text(headers, "Authorization"));
    assert_string_equal(f->http.headers, expected);
    assert_string_equal(f->http.url, "https://kinesis.eu-central-1.amazonaws.com");
    assert_string_equal(f->http.request.method, "POST");
    assert_ptr_equal(f->http.request.body.ptr, body.ptr);
    assert_int_equal(f->http.request.time_limit_ms, 4321);
    assert_true(f->http.request.use_proxy);
    assert_true(f->http.request.fresh_connection);
    assert_ptr_equal(f->call.exchange, &f->http.exchange);
    cJSON_Delete(file);
}

static void sends_no_token_and_no_target_when_there_is_none(void **state) {
    struct fixture *f = *state;
    f->environment.credentials.session_token = span_of(NULL, 0);
    const struct aws_request request = {.content_type = "application/x-www-form-urlencoded"};
    assert_true(aws_call_start(&f->client, &request, &f->call, on_done, f, NULL));
    assert_null(strstr(f->http.headers, "X-Amz-Security-Token"));
    assert_null(strstr(f->http.headers, "X-Amz-Target"));
    assert_non_null(strstr(f->http.headers, "SignedHeaders=content-type;host;x-amz-date,"));
}

static void signs_with_the_clock_of_the_service_once_it_is_known(void **state) {
    struct fixture *f = *state;
    f->client.clock_offset_ms = 10 * 60 * 1000;
    assert_true(start(f, SPAN("{}"), NULL));
    assert_non_null(strstr(f->http.headers, "X-Amz-Date: 20260314T151926Z\n"));
}

static void leaves_no_connection_behind_when_that_is_wanted(void **state) {
    struct fixture *f = *state;
    assert_true(start(f, SPAN("{}"), NULL));
    assert_false(f->http.request.single_use);
    f->client.single_use = true;
    assert_true(start(f, SPAN("{}"), NULL));
    assert_true(f->http.request.single_use);
}

static void does_not_start_without_credentials(void **state) {
    struct fixture *f = *state;
    f->environment.credentials.secret_access_key = span_of(NULL, 0);
    struct error err = {0};
    assert_false(start(f, SPAN("{}"), &err));
    assert_int_equal(err.code, ERR_INVALID);
    assert_null(f->call.exchange);
}

/* Credentials that come later: who signs waits for them. */
struct late_source {
    struct credentials_source source; /* first */
    struct credentials_waiter *waiters;
    enum credentials_answer answer;
};

static enum credentials_answer late_current(struct credentials_source *source,
                                            struct credentials *ret,
                                            struct credentials_waiter *waiter, struct error *err) {
    struct late_source *self = (struct late_source *)source;
    *ret = (struct credentials){SPAN("AKIDLATE"), SPAN("secret"), {0}};
    if (self->answer == CREDENTIALS_PENDING) {
        credentials_wait(&self->waiters, waiter);
    } else if (self->answer == CREDENTIALS_NONE) {
        (void)error_set(err, ERR_REFUSED, "the role is not yours");
    }
    return self->answer;
}

static struct late_source credentials_to_come(void) {
    return (struct late_source){.source = {.current = late_current}, .answer = CREDENTIALS_PENDING};
}

static void is_sent_when_the_credentials_have_come(void **state) {
    struct fixture *f = *state;
    struct late_source late = credentials_to_come();
    f->client.credentials = &late.source;
    assert_true(start(f, SPAN("{}"), NULL));
    assert_null(f->call.exchange);
    credentials_wake_all(&late.waiters); /* somebody else's news: it waits on */
    assert_null(f->call.exchange);
    late.answer = CREDENTIALS_READY;
    credentials_wake_all(&late.waiters);
    assert_ptr_equal(f->call.exchange, &f->http.exchange);
    assert_non_null(strstr(f->http.headers, "Credential=AKIDLATE/"));
    assert_null(late.waiters);
}

static void is_done_unsent_when_no_credentials_come(void **state) {
    struct fixture *f = *state;
    struct late_source late = credentials_to_come();
    f->client.credentials = &late.source;
    assert_true(start(f, SPAN("{}"), NULL));
    late.answer = CREDENTIALS_NONE;
    credentials_wake_all(&late.waiters);
    assert_int_equal(f->answers, 1);
    assert_false(f->answer.was_sent);
    assert_int_equal(f->answer.verdict, AWS_MISCONFIGURED);
    assert_string_equal(f->answer.error_message, "the role is not yours");
}

static void a_call_that_waits_for_credentials_can_be_cancelled(void **state) {
    struct fixture *f = *state;
    struct late_source late = credentials_to_come();
    f->client.credentials = &late.source;
    assert_true(start(f, SPAN("{}"), NULL));
    aws_call_cancel(&f->call);
    assert_null(late.waiters);
    late.answer = CREDENTIALS_READY;
    credentials_wake_all(&late.waiters);
    assert_null(f->call.exchange);
    assert_int_equal(f->answers, 0);
}

static void does_not_start_with_a_token_that_would_forge_headers(void **state) {
    struct fixture *f = *state;
    f->environment.credentials.session_token = SPAN("token\r\nX-Evil: 1");
    struct error err = {0};
    assert_false(start(f, SPAN("{}"), &err));
    assert_int_equal(err.code, ERR_INVALID);
    assert_null(strstr(err.message, "token"));
    assert_string_equal(f->http.headers, "");
}

static void passes_on_why_the_exchange_did_not_start(void **state) {
    struct fixture *f = *state;
    f->http.refuses = true;
    struct error err = {0};
    assert_false(start(f, SPAN("{}"), &err));
    assert_int_equal(err.code, ERR_INVALID);
    assert_null(f->call.exchange);
    assert_int_equal(f->answers, 0);
}

static void a_cancelled_call_runs_no_more(void **state) {
    struct fixture *f = *state;
    assert_true(start(f, SPAN("{}"), NULL));
    aws_call_cancel(&f->call);
    assert_ptr_equal(f->http.cancelled, &f->http.exchange);
    assert_null(f->call.exchange);
    f->http.cancelled = NULL;
    aws_call_cancel(&f->call);
    assert_null(f->http.cancelled);
    assert_int_equal(f->answers, 0);
}

/* ---- answers ---- */

static void success_hands_over_the_body(void **state) {
    struct fixture *f = *state;
    static const char body[] = "{\"FailedRecordCount\":0,\"__type\":\"NotAnError\"}";
    answer_with(f, 200, body, NULL, 0);
    assert_int_equal(f->answers, 1);
    assert_int_equal(f->answer.verdict, AWS_OK);
    assert_int_equal(f->answer.status, 200);
    assert_ptr_equal(f->answer.body.ptr, body);
    assert_string_equal(f->answer.error_code, "");
}

static void an_error_is_read_and_judged(void **state) {
    struct fixture *f = *state;
    static const struct sigv4_header headers[] = {
        {{"Date", 4}, {"Sat, 14 Mar 2026 15:20:00 GMT", 29}},
        {{"x-amz-retry-after", 17}, {"1500", 4}},
    };
    answer_with(f, 400,
                "{\"__type\":\"com.amazonaws.kinesis#InvalidSignatureException\",\"message\":"
                "\"Signature expired: 20260314T150926Z is now earlier than 20260314T151500Z\"}",
                headers, 2);
    assert_int_equal(f->answer.verdict, AWS_CLOCK_SKEW);
    assert_string_equal(f->answer.error_code, "InvalidSignatureException");
    assert_memory_equal(f->answer.error_message, "Signature expired", 17);
    assert_true(f->answer.server_wall_ms == 1773501600000);
    assert_int_equal(f->answer.retry_after_ms, 1500);
    assert_true(f->answer.connection_was_reused);
}

static void an_error_in_cbor_is_read_by_its_content_type(void **state) {
    struct fixture *f = *state;
    static const struct sigv4_header headers[] = {
        {{"Content-Type", 12}, {"application/x-amz-cbor-1.1", 26}},
    };
    answer_with(f, 400, "\xa2\x66__type\x78\x19ResourceNotFoundException\x67message\x67no such",
                headers, 1);
    assert_int_equal(f->answer.format, AWS_CBOR);
    assert_int_equal(f->answer.verdict, AWS_MISCONFIGURED);
    assert_string_equal(f->answer.error_code, "ResourceNotFoundException");
    assert_string_equal(f->answer.error_message, "no such");
    answer_with(f, 400, "{\"__type\":\"ThrottlingException\"}", headers, 1);
    assert_int_equal(f->answer.format, AWS_JSON);
    assert_int_equal(f->answer.verdict, AWS_THROTTLED);
}

static void the_header_names_the_error_when_the_body_does_not(void **state) {
    struct fixture *f = *state;
    static const struct sigv4_header headers[] = {
        {{"X-Amzn-ErrorType", 16}, {"ThrottlingException:http://internal/", 36}}};
    answer_with(f, 400, "<html>", headers, 1);
    assert_int_equal(f->answer.verdict, AWS_THROTTLED);
    assert_string_equal(f->answer.error_code, "ThrottlingException");
}

static void odd_headers_are_taken_for_none(void **state) {
    struct fixture *f = *state;
    static const char *const retry_after[] = {"",       "-1", "1.5", "soon", "99999999999999999999",
                                              "3600001"};
    for (size_t i = 0; i < sizeof retry_after / sizeof retry_after[0]; i++) {
        const struct sigv4_header headers[] = {
            {SPAN("x-amz-retry-after"), span_of_text(retry_after[i])},
            {SPAN("Date"), SPAN("yesterday")}};
        answer_with(f, 503, "", headers, 2);
        assert_int_equal(f->answer.retry_after_ms, 0);
        assert_int_equal(f->answer.server_wall_ms, 0);
        assert_int_equal(f->answer.verdict, AWS_TRANSIENT);
    }
}

static void no_answer_is_transient_and_says_why(void **state) {
    struct fixture *f = *state;
    assert_true(start(f, SPAN("{}"), NULL));
    struct http_answer answer = {.answered = false, .connection_was_reused = true};
    (void)error_set(&answer.error, ERR_UNAVAILABLE, "connection reset by peer");
    f->http.done(f->http.context, &answer);
    assert_int_equal(f->answer.verdict, AWS_TRANSIENT);
    assert_int_equal(f->answer.status, 0);
    assert_string_equal(f->answer.error_code, "");
    assert_string_equal(f->answer.error_message, "connection reset by peer");
    assert_true(f->answer.connection_was_reused);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, create_fixture, destroy_fixture)
    const struct CMUnitTest tests[] = {
        TEST(sends_what_botocore_would_send),
        TEST(sends_no_token_and_no_target_when_there_is_none),
        TEST(signs_with_the_clock_of_the_service_once_it_is_known),
        TEST(leaves_no_connection_behind_when_that_is_wanted),
        TEST(does_not_start_without_credentials),
        TEST(is_sent_when_the_credentials_have_come),
        TEST(is_done_unsent_when_no_credentials_come),
        TEST(a_call_that_waits_for_credentials_can_be_cancelled),
        TEST(does_not_start_with_a_token_that_would_forge_headers),
        TEST(passes_on_why_the_exchange_did_not_start),
        TEST(a_cancelled_call_runs_no_more),
        TEST(success_hands_over_the_body),
        TEST(an_error_is_read_and_judged),
        TEST(an_error_in_cbor_is_read_by_its_content_type),
        TEST(the_header_names_the_error_when_the_body_does_not),
        TEST(odd_headers_are_taken_for_none),
        TEST(no_answer_is_transient_and_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
