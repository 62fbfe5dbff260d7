// SPDX-License-Identifier: MIT
/* credentials_container with a fake in the place of the http_client. Every program here is linked
 * with the real one, so the module is compiled into this one again, under names of its own. */
#define http_client_start fake_http_client_start
#define http_client_cancel fake_http_client_cancel
#define container_is_wanted tested_container_is_wanted
#define container_check tested_container_check
#define container_read_answer tested_container_read_answer
#define credentials_container_init tested_credentials_container_init
#include "../../../src/aws/credentials_container.c" // NOLINT(bugprone-suspicious-include)

#include "../scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void only_hosts_that_may_have_the_token_are_asked(void **state) {
    (void)state;
    static const struct {
        const char *full_uri, *relative_uri;
        bool allowed;
    } cases[] = {
        {"http://127.0.0.1:9001/2021-04-23/credentials", "", true},
        {"http://127.255.0.1/x", "", true},
        {"http://LOCALHOST/x?a=b", "", true},
        {"http://[::1]:80/", "", true},
        {"http://169.254.170.2/x", "", true},
        {"http://169.254.170.23/v1/credentials", "", true},
        {"http://[fd00:ec2::23]/x", "", true},
        {"https://example.org/x", "", true},
        {"", "/v2/credentials/abc", true},
        {"http://example.org/", "/goes-first", true},
        {"http://example.org/x", "", false},
        {"http://169.254.169.254/latest", "", false},
        {"http://127.0.0.1.example.org/", "", false},
        {"http://127.0.0/", "", false},
        {"http://128.0.0.1/", "", false},
        {"http://127.0.0.256/", "", false},
        {"http://localhost@example.org/", "", false},
        {"http://user:hush-hush@localhost/", "", false},
        {"ftp://localhost/", "", false},
        {"localhost/x", "", false},
        {"http://local host/", "", false},
        {"", "v2/credentials", false},
        {"", "@example.org/", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct container_settings settings = {
            .full_uri = span_of_text(cases[i].full_uri),
            .relative_uri = span_of_text(cases[i].relative_uri),
        };
        struct error err = {0};
        assert_true(container_is_wanted(&settings));
        if (container_check(&settings, &err) != cases[i].allowed) {
            fail_msg("%s%s: %s", cases[i].full_uri, cases[i].relative_uri, err.message);
        }
        assert_null(strstr(err.message, "hush"));
    }
    const struct container_settings none = {.token = SPAN("token")};
    assert_false(container_is_wanted(&none));
}

static void an_answer_gives_credentials_and_their_expiry(void **state) {
    (void)state;
    static const struct {
        const char *body;
        int64_t expires_wall_ms;
    } cases[] = {
        {"{\"AccessKeyId\":\"AKID\",\"SecretAccessKey\":\"s/+=\",\"Token\":\"t==\","
         "\"Expiration\":\"2026-03-14T15:09:26Z\",\"More\":[1]}",
         1773500966000},
        {"{\"AccessKeyId\":\"AKID\",\"SecretAccessKey\":\"s/+=\",\"Token\":\"t==\"}", INT64_MAX},
        {"{\"AccessKeyId\":\"AKID\",\"SecretAccessKey\":\"s/+=\",\"Token\":\"t==\","
         "\"Expiration\":17}",
         INT64_MAX},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CLEANUP(buf_done) struct buf text = buf_with_ceiling(CREDENTIALS_BYTES_MAX);
        struct credentials_grant grant = {0};
        assert_true(container_read_answer(span_of_text(cases[i].body), &grant, &text, NULL));
        assert_true(span_equals(grant.credentials.access_key_id, SPAN("AKID")));
        assert_true(span_equals(grant.credentials.secret_access_key, SPAN("s/+=")));
        assert_true(span_equals(grant.credentials.session_token, SPAN("t==")));
        assert_int_equal(grant.expires_wall_ms, cases[i].expires_wall_ms);
    }
}

static void anything_else_is_refused_and_not_repeated(void **state) {
    (void)state;
    static const char *const bodies[] = {
        "",
        "[]",
        "{\"AccessKeyId\":\"AKID\"",
        "{\"AccessKeyId\":\"AKID\",\"Token\":\"hush\"}",
        "{\"AccessKeyId\":7,\"SecretAccessKey\":\"hush\"}",
        "{\"SecretAccessKey\":\"hush\"}",
    };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        CLEANUP(buf_done) struct buf text = buf_with_ceiling(CREDENTIALS_BYTES_MAX);
        struct credentials_grant grant;
        struct error err = {0};
        assert_false(container_read_answer(span_of_text(bodies[i]), &grant, &text, &err));
        assert_null(strstr(err.message, "hush"));
    }
}

static void a_token_that_cannot_be_sent_is_no_token(void **state) {
    (void)state;
    static const char path[CONTAINER_PATH_BYTES] = "";
    const struct container_settings cases[] = {
        {.token = SPAN("hush\nX-Forged: 1")},
        {.token = SPAN("hush\rX-Forged: 1")},
        {.token_file = span_of(path, sizeof path)},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct container_settings settings = cases[i];
        struct error err = {0};
        settings.full_uri = SPAN("http://localhost/");
        assert_false(container_check(&settings, &err));
        assert_null(strstr(err.message, "hush"));
    }
}

/* ---- what is asked, and what comes of the answer ---- */

struct http_exchange {
    int unused;
};

struct http_client {
    struct http_exchange exchange;
    int starts;
    int cancels;
    char url[256];
    char headers[256]; /* each ended by a newline */
    struct http_request request;
    http_done_fn done;
    void *context;
};

struct http_exchange *http_client_start(struct http_client *client,
                                        const struct http_request *request, http_done_fn done,
                                        void *context, struct error *err) {
    (void)err;
    client->starts++;
    client->headers[0] = '\0';
    for (size_t i = 0; i < request->header_count; i++) {
        size_t length = strlen(client->headers);
        (void)snprintf(client->headers + length, sizeof client->headers - length, "%.*s\n",
                       SPAN_ARGS(request->headers[i]));
    }
    (void)snprintf(client->url, sizeof client->url, "%s", request->url);
    client->request = *request;
    client->done = done;
    client->context = context;
    return &client->exchange;
}

void http_client_cancel(struct http_client *client, struct http_exchange *exchange) {
    client->cancels += exchange == &client->exchange;
}

struct fixture {
    struct http_client http;
    struct credentials_container container;
    int grants;
    int failures;
    char id[64];
    struct error error;
};

static struct fixture f;

static int set_up(void **state) {
    (void)state;
    memset(&f, 0, sizeof f);
    return 0;
}

static void on_granted(void *context, const struct credentials_grant *grant,
                       const struct error *err) {
    assert_ptr_equal(context, &f);
    assert_null(f.container.exchange);
    if (grant == NULL) {
        f.failures++;
        f.error = *err;
    } else {
        f.grants++;
        (void)snprintf(f.id, sizeof f.id, "%.*s", SPAN_ARGS(grant->credentials.access_key_id));
    }
}

static bool fetch_from(struct container_settings settings, struct error *err) {
    credentials_container_init(&f.container, &settings, &f.http);
    struct credentials_provider *provider = &f.container.provider;
    return provider->fetch(provider, on_granted, &f, err);
}

static void the_endpoint_is_asked_directly_and_with_the_token(void **state) {
    (void)state;
    assert_true(fetch_from(
        (struct container_settings){
            .full_uri = SPAN("http://127.0.0.1:9001/2021-04-23/credentials"),
            .token = SPAN("a token"),
        },
        NULL));
    assert_string_equal(f.http.url, "http://127.0.0.1:9001/2021-04-23/credentials");
    assert_string_equal(f.http.request.method, "GET");
    assert_string_equal(f.http.headers, "Accept: application/json\nAuthorization: a token\n");
    assert_false(f.http.request.use_proxy);
    assert_true(f.http.request.single_use);
    assert_true(f.http.request.time_limit_ms > 0);
}

static void a_relative_uri_is_one_of_the_known_address_and_goes_first(void **state) {
    (void)state;
    assert_true(fetch_from(
        (struct container_settings){
            .relative_uri = SPAN("/v2/credentials/abc"),
            .full_uri = SPAN("http://localhost/"),
        },
        NULL));
    assert_string_equal(f.http.url, "http://169.254.170.2/v2/credentials/abc");
    assert_string_equal(f.http.headers, "Accept: application/json\n");
}

static void the_token_file_goes_first_and_is_read_for_each_fetch(void **state) {
    (void)state;
    const char *path = (scratch_make(), scratch_path("token"));
    const struct container_settings settings = {
        .full_uri = SPAN("http://localhost/"),
        .token = SPAN("not this one"),
        .token_file = span_of_text(path),
    };
    struct error err = {0};
    assert_false(fetch_from(settings, &err));
    assert_int_equal(err.code, ERR_INVALID);
    assert_non_null(strstr(err.message, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"));
    scratch_write(path, SPAN("one\nX-Forged: 1"));
    assert_false(fetch_from(settings, &err));
    scratch_write(path, SPAN("one\n"));
    assert_true(fetch_from(settings, NULL));
    assert_non_null(strstr(f.http.headers, "Authorization: one\n"));
    scratch_write(path, SPAN("two"));
    assert_true(f.container.provider.fetch(&f.container.provider, on_granted, &f, NULL));
    assert_non_null(strstr(f.http.headers, "Authorization: two\n"));
    scratch_remove();
}

static void answer_with(struct http_answer answer) {
    assert_true(
        fetch_from((struct container_settings){.full_uri = SPAN("http://localhost/")}, NULL));
    f.http.done(f.http.context, &answer);
}

static void an_answer_is_handed_on(void **state) {
    (void)state;
    answer_with((struct http_answer){
        .answered = true,
        .status = 200,
        .body = SPAN("{\"AccessKeyId\":\"AKID\",\"SecretAccessKey\":\"s\",\"Token\":\"t\"}"),
    });
    assert_int_equal(f.grants, 1);
    assert_string_equal(f.id, "AKID");
}

static void what_went_wrong_is_handed_on(void **state) {
    (void)state;
    answer_with(
        (struct http_answer){.error = {.code = ERR_SYSTEM, .message = "no answer within 2000 ms"}});
    assert_int_equal(f.error.code, ERR_SYSTEM);
    assert_non_null(strstr(f.error.message, "no answer within 2000 ms"));
    answer_with((struct http_answer){.answered = true, .status = 404, .body = SPAN("{}")});
    assert_int_equal(f.error.code, ERR_UNAVAILABLE);
    assert_non_null(strstr(f.error.message, "HTTP status 404"));
    answer_with((struct http_answer){.answered = true, .status = 200, .body = SPAN("{}")});
    assert_int_equal(f.error.code, ERR_INVALID);
    assert_int_equal(f.failures, 3);
    assert_int_equal(f.grants, 0);
}

static void a_fetch_can_be_cancelled(void **state) {
    (void)state;
    assert_true(
        fetch_from((struct container_settings){.full_uri = SPAN("http://localhost/")}, NULL));
    f.container.provider.cancel(&f.container.provider);
    assert_int_equal(f.http.cancels, 1);
    assert_null(f.container.exchange);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_hosts_that_may_have_the_token_are_asked),
        cmocka_unit_test(an_answer_gives_credentials_and_their_expiry),
        cmocka_unit_test(anything_else_is_refused_and_not_repeated),
        cmocka_unit_test(a_token_that_cannot_be_sent_is_no_token),
        cmocka_unit_test_setup(the_endpoint_is_asked_directly_and_with_the_token, set_up),
        cmocka_unit_test_setup(a_relative_uri_is_one_of_the_known_address_and_goes_first, set_up),
        cmocka_unit_test_setup(the_token_file_goes_first_and_is_read_for_each_fetch, set_up),
        cmocka_unit_test_setup(an_answer_is_handed_on, set_up),
        cmocka_unit_test_setup(what_went_wrong_is_handed_on, set_up),
        cmocka_unit_test_setup(a_fetch_can_be_cancelled, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
