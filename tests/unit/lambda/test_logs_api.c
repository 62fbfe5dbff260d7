// SPDX-License-Identifier: MIT
#include "lambda/logs_api.h"

#include "fake_platform.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct fake_platform platform;
static struct extensions_api api;

static int set_up(void **state) {
    (void)state;
    struct error err;
    fake_platform_start(&platform);
    bool ok = extensions_api_init(&api, platform.client, platform.host, &err);
    (void)snprintf(api.extension_id, sizeof api.extension_id, "an-id");
    return !ok;
}

static int tear_down(void **state) {
    (void)state;
    fake_platform_stop(&platform);
    return 0;
}

static struct logs_subscription subscription(bool platform_type, bool function, bool extension) {
    return (struct logs_subscription){.platform = platform_type,
                                      .function = function,
                                      .extension = extension,
                                      .timeout_ms = 25,
                                      .max_bytes = 1048576,
                                      .max_items = 10000,
                                      .port = 1234};
}

static void sends_every_field(void **state) {
    (void)state;
    const struct logs_subscription wanted = subscription(true, true, false);
    struct error err = {0};
    platform.body = "\"OK\"";
    assert_int_equal(logs_api_subscribe(&api, &wanted, &err), LOGS_API_SUBSCRIBED);
    assert_true(fake_platform_saw(&platform, "PUT /2020-08-15/logs HTTP/1.1\r\n"));
    assert_true(fake_platform_saw(&platform, "Lambda-Extension-Identifier: an-id\r\n"));
    assert_true(fake_platform_saw(&platform, "Content-Type: application/json\r\n"));
    assert_true(fake_platform_saw_body(
        &platform,
        "\r\n\r\n{\"schemaVersion\":\"2021-03-18\",\"types\":[\"platform\",\"function\"],"
        "\"buffering\":{\"maxItems\":10000,\"maxBytes\":1048576,\"timeoutMs\":25},"
        "\"destination\":{\"protocol\":\"HTTP\","
        "\"URI\":\"http://sandbox.localdomain:1234\"}}"));
}

static void subscribes_to_the_types_that_are_wanted(void **state) {
    (void)state;
    const struct {
        struct logs_subscription wanted;
        const char *types;
    } cases[] = {
        {subscription(true, false, false), "\"types\":[\"platform\"],"},
        {subscription(false, true, false), "\"types\":[\"function\"],"},
        {subscription(false, false, true), "\"types\":[\"extension\"],"},
        {subscription(false, true, true), "\"types\":[\"function\",\"extension\"],"},
        {subscription(true, true, true), "\"types\":[\"platform\",\"function\",\"extension\"],"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error err = {0};
        assert_int_equal(logs_api_subscribe(&api, &cases[i].wanted, &err), LOGS_API_SUBSCRIBED);
        assert_true(fake_platform_saw(&platform, cases[i].types));
    }
}

static void an_emulator_without_logs_is_no_failure(void **state) {
    (void)state;
    const struct logs_subscription wanted = subscription(true, true, true);
    struct error err = {0};
    platform.status = 202;
    platform.body =
        "{\"errorMessage\":\"Logs API is not supported\",\"errorType\":\"Logs.NotSupported\"}";
    assert_int_equal(logs_api_subscribe(&api, &wanted, &err), LOGS_API_NOT_SUPPORTED);
}

static void says_why_it_was_refused(void **state) {
    (void)state;
    const struct logs_subscription wanted = subscription(true, true, true);
    struct error err = {0};
    platform.status = 400;
    platform.body = "{\"errorType\":\"Logs.ValidationError\","
                    "\"errorMessage\":\"URI port is not provided\"}";
    assert_int_equal(logs_api_subscribe(&api, &wanted, &err), LOGS_API_FAILED);
    assert_int_equal(err.code, ERR_REFUSED);
    assert_string_equal(err.message, "subscription to the Logs API: the platform answered 400: "
                                     "Logs.ValidationError: URI port is not provided");
}

static void says_that_the_platform_is_not_there(void **state) {
    (void)state;
    const struct logs_subscription wanted = subscription(true, true, true);
    struct error err = {0};
    platform.status = 0;
    assert_int_equal(logs_api_subscribe(&api, &wanted, &err), LOGS_API_FAILED);
    assert_int_equal(err.code, ERR_UNAVAILABLE);
}

#define API_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        API_TEST(sends_every_field),
        API_TEST(subscribes_to_the_types_that_are_wanted),
        API_TEST(an_emulator_without_logs_is_no_failure),
        API_TEST(says_why_it_was_refused),
        API_TEST(says_that_the_platform_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
