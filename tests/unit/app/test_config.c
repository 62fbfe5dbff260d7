// SPDX-License-Identifier: MIT
#include "config_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void a_stream_and_what_lambda_sets_are_enough(void **state) {
    (void)state;
    assert_true(read_it());
    assert_int_equal(report.errors.len, 0);
    assert_int_equal(report.warnings.len, 0);
    assert_span(config.stream, "lambda-logs");
    assert_int_equal(config.listener_port, 1234);
    assert_true(config.types.platform && config.types.function && !config.types.extension);
    assert_int_equal(config.max_items, 10000);
    assert_int_equal(config.max_bytes, 1048576);
    assert_int_equal(config.timeout_ms, 25);
    assert_int_equal(config.flush, FLUSH_ADAPTIVE);
    assert_int_equal(config.max_delay_ms, 1000);
    assert_int_equal(config.hold_ms, 1000);
    assert_ptr_equal(config.format, &format_ndjson);
    assert_int_equal(config.record_bytes, 25000);
    assert_int_equal(config.partition_key, PARTITION_KEY_RANDOM);
    assert_true(config.enrich);
    assert_int_equal(config.tag_count, 0);
    assert_int_equal(config.queue_bytes, 8388608);
    assert_int_equal(config.spool_bytes, 67108864);
    assert_int_equal(config.on_config_error, ON_CONFIG_ERROR_CONTINUE);
    assert_int_equal(config.log_level, LOG_INFO);
    assert_string_equal(config.endpoint.url, "https://kinesis.eu-west-1.amazonaws.com");
    assert_int_equal(config.ca_file.len, 0);
}

static void numbers_are_taken_within_their_bounds_only(void **state) {
    (void)state;
    static const struct {
        const char *name;
        uint64_t min, max;
        const uint64_t *value;
    } cases[] = {
        {"HTTP_LOGS_LISTENER_PORT", 1, 65535, &config.listener_port},
        {"EXTENSION_LOG_MAX_ITEMS", 1000, 10000, &config.max_items},
        {"EXTENSION_LOG_MAX_BYTES", 262144, 1048576, &config.max_bytes},
        {"EXTENSION_LOG_TIMEOUT_MS", 25, 30000, &config.timeout_ms},
        {"EXTENSION_LOG_MAX_DELAY_MS", 0, 900000, &config.max_delay_ms},
        {"EXTENSION_LOG_HOLD_MS", 0, 60000, &config.hold_ms},
        {"EXTENSION_LOG_RECORD_BYTES", 1000, 10485760, &config.record_bytes},
        {"EXTENSION_LOG_QUEUE_BYTES", 1048576, 268435456, &config.queue_bytes},
        {"EXTENSION_LOG_SPOOL_BYTES", 0, 1073741824, &config.spool_bytes},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[4][32];
        (void)snprintf(text[0], 32, "%llu", (unsigned long long)cases[i].min);
        (void)snprintf(text[1], 32, "%llu", (unsigned long long)cases[i].max);
        (void)snprintf(text[2], 32, "%lld", (long long)cases[i].min - 1);
        (void)snprintf(text[3], 32, "%llu", (unsigned long long)cases[i].max + 1);
        assert_true(read_with(cases[i].name, text[0]));
        assert_int_equal(*cases[i].value, cases[i].min);
        assert_true(read_with(cases[i].name, text[1]));
        assert_int_equal(*cases[i].value, cases[i].max);
        for (int bad = 2; bad < 4; bad++) {
            assert_false(read_with(cases[i].name, text[bad]));
            assert_true(says(&report.errors, cases[i].name));
            assert_true(says(&report.errors, text[bad]));
            assert_true(says(&report.errors, text[1])); /* what is allowed */
            assert_in_range(*cases[i].value, cases[i].min, cases[i].max);
        }
    }
}

static void what_is_no_plain_number_is_a_mistake(void **state) {
    (void)state;
    static const char *const bad[] = {"abc", "1e3", "0x10",   "+5", "-1",
                                      "5 0", "5.0", "5000ms", "٣",  "99999999999999999999999999"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(read_with("EXTENSION_LOG_HOLD_MS", bad[i]));
        assert_int_equal(config.hold_ms, 1000);
        assert_true(says(&report.errors, bad[i]));
        assert_true(says(&report.errors, "0-60000"));
    }
}

static void the_port_of_the_runtime_api_is_not_for_the_listener(void **state) {
    (void)state;
    assert_false(read_with("HTTP_LOGS_LISTENER_PORT", "9001"));
    assert_true(says(&report.errors, "HTTP_LOGS_LISTENER_PORT=9001"));
    assert_true(says(&report.errors, "1-65535, not 9001"));
    assert_false(read_with("HTTP_LOGS_LISTENER_PORT", "09001"));
    assert_int_equal(config.listener_port, 1234);
}

static void choices_are_taken_by_their_names(void **state) {
    (void)state;
    assert_true(read_with("EXTENSION_LOG_FLUSH", "end"));
    assert_int_equal(config.flush, FLUSH_END);
    assert_true(read_with("EXTENSION_LOG_FLUSH", "continuous"));
    assert_int_equal(config.flush, FLUSH_CONTINUOUS);
    assert_true(read_with("EXTENSION_LOG_FORMAT", "event"));
    assert_ptr_equal(config.format, &format_event);
    assert_true(read_with("EXTENSION_LOG_FORMAT", "batch"));
    assert_ptr_equal(config.format, &format_batch);
    assert_true(read_with("EXTENSION_LOG_FORMAT", "kpl"));
    assert_ptr_equal(config.format, &format_kpl);
    assert_true(read_with("EXTENSION_LOG_PARTITION_KEY", "environment"));
    assert_int_equal(config.partition_key, PARTITION_KEY_ENVIRONMENT);
    assert_true(read_with("EXTENSION_LOG_PARTITION_KEY", "function"));
    assert_int_equal(config.partition_key, PARTITION_KEY_FUNCTION);
    assert_true(read_with("EXTENSION_LOG_PARTITION_KEY", "request"));
    assert_int_equal(config.partition_key, PARTITION_KEY_REQUEST);
    assert_true(read_with("EXTENSION_LOG_KINESIS_PROTOCOL", "json"));
    assert_int_equal(config.kinesis_protocol, AWS_JSON);
    assert_true(read_with("EXTENSION_LOG_KINESIS_PROTOCOL", "cbor"));
    assert_int_equal(config.kinesis_protocol, AWS_CBOR);
    assert_true(read_with("EXTENSION_LOG_ENRICH", "false"));
    assert_false(config.enrich);
    assert_true(read_with("EXTENSION_LOG_ON_CONFIG_ERROR", "fail"));
    assert_int_equal(config.on_config_error, ON_CONFIG_ERROR_FAIL);
    assert_true(read_with("EXTENSION_LOG_LEVEL", "error"));
    assert_int_equal(config.log_level, LOG_ERROR);
    assert_true(read_with("EXTENSION_LOG_LEVEL", "debug"));
    assert_int_equal(config.log_level, LOG_DEBUG);
    assert_true(read_with("EXTENSION_LOG_API", "logs"));
    assert_int_equal(config.source, LOG_SOURCE_LOGS_API);
    assert_true(read_with("EXTENSION_LOG_API", "telemetry"));
    assert_int_equal(config.source, LOG_SOURCE_TELEMETRY_API);
    assert_true(read_with("EXTENSION_LOG_COMPRESSION", "none"));
}

static void other_words_are_mistakes_that_name_the_choices(void **state) {
    (void)state;
    static const struct {
        const char *name, *value, *allowed;
    } cases[] = {
        {"EXTENSION_LOG_FLUSH", "End", "`end`, `continuous`, `adaptive`"},
        {"EXTENSION_LOG_FORMAT", "json", "`ndjson`, `event`, `batch`"},
        {"EXTENSION_LOG_PARTITION_KEY", "shard", "`random`, `environment`, `function`, `request`"},
        {"EXTENSION_LOG_ENRICH", "yes", "`true`, `false`"},
        {"EXTENSION_LOG_ON_CONFIG_ERROR", "exit", "`continue`, `fail`"},
        {"EXTENSION_LOG_LEVEL", "warning", "`error`, `warn`, `info`, `debug`"},
        {"EXTENSION_LOG_API", "telemetry!", "`logs`"},
        {"EXTENSION_LOG_COMPRESSION", "zip", "`none`"},
        {"EXTENSION_LOG_TYPES", "platform,functions", "`platform`, `function`, `extension`"},
        {"AWS_KINESIS_STREAM_NAME", "a stream", "stream name or stream ARN"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_false(read_with(cases[i].name, cases[i].value));
        assert_true(says(&report.errors, cases[i].name));
        assert_true(says(&report.errors, cases[i].value));
        assert_true(says(&report.errors, cases[i].allowed));
        assert_int_equal(lines_in(&report.errors), 1);
    }
}

static void types_are_a_list(void **state) {
    (void)state;
    assert_true(read_with("EXTENSION_LOG_TYPES", "extension"));
    assert_true(!config.types.platform && !config.types.function && config.types.extension);
    assert_true(read_with("EXTENSION_LOG_TYPES", " function , platform , extension "));
    assert_true(config.types.platform && config.types.function && config.types.extension);
    assert_false(read_with("EXTENSION_LOG_TYPES", ",function"));
    assert_false(read_with("EXTENSION_LOG_TYPES", "function,,platform"));
    assert_true(config.types.platform && config.types.function && !config.types.extension);
}

static void all_mistakes_are_reported_together(void **state) {
    (void)state;
    (void)start(NULL);
    set("AWS_KINESIS_STREAM_NAME", "");
    set("HTTP_LOGS_LISTENER_PORT", "0");
    set("EXTENSION_LOG_FLUSH", "never");
    set("EXTENSION_LOG_TAGS", "team");
    set("EXTENSION_LOG_HOLD_MS", "1s");
    set("AWS_ENDPOINT_URL", "ftp://host");
    assert_false(read_it());
    assert_int_equal(lines_in(&report.errors), 6);
    assert_true(says(&report.errors, "AWS_KINESIS_STREAM_NAME is not set"));
    assert_true(says(&report.errors, "HTTP_LOGS_LISTENER_PORT=0"));
    assert_true(says(&report.errors, "EXTENSION_LOG_FLUSH=never"));
    assert_true(says(&report.errors, "EXTENSION_LOG_TAGS=team"));
    assert_true(says(&report.errors, "EXTENSION_LOG_HOLD_MS=1s"));
    assert_true(says(&report.errors, "AWS_ENDPOINT_URL: no Kinesis endpoint"));
    assert_true(says(&report.errors, "ftp://host"));
}

static void a_mistake_leaves_every_other_setting_in_force(void **state) {
    (void)state;
    (void)start(NULL);
    set("EXTENSION_LOG_HOLD_MS", "x");
    set("EXTENSION_LOG_ON_CONFIG_ERROR", "fail");
    set("EXTENSION_LOG_TIMEOUT_MS", "100");
    assert_false(read_it());
    assert_int_equal(config.on_config_error, ON_CONFIG_ERROR_FAIL);
    assert_int_equal(config.timeout_ms, 100);
}

static void an_empty_or_blank_value_counts_as_unset(void **state) {
    (void)state;
    assert_true(read_with("EXTENSION_LOG_FLUSH", ""));
    assert_int_equal(config.flush, FLUSH_ADAPTIVE);
    assert_true(read_with("EXTENSION_LOG_HOLD_MS", "  "));
    assert_int_equal(config.hold_ms, 1000);
    assert_true(read_with("EXTENSION_LOG_TAGS", ""));
    assert_false(read_with("AWS_KINESIS_STREAM_NAME", ""));
}

static void blanks_around_a_value_do_not_count(void **state) {
    (void)state;
    assert_true(read_with("EXTENSION_LOG_HOLD_MS", " 250\n"));
    assert_int_equal(config.hold_ms, 250);
    assert_true(read_with("AWS_KINESIS_STREAM_NAME", " my-stream "));
    assert_span(config.stream, "my-stream");
}

static void an_unknown_name_of_ours_gets_a_warning_with_the_nearest(void **state) {
    (void)state;
    static const struct {
        const char *name, *nearest;
    } cases[] = {
        {"EXTENSION_LOG_FLUSHS", "EXTENSION_LOG_FLUSH?"},
        {"EXTENSION_LOG_TAG", "EXTENSION_LOG_TAGS?"},
        {"EXTENSION_LOG_QUEUE_SIZE", "EXTENSION_LOG_QUEUE_BYTES?"},
        {"EXTENSION_LOG_HOLDMS", "EXTENSION_LOG_HOLD_MS?"},
        {"EXTENSION_LOG_", "EXTENSION_LOG_"},
        {"EXTENSION_LOG_PARTITIONKEY_WITH_A_VERY_LONG_NAME_THAT_GOES_ON_AND_ON_AND_ON_AND_ON",
         "EXTENSION_LOG_"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(read_with(cases[i].name, "a-value"));
        assert_int_equal(lines_in(&report.warnings), 1);
        assert_true(says(&report.warnings, cases[i].name));
        assert_true(says(&report.warnings, cases[i].nearest));
        assert_false(says(&report.warnings, "a-value"));
    }
    assert_true(read_with("EXTENSION_LOGS", "x"));
    assert_int_equal(report.warnings.len, 0);
    assert_true(read_with("extension_log_flush", "x"));
    assert_int_equal(report.warnings.len, 0);
}

static void tags_are_taken_or_a_mistake(void **state) {
    (void)state;
    assert_true(read_with("EXTENSION_LOG_TAGS", "team=payments,stage=prod"));
    assert_int_equal(config.tag_count, 2);
    assert_span(config.tags[1].value, "prod");
    assert_false(read_with("EXTENSION_LOG_TAGS", "team"));
    assert_int_equal(config.tag_count, 0);
    assert_true(says(&report.errors, "`key=value,key=value`, at most 32"));
}

static void compression_is_for_lines_and_arrays_only(void **state) {
    (void)state;
    static const char *const refused[] = {"event", "kpl"};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        (void)tear_down(NULL);
        (void)start(NULL);
        set("EXTENSION_LOG_FORMAT", refused[i]);
        set("EXTENSION_LOG_COMPRESSION", "gzip");
        assert_false(read_it());
        assert_int_equal(lines_in(&report.errors), 1);
        assert_true(says(&report.errors, "EXTENSION_LOG_COMPRESSION=gzip is not allowed with "));
        assert_true(says(&report.errors, "EXTENSION_LOG_FORMAT="));
        assert_true(says(&report.errors, refused[i]));
        assert_int_equal(config.compression, COMPRESSION_NONE);
    }
}

static void compressed_records_are_filled_with_ten_times_as_much_unless_told(void **state) {
    (void)state;
    assert_true(read_with("EXTENSION_LOG_COMPRESSION", "gzip"));
    assert_int_equal(config.compression, COMPRESSION_GZIP);
    assert_int_equal(config.record_bytes, 250000);
    set("EXTENSION_LOG_RECORD_BYTES", "5000");
    set("EXTENSION_LOG_FORMAT", "batch");
    assert_true(read_it());
    assert_int_equal(config.record_bytes, 5000);
    assert_true(read_with("EXTENSION_LOG_COMPRESSION", "none"));
    assert_int_equal(config.record_bytes, 25000);
    assert_int_equal(config.stretched_bytes, 250000);
}

static void records_are_no_larger_than_told(void **state) {
    (void)state;
    assert_true(read_with("EXTENSION_LOG_RECORD_BYTES", "25000"));
    assert_int_equal(config.record_bytes, 25000);
    assert_int_equal(config.stretched_bytes, 0);
    assert_true(read_with("EXTENSION_LOG_COMPRESSION", "gzip"));
    assert_int_equal(config.stretched_bytes, 0);
}

static void log_events_of_cloudwatch_are_always_compressed(void **state) {
    (void)state;
    assert_true(read_with("EXTENSION_LOG_FORMAT", "cloudwatch"));
    assert_int_equal(config.compression, COMPRESSION_GZIP);
    assert_int_equal(config.record_bytes, 250000);
    set("EXTENSION_LOG_COMPRESSION", "gzip");
    assert_true(read_it());
    assert_int_equal(config.compression, COMPRESSION_GZIP);
    assert_int_equal(report.warnings.len, 0);
}

static void tags_that_have_no_place_are_told(void **state) {
    (void)state;
    set("EXTENSION_LOG_TAGS", "team=payments");
    set("EXTENSION_LOG_FORMAT", "cloudwatch");
    assert_true(read_it());
    assert_int_equal(lines_in(&report.warnings), 1);
    assert_true(says(&report.warnings, "EXTENSION_LOG_TAGS is without effect with "
                                       "EXTENSION_LOG_FORMAT=cloudwatch"));
}

static void a_long_value_is_cut_in_the_report(void **state) {
    (void)state;
    char value[1500];
    memset(value, 'v', sizeof value);
    value[sizeof value - 1] = '\0';
    assert_false(read_with("EXTENSION_LOG_FLUSH", value));
    assert_in_range(report.errors.len, 100, 300);
}

static void an_empty_environment_yields_the_defaults(void **state) {
    (void)state;
    assert_false(config_read(environment, &config, &report));
    assert_int_equal(config.queue_bytes, 8388608);
    assert_ptr_equal(config.format, &format_ndjson);
    assert_true(says(&report.errors, "AWS_KINESIS_STREAM_NAME is not set"));
}

static void the_settings_are_printed_as_a_table(void **state) {
    (void)state;
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    config_print_settings(out);
    (void)fclose(out);
    assert_non_null(strstr(text, "| `AWS_KINESIS_STREAM_NAME` | (required) |"));
    assert_non_null(strstr(text, "| `EXTENSION_LOG_HOLD_MS` | `1000` | 0-60000 |"));
    size_t rows = 0;
    for (const char *at = text; *at != '\0'; at++) {
        rows += *at == '\n';
    }
    assert_int_equal(rows, 2 + 23);
    free(text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_stream_and_what_lambda_sets_are_enough),
        TEST(numbers_are_taken_within_their_bounds_only),
        TEST(what_is_no_plain_number_is_a_mistake),
        TEST(the_port_of_the_runtime_api_is_not_for_the_listener),
        TEST(choices_are_taken_by_their_names),
        TEST(other_words_are_mistakes_that_name_the_choices),
        TEST(types_are_a_list),
        TEST(all_mistakes_are_reported_together),
        TEST(a_mistake_leaves_every_other_setting_in_force),
        TEST(an_empty_or_blank_value_counts_as_unset),
        TEST(blanks_around_a_value_do_not_count),
        TEST(an_unknown_name_of_ours_gets_a_warning_with_the_nearest),
        TEST(tags_are_taken_or_a_mistake),
        TEST(compression_is_for_lines_and_arrays_only),
        TEST(compressed_records_are_filled_with_ten_times_as_much_unless_told),
        TEST(records_are_no_larger_than_told),
        TEST(log_events_of_cloudwatch_are_always_compressed),
        TEST(tags_that_have_no_place_are_told),
        TEST(a_long_value_is_cut_in_the_report),
        TEST(an_empty_environment_yields_the_defaults),
        TEST(the_settings_are_printed_as_a_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
