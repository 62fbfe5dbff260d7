// SPDX-License-Identifier: MIT
#include "lambda/extensions_api.h"

#include "fake_platform.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ID "a1b2c3d4-5678-90ab-cdef-1234567890ab"

#define BOTH "\"INVOKE\",\"SHUTDOWN\""

static struct fake_platform platform;
static struct extensions_api api;

static int set_up(void **state) {
    (void)state;
    struct error err;
    fake_platform_start(&platform);
    return !extensions_api_init(&api, platform.client, platform.host, &err);
}

static int tear_down(void **state) {
    (void)state;
    fake_platform_stop(&platform);
    return 0;
}

static void register_as(const char *name) {
    struct lambda_function function;
    struct error err = {0};
    platform.headers = "Lambda-Extension-Identifier: " ID "\r\n";
    assert_true(extensions_api_register(&api, name, BOTH, &function, &err));
}

static void takes_a_host_and_a_port_and_nothing_else(void **state) {
    (void)state;
    const char *const good[] = {"127.0.0.1:9001", "localhost:1", "run-time_api.local:65535"};
    const char *const bad[] = {NULL,   "",         "host",          "host:",      ":9001",
                               "h:0",  "h:65536",  "h:9001/path",   "h:9001:1",   "u@h:9001",
                               "h :1", "h:1\r\nX", "http://h:9001", "h:9001?a=b", "h:9001#f",
                               "h:-1"};
    struct extensions_api other;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct error err = {0};
        assert_true(extensions_api_init(&other, platform.client, good[i], &err));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct error err = {0};
        assert_false(extensions_api_init(&other, platform.client, bad[i], &err));
        assert_int_equal(err.code, ERR_INVALID);
    }
    char too_long[LAMBDA_NAME_BYTES + 16];
    struct error err = {0};
    memset(too_long, 'h', sizeof too_long);
    (void)snprintf(too_long + LAMBDA_NAME_BYTES, 16, ":9001");
    assert_false(extensions_api_init(&other, platform.client, too_long, &err));
}

static void registers_for_both_events_and_learns_about_the_function(void **state) {
    (void)state;
    struct lambda_function function;
    struct error err = {0};
    platform.headers = "lambda-extension-identifier: " ID "\r\n";
    platform.body = "{\"functionName\":\"orders\",\"functionVersion\":\"$LATEST\","
                    "\"handler\":\"app.handler\",\"accountId\":\"123456789012\"}";
    assert_true(extensions_api_register(&api, "my-extension", BOTH, &function, &err));
    assert_string_equal(function.name, "orders");
    assert_string_equal(function.version, "$LATEST");
    assert_string_equal(function.account_id, "123456789012");
    assert_string_equal(api.extension_id, ID);
    assert_true(fake_platform_saw(&platform, "POST /2020-01-01/extension/register HTTP/1.1\r\n"));
    assert_true(fake_platform_saw(&platform, "Lambda-Extension-Name: my-extension\r\n"));
    assert_true(fake_platform_saw(&platform, "Lambda-Extension-Accept-Feature: accountId\r\n"));
    assert_true(fake_platform_saw_body(&platform, "{\"events\":[\"INVOKE\",\"SHUTDOWN\"]}"));
}

static void is_registered_even_when_the_function_is_not_described(void **state) {
    (void)state;
    const char *const bodies[] = {"", "{}", "[1]", "not JSON", "{\"functionName\":7}"};
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct lambda_function function;
        struct error err = {0};
        platform.headers = "Lambda-Extension-Identifier: " ID "\r\n";
        platform.body = bodies[i];
        assert_true(extensions_api_register(&api, "x", BOTH, &function, &err));
        assert_string_equal(function.name, "");
        assert_string_equal(function.account_id, "");
    }
}

static void is_not_registered_without_a_usable_identifier(void **state) {
    (void)state;
    char too_long[256];
    (void)snprintf(too_long, sizeof too_long, "Lambda-Extension-Identifier: %0100d\r\n", 0);
    const char *const headers[] = {"", "Lambda-Extension-Identifier:\r\n", too_long};
    for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++) {
        struct lambda_function function;
        struct error err = {0};
        platform.headers = headers[i];
        assert_false(extensions_api_register(&api, "x", BOTH, &function, &err));
        assert_int_equal(err.code, ERR_INVALID);
    }
}

static void a_refusal_holds_the_words_of_the_platform(void **state) {
    (void)state;
    static char long_words[3000];
    (void)snprintf(long_words, sizeof long_words,
                   "{\"errorType\":\"T\",\"errorMessage\":\"%02000d\"}", 0);
    const struct {
        int status;
        const char *body;
        const char *expected;
    } cases[] = {
        {403,
         "{\"errorType\":\"Extension.RegistrationClosed\","
         "\"errorMessage\":\"Extension registration closed already\"}",
         "registration: the platform answered 403: Extension.RegistrationClosed: "
         "Extension registration closed already"},
        {500, "{\"errorType\":\"InternalServerError\"}",
         "registration: the platform answered 500: InternalServerError"},
        {400, "<html>", "registration: the platform answered 400"},
        {202, "", "registration: the platform answered 202"},
        {403, "{\"errorMessage\":\"two\\nlines \\u001b[0m\\u00e9\"}",
         "registration: the platform answered 403: two?lines ?[0m??"},
        {403, long_words, "registration: the platform answered 403: T: 0000000000"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct lambda_function function;
        struct error err = {0};
        platform.status = cases[i].status;
        platform.body = cases[i].body;
        assert_false(extensions_api_register(&api, "x", BOTH, &function, &err));
        assert_int_equal(err.code, ERR_REFUSED);
        assert_memory_equal(err.message, cases[i].expected, strlen(cases[i].expected));
        assert_true(strlen(err.message) < 300);
    }
}

static void says_that_the_platform_is_not_there(void **state) {
    (void)state;
    struct lambda_function function;
    struct error err = {0};
    platform.status = 0;
    assert_false(extensions_api_register(&api, "x", BOTH, &function, &err));
    assert_int_equal(err.code, ERR_UNAVAILABLE);
}

/* ---- next */

struct heard {
    unsigned times;
    bool is_event;
    struct lambda_event event;
    struct error err;
    unsigned ask_again;
};

static void hear(void *context, const struct lambda_event *event, const struct error *err) {
    struct heard *heard = context;
    heard->times++;
    heard->is_event = event != NULL;
    assert_true((event == NULL) != (err == NULL));
    if (event != NULL) {
        heard->event = *event;
    } else {
        heard->err = *err;
    }
    if (heard->ask_again > 0) {
        heard->ask_again--;
        struct error later = {0};
        assert_true(extensions_api_next(&api, hear, heard, &later));
    }
}

static void ask_and_wait(struct heard *heard, unsigned times) {
    struct error err = {0};
    assert_true(extensions_api_next(&api, hear, heard, &err));
    while (heard->times < times) {
        assert_true(http_client_run(platform.client, -1, &err));
    }
}

static void next_gives_the_event(void **state) {
    (void)state;
    register_as("x");
    platform.body = "{\"eventType\":\"INVOKE\",\"deadlineMs\":676051,\"requestId\":\"r-1\"}";
    struct heard heard = {.ask_again = 2};
    ask_and_wait(&heard, 3);
    assert_true(heard.is_event);
    assert_string_equal(heard.event.request_id, "r-1");
    assert_null(api.next);
    assert_true(fake_platform_saw(&platform, "GET /2020-01-01/extension/event/next HTTP/1.1\r\n"));
    assert_true(fake_platform_saw(&platform, "Lambda-Extension-Identifier: " ID "\r\n"));
    assert_int_equal(platform.server.connections, 1);
}

static void next_tells_why_it_failed(void **state) {
    (void)state;
    register_as("x");
    const struct {
        int status;
        const char *body;
        enum error_code code;
    } cases[] = {
        {403, "{\"errorType\":\"Extension.UnknownExtensionIdentifier\"}", ERR_REFUSED},
        {500, "", ERR_REFUSED},
        {200, "{}", ERR_INVALID},
        {0, "", ERR_UNAVAILABLE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct heard heard = {0};
        platform.status = cases[i].status;
        platform.body = cases[i].body;
        ask_and_wait(&heard, 1);
        assert_false(heard.is_event);
        assert_int_equal(heard.err.code, cases[i].code);
        assert_true(strncmp(heard.err.message, "next event: ", 12) == 0);
    }
}

static void next_is_asked_for_once_at_a_time(void **state) {
    (void)state;
    register_as("x");
    struct heard heard = {0};
    struct error err = {0};
    assert_true(extensions_api_next(&api, hear, &heard, &err));
    assert_false(extensions_api_next(&api, hear, &heard, &err));
    assert_int_equal(err.code, ERR_INVALID);
    assert_int_equal(heard.times, 0);
}

/* ---- error reports */

static void reports_why_it_ends(void **state) {
    (void)state;
    register_as("x");
    struct error err = {0};
    platform.status = 202;
    platform.body = "{\"status\":\"OK\"}";
    assert_true(extensions_api_init_error(&api, "Extension.ConfigInvalid", "say \"no\"", &err));
    assert_true(fake_platform_saw(&platform, "POST /2020-01-01/extension/init/error HTTP/1.1\r\n"));
    assert_true(fake_platform_saw(&platform, "Lambda-Extension-Identifier: " ID "\r\n"));
    assert_true(fake_platform_saw(
        &platform, "Lambda-Extension-Function-Error-Type: Extension.ConfigInvalid\r\n"));
    assert_true(fake_platform_saw_body(&platform,
                                       "{\"errorMessage\":\"say \\\"no\\\"\",\"errorType\":"
                                       "\"Extension.ConfigInvalid\",\"stackTrace\":[]}"));
    assert_true(extensions_api_exit_error(&api, "Extension.Gone", "", &err));
    assert_true(fake_platform_saw(&platform, "POST /2020-01-01/extension/exit/error HTTP/1.1\r\n"));
    platform.status = 403;
    assert_false(extensions_api_exit_error(&api, "Extension.Gone", "", &err));
    assert_int_equal(err.code, ERR_REFUSED);
}

#define API_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        API_TEST(takes_a_host_and_a_port_and_nothing_else),
        API_TEST(registers_for_both_events_and_learns_about_the_function),
        API_TEST(is_registered_even_when_the_function_is_not_described),
        API_TEST(is_not_registered_without_a_usable_identifier),
        API_TEST(a_refusal_holds_the_words_of_the_platform),
        API_TEST(says_that_the_platform_is_not_there),
        API_TEST(next_gives_the_event),
        API_TEST(next_tells_why_it_failed),
        API_TEST(next_is_asked_for_once_at_a_time),
        API_TEST(reports_why_it_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
