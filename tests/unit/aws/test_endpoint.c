// SPDX-License-Identifier: MIT
#include "aws/endpoint.h"

#include "../guarded.h"
#include "vector_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void every_partition_has_its_hosts(void **state) {
    (void)state;
    static const struct {
        const char *region;
        const char *plain;
        const char *fips;
        const char *dual_stack;
        const char *both;
        bool amazon_certificate;
    } cases[] = {
        {"eu-west-1", "kinesis.eu-west-1.amazonaws.com", "kinesis-fips.eu-west-1.amazonaws.com",
         "kinesis.eu-west-1.api.aws", "kinesis-fips.eu-west-1.api.aws", true},
        {"us-gov-west-1", "kinesis.us-gov-west-1.amazonaws.com",
         "kinesis.us-gov-west-1.amazonaws.com", "kinesis.us-gov-west-1.api.aws",
         "kinesis-fips.us-gov-west-1.api.aws", true},
        {"cn-north-1", "kinesis.cn-north-1.amazonaws.com.cn",
         "kinesis-fips.cn-north-1.amazonaws.com.cn",
         "kinesis.cn-north-1.api.amazonwebservices.com.cn",
         "kinesis-fips.cn-north-1.api.amazonwebservices.com.cn", false},
        {"eusc-de-east-1", "kinesis.eusc-de-east-1.amazonaws.eu",
         "kinesis-fips.eusc-de-east-1.amazonaws.eu",
         "kinesis.eusc-de-east-1.api.amazonwebservices.eu",
         "kinesis-fips.eusc-de-east-1.api.amazonwebservices.eu", false},
        {"us-iso-west-1", "kinesis.us-iso-west-1.c2s.ic.gov",
         "kinesis-fips.us-iso-west-1.c2s.ic.gov", "kinesis.us-iso-west-1.api.aws.ic.gov",
         "kinesis-fips.us-iso-west-1.api.aws.ic.gov", false},
        {"us-isob-east-1", "kinesis.us-isob-east-1.sc2s.sgov.gov",
         "kinesis-fips.us-isob-east-1.sc2s.sgov.gov", "kinesis.us-isob-east-1.api.aws.scloud",
         "kinesis-fips.us-isob-east-1.api.aws.scloud", false},
        {"us-isof-south-1", "kinesis.us-isof-south-1.csp.hci.ic.gov",
         "kinesis-fips.us-isof-south-1.csp.hci.ic.gov",
         "kinesis.us-isof-south-1.api.aws.hci.ic.gov",
         "kinesis-fips.us-isof-south-1.api.aws.hci.ic.gov", false},
        {"eu-isoe-west-1", "kinesis.eu-isoe-west-1.cloud.adc-e.uk",
         "kinesis-fips.eu-isoe-west-1.cloud.adc-e.uk",
         "kinesis.eu-isoe-west-1.api.cloud-aws.adc-e.uk",
         "kinesis-fips.eu-isoe-west-1.api.cloud-aws.adc-e.uk", false},
        {"xx-new-1", "kinesis.xx-new-1.amazonaws.com", "kinesis-fips.xx-new-1.amazonaws.com",
         "kinesis.xx-new-1.api.aws", "kinesis-fips.xx-new-1.api.aws", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *const hosts[] = {cases[i].plain, cases[i].fips, cases[i].dual_stack,
                                     cases[i].both};
        for (unsigned variant = 0; variant < 4; variant++) {
            const struct endpoint_options options = {
                .service = "kinesis",
                .region = span_of_text(cases[i].region),
                .use_fips = (variant & 1U) != 0,
                .use_dual_stack = (variant & 2U) != 0,
            };
            struct endpoint endpoint;
            assert_true(endpoint_resolve(&options, &endpoint, NULL));
            assert_string_equal(endpoint.host, hosts[variant]);
            assert_string_equal(endpoint.region, cases[i].region);
            assert_string_equal(endpoint.path, "/");
            assert_int_equal(endpoint.has_amazon_certificate, cases[i].amazon_certificate);
            assert_memory_equal(endpoint.url, "https://", 8);
            assert_string_equal(endpoint.url + 8, hosts[variant]);
        }
    }
}

static void a_url_of_one_s_own_is_kept_and_tidied(void **state) {
    (void)state;
    static const struct {
        const char *custom;
        const char *url;
        const char *host;
        const char *path;
    } cases[] = {
        {"https://example.com", "https://example.com", "example.com", "/"},
        {"https://example.com/", "https://example.com", "example.com", "/"},
        {"http://127.0.0.1:4567", "http://127.0.0.1:4567", "127.0.0.1:4567", "/"},
        {"HTTPS://example.com:443/x/", "https://example.com/x", "example.com", "/x"},
        {"http://example.com:80", "http://example.com", "example.com", "/"},
        {"http://example.com:443", "http://example.com:443", "example.com:443", "/"},
        {"https://example.com:80", "https://example.com:80", "example.com:80", "/"},
        {"http://[::1]:4567/a/b", "http://[::1]:4567/a/b", "[::1]:4567", "/a/b"},
        {"http://[fd00:ec2::23]", "http://[fd00:ec2::23]", "[fd00:ec2::23]", "/"},
        {"http://local_stack:4566//", "http://local_stack:4566", "local_stack:4566", "/"},
        {"https://proxy/a%20b:c@d", "https://proxy/a%20b:c@d", "proxy", "/a%20b:c@d"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct endpoint_options options = {.service = "kinesis",
                                                 .region = SPAN("eu-west-1"),
                                                 .custom_url = span_of_text(cases[i].custom)};
        struct endpoint endpoint;
        assert_true(endpoint_resolve(&options, &endpoint, NULL));
        assert_string_equal(endpoint.url, cases[i].url);
        assert_string_equal(endpoint.host, cases[i].host);
        assert_string_equal(endpoint.path, cases[i].path);
        assert_string_equal(endpoint.region, "eu-west-1");
        assert_false(endpoint.has_amazon_certificate);
    }
}

static void the_certificate_of_a_host_of_amazon_is_of_amazon(void **state) {
    (void)state;
    static const struct {
        const char *region;
        const char *custom;
        bool amazon;
    } cases[] = {
        {"eu-west-1", "https://vpce-0a1b-2c3d.kinesis.eu-west-1.vpce.amazonaws.com", true},
        {"eu-west-1", "https://kinesis.eu-west-1.API.AWS/", true},
        {"eu-west-1", "https://kinesis.evil-amazonaws.com", false},
        {"eu-west-1", "https://amazonaws.com", false},
        {"eu-west-1", "https://amazonaws.com.example.org", false},
        {"eu-west-1", "https://proxy/amazonaws.com", false},
        {"cn-north-1", "https://vpce-1.kinesis.cn-north-1.vpce.amazonaws.com.cn", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct endpoint_options options = {.service = "kinesis",
                                                 .region = span_of_text(cases[i].region),
                                                 .custom_url = span_of_text(cases[i].custom)};
        struct endpoint endpoint;
        assert_true(endpoint_resolve(&options, &endpoint, NULL));
        if (endpoint.has_amazon_certificate != cases[i].amazon) {
            fail_msg("%s", cases[i].custom);
        }
    }
}

static void assert_refused(const struct endpoint_options *options, const char *naming) {
    struct endpoint endpoint = {.host = "untouched"};
    struct error err = {0};
    if (endpoint_resolve(options, &endpoint, &err)) {
        fail_msg("%s was taken, as %s", naming, endpoint.url);
    }
    assert_int_equal(err.code, ERR_INVALID);
    assert_non_null(strstr(err.message, naming));
    assert_string_equal(endpoint.host, "untouched");
}

static void refuses_urls_that_are_none(void **state) {
    (void)state;
    static const char *const urls[] = {
        "example.com",
        "ftp://example.com",
        "https:/example.com",
        "https://",
        "https:///path",
        "https://:443",
        "https://example.com?x=1",
        "https://example.com/?x=1",
        "https://example.com/#top",
        "https://example.com:",
        "https://example.com:0",
        "https://example.com:65536",
        "https://example.com:44x",
        "https://exa mple.com",
        "https://example.com/a b",
        "https://example.com/\n",
        "https://\xC3\xA4.com",
        "http://[::1",
        "http://::1]",
        "http://[]",
        "http://[::1]x",
        "http://[::1%25eth0]",
        "http://[::g]",
        "http://a[::1]",
        "http://::1:80",
    };
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        const struct endpoint_options options = {
            .service = "kinesis", .region = SPAN("eu-west-1"), .custom_url = span_of_text(urls[i])};
        assert_refused(&options, urls[i]);
    }
}

static void shows_no_credentials_of_a_refused_url(void **state) {
    (void)state;
    static const char *const urls[] = {
        "https://hush@example.com",
        "https://user:hush@example.com",
        "http://user:hu@hush@example.com/path",
        "hush@example.com",
    };
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        const struct endpoint_options options = {
            .service = "kinesis", .region = SPAN("eu-west-1"), .custom_url = span_of_text(urls[i])};
        struct endpoint endpoint;
        struct error err = {0};
        assert_false(endpoint_resolve(&options, &endpoint, &err));
        assert_null(strstr(err.message, "hush"));
        assert_null(strstr(err.message, "user"));
        assert_non_null(strstr(err.message, "***@example.com"));
    }
}

static void refuses_urls_that_are_too_long(void **state) {
    (void)state;
    char url[2 * ENDPOINT_URL_BYTES];
    for (size_t host = 200; host < sizeof url - 8; host += 50) {
        (void)snprintf(url, sizeof url, "https://%0*d", (int)host, 1);
        const struct endpoint_options options = {
            .service = "kinesis", .region = SPAN("eu-west-1"), .custom_url = span_of_text(url)};
        struct endpoint endpoint;
        assert_int_equal(endpoint_resolve(&options, &endpoint, NULL), host <= 253);
    }
}

static void refuses_regions_that_are_no_host_label(void **state) {
    (void)state;
    static const char *const regions[] = {
        "eu.west.1",
        "eu-west-1/",
        "-eu",
        "eu-",
        "eu west",
        "evil.com#",
        "\xC3\xA4",
        "eu_west_1",
        "0123456789012345678901234567890123456789012345678901234567890123",
    };
    for (size_t i = 0; i < sizeof regions / sizeof regions[0]; i++) {
        const struct endpoint_options options = {.service = "kinesis",
                                                 .region = span_of_text(regions[i])};
        assert_refused(&options, regions[i]);
    }
    const struct endpoint_options none = {.service = "kinesis"};
    assert_refused(&none, "no region");
}

static void a_url_of_one_s_own_excludes_fips_and_dual_stack(void **state) {
    (void)state;
    struct endpoint_options options = {.service = "kinesis",
                                       .region = SPAN("eu-west-1"),
                                       .custom_url = SPAN("https://example.com"),
                                       .use_fips = true};
    assert_refused(&options, "FIPS");
    options.use_fips = false;
    options.use_dual_stack = true;
    assert_refused(&options, "dual-stack");
}

static void reads_no_byte_behind_the_url(void **state) {
    (void)state;
    struct span whole = SPAN("https://[::1]:4567/path/");
    for (size_t length = 1; length <= whole.len; length++) {
        struct guarded url = guarded_copy(span_first(whole, length));
        const struct endpoint_options options = {
            .service = "kinesis", .region = SPAN("eu-west-1"), .custom_url = url.text};
        struct endpoint endpoint;
        bool complete = length >= strlen("https://[::1]");
        bool has_port = length != strlen("https://[::1]:");
        assert_int_equal(endpoint_resolve(&options, &endpoint, NULL), complete && has_port);
        guarded_done(&url);
    }
}

/* ---- the SDKs' own cases, where they are at hand ---- */

/* Those that ask for what we have: no account-based host and no global one. */
static bool is_for_us(const cJSON *parameters) {
    const cJSON *parameter = NULL;
    cJSON_ArrayForEach(parameter, parameters) {
        static const char *const known[] = {"Region", "UseFIPS", "UseDualStack", "Endpoint"};
        bool found = false;
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
            found = found || strcmp(parameter->string, known[i]) == 0;
        }
        if (!found) {
            return false;
        }
    }
    bool region_missing = vector_text(parameters, "Region")[0] == '\0';
    bool custom = vector_text(parameters, "Endpoint")[0] != '\0';
    bool global = strcmp(vector_text(parameters, "Region"), "aws-global") == 0;
    return !global && !(region_missing && custom);
}

static void run_sdk_case(const char *service, const cJSON *test_case) {
    const cJSON *parameters = cJSON_GetObjectItem(test_case, "params");
    const cJSON *expected = cJSON_GetObjectItem(test_case, "expect");
    const struct endpoint_options options = {
        .service = service,
        .region = span_of_text(vector_text(parameters, "Region")),
        .custom_url = span_of_text(vector_text(parameters, "Endpoint")),
        .use_fips = cJSON_IsTrue(cJSON_GetObjectItem(parameters, "UseFIPS")),
        .use_dual_stack = cJSON_IsTrue(cJSON_GetObjectItem(parameters, "UseDualStack")),
    };
    struct endpoint endpoint;
    bool resolved = endpoint_resolve(&options, &endpoint, NULL);
    assert_int_equal(resolved, cJSON_GetObjectItem(expected, "error") == NULL);
    if (resolved) {
        assert_string_equal(endpoint.url,
                            vector_text(cJSON_GetObjectItem(expected, "endpoint"), "url"));
    }
}

static void agrees_with_the_endpoints_of_the_sdks(void **state) {
    (void)state;
    const char *shared = shared_data_folder();
    if (shared == NULL) {
        return;
    }
    static const char *const services[] = {"kinesis", "sts"};
    for (size_t i = 0; i < sizeof services / sizeof services[0]; i++) {
        cJSON *file =
            read_vector_json("%s/endpoints/%s/endpoint-tests-1.json", shared, services[i]);
        int run = 0;
        int left_out = 0;
        const cJSON *test_case = NULL;
        cJSON_ArrayForEach(test_case, cJSON_GetObjectItem(file, "testCases")) {
            if (is_for_us(cJSON_GetObjectItem(test_case, "params"))) {
                run_sdk_case(services[i], test_case);
                run++;
            } else {
                left_out++;
            }
        }
        cJSON_Delete(file);
        print_message("%s: %d cases agree, %d of account-based or global hosts left out\n",
                      services[i], run, left_out);
        assert_true(run >= 45);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_partition_has_its_hosts),
        cmocka_unit_test(a_url_of_one_s_own_is_kept_and_tidied),
        cmocka_unit_test(the_certificate_of_a_host_of_amazon_is_of_amazon),
        cmocka_unit_test(refuses_urls_that_are_none),
        cmocka_unit_test(shows_no_credentials_of_a_refused_url),
        cmocka_unit_test(refuses_urls_that_are_too_long),
        cmocka_unit_test(refuses_regions_that_are_no_host_label),
        cmocka_unit_test(a_url_of_one_s_own_excludes_fips_and_dual_stack),
        cmocka_unit_test(reads_no_byte_behind_the_url),
        cmocka_unit_test(agrees_with_the_endpoints_of_the_sdks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
