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
    return (struct logs_subscription){.source = &logs_api,
                                      .platform = platform_type,
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

static void the_telemetry_api_is_asked_for_its_newest_schema(void **state) {
    (void)state;
    struct logs_subscription wanted = subscription(true, true, false);
    struct error err = {0};
    wanted.source = &telemetry_api;
    assert_int_equal(logs_api_subscribe(&api, &wanted, &err), LOGS_API_SUBSCRIBED);
    assert_true(fake_platform_saw(&platform, "PUT /2022-07-01/telemetry HTTP/1.1\r\n"));
    assert_true(fake_platform_saw_body(
        &platform,
        "\r\n\r\n{\"schemaVersion\":\"2025-01-29\",\"types\":[\"platform\",\"function\"],"
        "\"buffering\":{\"maxItems\":10000,\"maxBytes\":1048576,\"timeoutMs\":25},"
        "\"destination\":{\"protocol\":\"HTTP\","
        "\"URI\":\"http://sandbox.localdomain:1234\"}}"));
}

static void an_older_schema_is_asked_for_when_a_newer_one_is_invalid(void **state) {
    (void)state;
    static const char *const schemas[] = {"2025-01-29", "2022-12-13", "2022-07-01"};
    struct logs_subscription wanted = subscription(true, true, false);
    wanted.source = &telemetry_api;
    for (unsigned i = 0; i < sizeof schemas / sizeof schemas[0]; i++) {
        struct error err = {0};
        char member[64];
        (void)snprintf(member, sizeof member, "{\"schemaVersion\":\"%s\",", schemas[i]);
        platform.rejections = i;
        assert_int_equal(logs_api_subscribe(&api, &wanted, &err), LOGS_API_SUBSCRIBED);
        assert_true(fake_platform_saw(&platform, member));
    }
}

static void only_an_invalid_subscription_is_tried_with_another_schema(void **state) {
    (void)state;
    static const int statuses[] = {403, 404, 500};
    struct logs_subscription wanted = subscription(true, true, false);
    wanted.source = &telemetry_api;
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        struct error err = {0};
        platform.status = statuses[i];
        assert_int_equal(logs_api_subscribe(&api, &wanted, &err), LOGS_API_FAILED);
        assert_true(fake_platform_saw(&platform, "\"schemaVersion\":\"2025-01-29\""));
    }
}

static void managed_instances_are_asked_for_their_only_schema(void **state) {
    (void)state;
    struct logs_subscription wanted = subscription(true, true, false);
    struct error err = {0};
    wanted.source = &telemetry_api_2025;
    platform.rejections = 1;
    assert_int_equal(logs_api_subscribe(&api, &wanted, &err), LOGS_API_FAILED);
    assert_int_equal(err.code, ERR_REFUSED);
    assert_int_equal(logs_api_subscribe(&api, &wanted, &err), LOGS_API_SUBSCRIBED);
    assert_true(fake_platform_saw(&platform, "PUT /2022-07-01/telemetry HTTP/1.1\r\n"));
    assert_true(fake_platform_saw(&platform, "{\"schemaVersion\":\"2025-01-29\","));
}

static void says_which_api_refused_every_schema(void **state) {
    (void)state;
    struct logs_subscription wanted = subscription(true, true, false);
    struct error err = {0};
    wanted.source = &telemetry_api;
    platform.rejections = 3;
    platform.body = "{\"errorType\":\"ValidationError\",\"errorMessage\":\"no port\"}";
    assert_int_equal(logs_api_subscribe(&api, &wanted, &err), LOGS_API_FAILED);
    assert_int_equal(platform.rejections, 0);
    assert_string_equal(err.message, "subscription to the Telemetry API: the platform answered "
                                     "400: ValidationError: no port");
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
        API_TEST(the_telemetry_api_is_asked_for_its_newest_schema),
        API_TEST(an_older_schema_is_asked_for_when_a_newer_one_is_invalid),
        API_TEST(only_an_invalid_subscription_is_tried_with_another_schema),
        API_TEST(managed_instances_are_asked_for_their_only_schema),
        API_TEST(says_which_api_refused_every_schema),
        API_TEST(an_emulator_without_logs_is_no_failure),
        API_TEST(says_why_it_was_refused),
        API_TEST(says_that_the_platform_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
