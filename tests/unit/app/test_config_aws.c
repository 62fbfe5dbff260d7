// SPDX-License-Identifier: MIT
/* What the configuration takes from the variables of Lambda and of the AWS SDKs. */
#include "config_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void secrets_are_never_in_a_report(void **state) {
    (void)state;
    (void)start(NULL);
    set("AWS_ACCESS_KEY_ID", "hush-hush id\n");
    set("AWS_SECRET_ACCESS_KEY", "hush-hush secret");
    set("AWS_SESSION_TOKEN", "hush-hush token");
    set("AWS_ENDPOINT_URL", "https://user:hush-hush@host/path?hush-hush");
    set("EXTENSION_LOG_UNKNOWN", "hush-hush");
    assert_false(read_it());
    assert_false(says(&report.errors, "hush-hush"));
    assert_false(says(&report.warnings, "hush-hush"));
}

static void the_region_comes_from_the_first_variable_that_has_one(void **state) {
    (void)state;
    assert_true(read_with("AWS_DEFAULT_REGION", "us-east-2"));
    assert_string_equal(config.endpoint.region, "eu-west-1");
    (void)start(NULL);
    set("AWS_REGION", "");
    set("AWS_DEFAULT_REGION", "us-east-2");
    assert_true(read_it());
    assert_string_equal(config.endpoint.region, "us-east-2");
    assert_false(read_with("AWS_REGION", "")); /* and no other */
    assert_true(says(&report.errors, "AWS_REGION: "));
    assert_true(says(&report.errors, "no region"));
}

static void a_stream_of_another_region_is_written_to_there(void **state) {
    (void)state;
    assert_true(
        read_with("AWS_KINESIS_STREAM_NAME", "arn:aws:kinesis:us-west-2:123456789012:stream/logs"));
    assert_string_equal(config.endpoint.url, "https://kinesis.us-west-2.amazonaws.com");
    assert_string_equal(config.endpoint.region, "us-west-2");
    assert_span(config.region, "eu-west-1");
}

static void an_endpoint_of_ones_own_goes_before_the_regional_one(void **state) {
    (void)state;
    assert_true(read_with("AWS_ENDPOINT_URL", "http://127.0.0.1:4566"));
    assert_string_equal(config.endpoint.url, "http://127.0.0.1:4566");
    assert_false(config.endpoint.has_amazon_certificate);
    (void)start(NULL);
    set("AWS_ENDPOINT_URL", "http://127.0.0.1:4566");
    set("AWS_ENDPOINT_URL_KINESIS", "http://127.0.0.1:5000");
    assert_true(read_it());
    assert_string_equal(config.endpoint.url, "http://127.0.0.1:5000");
    set("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "True");
    assert_true(read_it());
    assert_string_equal(config.endpoint.url, "https://kinesis.eu-west-1.amazonaws.com");
}

static void fips_and_dual_stack_change_the_endpoint(void **state) {
    (void)state;
    (void)start(NULL);
    set("AWS_REGION", "us-east-1");
    set("AWS_USE_FIPS_ENDPOINT", "true");
    assert_true(read_it());
    assert_string_equal(config.endpoint.url, "https://kinesis-fips.us-east-1.amazonaws.com");
    set("AWS_USE_DUALSTACK_ENDPOINT", "true");
    assert_true(read_it());
    assert_string_equal(config.endpoint.url, "https://kinesis-fips.us-east-1.api.aws");
    set("AWS_ENDPOINT_URL", "http://127.0.0.1:4566");
    assert_false(read_it());
}

static void proxies_come_from_either_case_of_letters(void **state) {
    (void)state;
    (void)start(NULL);
    set("HTTPS_PROXY", "http://capitals:3128");
    set("ALL_PROXY", "socks5h://user:p%40ss@all:1080/");
    set("NO_PROXY", "localhost,.internal");
    assert_true(read_it());
    assert_span(config.proxies.for_https, "http://capitals:3128");
    assert_span(config.proxies.for_http, "socks5h://user:p%40ss@all:1080/");
    assert_span(config.proxies.bypass, "localhost,.internal");
    set("https_proxy", "small:3128");
    set("no_proxy", "*");
    assert_true(read_it());
    assert_span(config.proxies.for_https, "small:3128");
    assert_span(config.proxies.bypass, "*");
}

static void what_cannot_be_a_proxy_is_told_of_but_never_shown(void **state) {
    (void)state;
    static const char *const values[] = {
        "gopher://user:hush-hush@host",  "http://user:hush-hush@",
        "http://user:hush-hush@host:0",  "http://user:hush-hush@host/path",
        "http://user:hush hush@host:80", "http://user:hush-hush@host?x=1",
    };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        assert_false(read_with("HTTPS_PROXY", values[i]));
        assert_true(says(&report.errors, "HTTPS_PROXY is no proxy"));
        assert_false(says(&report.errors, "hush"));
        assert_int_equal(config.proxies.for_https.len, 0);
    }
}

static void what_lambda_and_the_sdks_set_is_taken(void **state) {
    (void)state;
    (void)start(NULL);
    set("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001");
    set("AWS_LAMBDA_FUNCTION_NAME", "orders");
    set("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST");
    set("SSL_CERT_FILE", "/other.pem");
    assert_true(read_it());
    assert_span(config.runtime_api, "127.0.0.1:9001");
    assert_span(config.function_name, "orders");
    assert_span(config.function_version, "$LATEST");
    assert_span(config.ca_file, "/other.pem");
    assert_span(config.credentials.environment.access_key_id, "AKID");
    assert_span(config.credentials.environment.secret_access_key, "the-secret");
    assert_span(config.credentials.environment.session_token, "the-token");
    set("AWS_CA_BUNDLE", "/ca.pem");
    assert_true(read_it());
    assert_span(config.ca_file, "/ca.pem");
}

static void missing_credentials_are_no_mistake_of_the_configuration(void **state) {
    (void)state;
    (void)start(NULL);
    set("AWS_ACCESS_KEY_ID", "");
    set("AWS_SECRET_ACCESS_KEY", "");
    set("AWS_SESSION_TOKEN", "");
    assert_true(read_it());
    assert_int_equal(config.credentials.environment.access_key_id.len, 0);
}

static void a_role_is_asked_for_at_the_sts_of_the_functions_region(void **state) {
    (void)state;
    (void)start(NULL);
    set("AWS_KINESIS_STREAM_NAME", "arn:aws:kinesis:us-west-2:210987654321:stream/logs");
    set("EXTENSION_LOG_ROLE_ARN", "arn:aws:iam::210987654321:role/logs");
    set("EXTENSION_LOG_ROLE_EXTERNAL_ID", "orders/2026");
    assert_true(read_it());
    assert_span(config.credentials.role.arn, "arn:aws:iam::210987654321:role/logs");
    assert_span(config.credentials.role.external_id, "orders/2026");
    const struct endpoint *sts = &config.credentials.role.endpoint;
    assert_string_equal(sts->url, "https://sts.eu-west-1.amazonaws.com");
    assert_string_equal(sts->region, "eu-west-1");
    set("AWS_ENDPOINT_URL_KINESIS", "http://127.0.0.1:4566");
    assert_true(read_it());
    assert_string_equal(sts->url, "https://sts.eu-west-1.amazonaws.com");
    set("AWS_ENDPOINT_URL", "http://127.0.0.1:5000");
    assert_true(read_it());
    assert_string_equal(sts->url, "http://127.0.0.1:5000");
    assert_string_equal(config.endpoint.url, "http://127.0.0.1:4566");
    set("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:6000");
    assert_true(read_it());
    assert_string_equal(sts->url, "http://127.0.0.1:6000");
}

static void an_endpoint_of_sts_matters_only_when_a_role_is_asked_for(void **state) {
    (void)state;
    assert_true(read_with("AWS_ENDPOINT_URL_STS", "ftp://127.0.0.1"));
    set("EXTENSION_LOG_ROLE_ARN", "arn:aws:iam::210987654321:role/logs");
    assert_false(read_it());
    assert_true(says(&report.errors, "AWS_ENDPOINT_URL_STS: no STS endpoint: "));
}

static void what_is_wrong_with_a_role_is_told(void **state) {
    (void)state;
    assert_false(read_with("EXTENSION_LOG_ROLE_ARN", "logs"));
    assert_true(says(&report.errors, "EXTENSION_LOG_ROLE_ARN=logs is not allowed"));
    assert_false(read_with("EXTENSION_LOG_ROLE_EXTERNAL_ID", "orders"));
    assert_true(
        says(&report.errors, "EXTENSION_LOG_ROLE_EXTERNAL_ID needs EXTENSION_LOG_ROLE_ARN"));
    assert_false(read_with("EXTENSION_LOG_ROLE_EXTERNAL_ID", "x"));
    assert_true(says(&report.errors, "EXTENSION_LOG_ROLE_EXTERNAL_ID=x is not allowed"));
}

static void a_credentials_endpoint_is_taken_when_it_is_allowed(void **state) {
    (void)state;
    (void)start(NULL);
    set("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:9001/2021-04-23/credentials");
    set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "a token");
    set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/run/token");
    assert_true(read_it());
    const struct container_settings *container = &config.credentials.container;
    assert_span(container->full_uri, "http://127.0.0.1:9001/2021-04-23/credentials");
    assert_span(container->token, "a token");
    assert_span(container->token_file, "/run/token");
    set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "hush");
    assert_false(read_it());
    assert_true(says(&report.errors, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI is not allowed: "));
    assert_false(read_with("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.org/?hush"));
    assert_true(says(&report.errors, "AWS_CONTAINER_CREDENTIALS_FULL_URI is not allowed: "));
    assert_false(says(&report.errors, "hush"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(secrets_are_never_in_a_report),
        TEST(the_region_comes_from_the_first_variable_that_has_one),
        TEST(a_stream_of_another_region_is_written_to_there),
        TEST(an_endpoint_of_ones_own_goes_before_the_regional_one),
        TEST(fips_and_dual_stack_change_the_endpoint),
        TEST(proxies_come_from_either_case_of_letters),
        TEST(what_cannot_be_a_proxy_is_told_of_but_never_shown),
        TEST(what_lambda_and_the_sdks_set_is_taken),
        TEST(missing_credentials_are_no_mistake_of_the_configuration),
        TEST(a_role_is_asked_for_at_the_sts_of_the_functions_region),
        TEST(an_endpoint_of_sts_matters_only_when_a_role_is_asked_for),
        TEST(what_is_wrong_with_a_role_is_told),
        TEST(a_credentials_endpoint_is_taken_when_it_is_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
