// SPDX-License-Identifier: MIT
#include "pipeline/classic_text.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "an_event.h"

#define ID "c6f51570-438d-48c1-9c6e-7e5fc6352d29"
#define WITH_ID "{\"requestId\":\"" ID "\""
#define RUNTIME_ARN "arn:aws:lambda:eu-central-1::runtime:2d711642"

static struct buf out;

static int set_up(void **state) {
    (void)state;
    out = buf_with_ceiling(SSIZE_MAX);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    buf_done(&out);
    return 0;
}

static void expect_text(const char *expected) {
    const char *text = buf_text(&out);
    assert_non_null(text);
    assert_string_equal(text, expected);
}

static struct event an_event_of(const char *type, const char *record) {
    static char text[2000];
    int length = snprintf(text, sizeof text,
                          "[{\"time\":\"2026-03-14T15:09:26.535Z\",\"type\":\"%s\",\"record\":%s}]",
                          type, record);
    assert_in_range(length, 1, sizeof text - 1);
    return an_event(text);
}

static void expect(const char *type, const char *record, const char *text) {
    struct event event = an_event_of(type, record);
    assert_true(classic_text_exists(&event));
    buf_clear(&out);
    classic_text_append(&out, &event);
    expect_text(text);
}

static void expect_none(const char *type, const char *record) {
    struct event event = an_event_of(type, record);
    assert_false(classic_text_exists(&event));
}

static void a_log_is_shown_as_it_was_written(void **state) {
    (void)state;
    expect("function", "\"a line\\n\"", "a line\\n");
    expect("function", "\"\"", "");
    expect("function", "\"tab\\t \\\"quote\\\" \\u0000 \\ud83d\\ude00 é\"",
           "tab\\t \\\"quote\\\" \\u0000 \\ud83d\\ude00 é");
    expect("extension", "\"{\\\"level\\\":\\\"info\\\"}\"", "{\\\"level\\\":\\\"info\\\"}");
}

static void a_log_that_is_json_is_shown_as_its_text(void **state) {
    (void)state;
    expect("function", "{\"level\":\"INFO\",\n \"n\":12345678901234567890,\"t\":\"a\\nb\"}",
           "{\\\"level\\\":\\\"INFO\\\",\\n \\\"n\\\":12345678901234567890,"
           "\\\"t\\\":\\\"a\\\\nb\\\"}");
    expect("function", "null", "null");
}

static void an_invocation_has_start_end_and_report(void **state) {
    (void)state;
    expect("platform.start", WITH_ID ",\"version\":\"$LATEST\"}",
           "START RequestId: " ID " Version: $LATEST\\n");
    expect("platform.start", WITH_ID "}", "START RequestId: " ID "\\n");
    expect("platform.end", WITH_ID "}", "END RequestId: " ID "\\n");
    expect("platform.report",
           WITH_ID ",\"metrics\":{\"durationMs\":101.5,\"billedDurationMs\":300,"
                   "\"memorySizeMB\":512,\"maxMemoryUsedMB\":33,\"initDurationMs\":116.666}}",
           "REPORT RequestId: " ID "\\tDuration: 101.50 ms\\tBilled Duration: 300 ms\\t"
           "Memory Size: 512 MB\\tMax Memory Used: 33 MB\\tInit Duration: 116.67 ms\\t\\n");
}

static void a_report_says_what_a_restore_took(void **state) {
    (void)state;
    expect("platform.report",
           WITH_ID ",\"status\":\"success\",\"metrics\":{\"durationMs\":12.0,"
                   "\"billedDurationMs\":45,\"memorySizeMB\":512,\"maxMemoryUsedMB\":140,"
                   "\"restoreDurationMs\":315.19,\"billedRestoreDurationMs\":33}}",
           "REPORT RequestId: " ID "\\tDuration: 12.00 ms\\tBilled Duration: 45 ms\\t"
           "Memory Size: 512 MB\\tMax Memory Used: 140 MB\\tRestore Duration: 315.19 ms\\t"
           "Billed Restore Duration: 33 ms\\t\\n");
}

static void a_report_of_a_failure_says_how_it_ended(void **state) {
    (void)state;
    expect("platform.report", WITH_ID ",\"status\":\"timeout\",\"metrics\":{\"durationMs\":3000}}",
           "REPORT RequestId: " ID "\\tDuration: 3000.00 ms\\tStatus: timeout\\n");
    expect("platform.report",
           WITH_ID ",\"status\":\"error\",\"errorType\":\"Runtime.ExitError\","
                   "\"metrics\":{\"durationMs\":3}}",
           "REPORT RequestId: " ID "\\tDuration: 3.00 ms\\tStatus: error\\t"
           "Error Type: Runtime.ExitError\\n");
}

#define TRACED_REPORT(trace)                                                                       \
    WITH_ID                                                                                        \
    ",\"tracing\":{\"spanId\":\"c4e42127\",\"type\":\"X-Amzn-Trace-Id\",\"value\":\"" trace "\"}}"

static void a_report_of_a_traced_invocation_has_a_line_for_x_ray(void **state) {
    (void)state;
    expect("platform.report", TRACED_REPORT("Root=1-69b56e36-8dc0;Parent=38d21d74;Sampled=1"),
           "REPORT RequestId: " ID "\\t\\nXRAY TraceId: 1-69b56e36-8dc0\\tSegmentId: 38d21d74\\t"
           "Sampled: true\\t\\n");
    expect("platform.report", TRACED_REPORT("Sampled=0;Root=1-6"),
           "REPORT RequestId: " ID "\\t\\nXRAY TraceId: 1-6\\tSegmentId: \\tSampled: false\\t\\n");
    expect("platform.report", TRACED_REPORT(""), "REPORT RequestId: " ID "\\t\\n");
}

static void the_start_of_an_environment_names_its_runtime(void **state) {
    (void)state;
    static const char runtime[] = "{\"initializationType\":\"on-demand\",\"runtimeVersion\":"
                                  "\"nodejs:24.v7\",\"runtimeVersionArn\":\"" RUNTIME_ARN "\"}";
    expect("platform.initStart", runtime,
           "INIT_START Runtime Version: nodejs:24.v7\\tRuntime Version ARN: " RUNTIME_ARN "\\n");
    expect("platform.restoreStart", runtime,
           "RESTORE_START Runtime Version: nodejs:24.v7\\tRuntime Version ARN: " RUNTIME_ARN "\\n");
    /* A container image has none, and the Logs API tells none. */
    expect_none("platform.initStart", "{\"initializationType\":\"on-demand\"}");
    expect_none("platform.restoreStart", "{}");
}

static void an_init_is_reported_when_it_failed_or_made_a_snapshot(void **state) {
    (void)state;
    expect_none("platform.initReport", "{\"initializationType\":\"on-demand\",\"phase\":\"init\","
                                       "\"status\":\"success\",\"metrics\":{\"durationMs\":138}}");
    expect("platform.initReport",
           "{\"initializationType\":\"snap-start\",\"metrics\":{\"durationMs\":731.79}}",
           "INIT_REPORT Init Duration: 731.79 ms\\n");
    expect("platform.initReport",
           "{\"initializationType\":\"on-demand\",\"phase\":\"init\",\"status\":\"timeout\","
           "\"metrics\":{\"durationMs\":10008.271}}",
           "INIT_REPORT Init Duration: 10008.27 ms\\tPhase: init\\tStatus: timeout\\n");
    expect("platform.initReport",
           "{\"initializationType\":\"on-demand\",\"phase\":\"invoke\",\"status\":\"error\","
           "\"errorType\":\"Runtime.ExitError\",\"metrics\":{\"durationMs\":5.36}}",
           "INIT_REPORT Init Duration: 5.36 ms\\tPhase: invoke\\tStatus: error\\t"
           "Error Type: Runtime.ExitError\\n");
}

static void a_restore_is_always_reported(void **state) {
    (void)state;
    expect("platform.restoreReport", "{\"status\":\"success\",\"metrics\":{\"durationMs\":315.19}}",
           "RESTORE_REPORT Restore Duration: 315.19 ms\\n");
    expect("platform.restoreReport", "{\"status\":\"timeout\",\"errorType\":\"Runtime.Unknown\"}",
           "RESTORE_REPORT\\tStatus: timeout\\tError Type: Runtime.Unknown\\n");
}

static void extensions_and_subscriptions_are_named(void **state) {
    (void)state;
    expect("platform.extension",
           "{\"name\":\"shipper\",\"state\":\"Ready\",\"events\":[\"INVOKE\",\"SHUTDOWN\"]}",
           "EXTENSION\\tName: shipper\\tState: Ready\\tEvents: [INVOKE, SHUTDOWN]\\n");
    expect("platform.extension",
           "{\"name\":\"shipper\",\"state\":\"LaunchError\",\"events\":[],"
           "\"errorType\":\"PermissionDenied\"}",
           "EXTENSION\\tName: shipper\\tState: LaunchError\\tEvents: []\\t"
           "Error Type: PermissionDenied\\n");
    expect("platform.logsSubscription",
           "{\"name\":\"shipper\",\"state\":\"Subscribed\",\"types\":[\"function\"]}",
           "LOGS\\tName: shipper\\tState: Subscribed\\tTypes: [function]\\n");
    expect("platform.telemetrySubscription",
           "{\"name\":\"shipper\",\"state\":\"Subscribed\",\"types\":[\"function\"]}",
           "TELEMETRY\\tName: shipper\\tState: Subscribed\\tTypes: [function]\\n");
}

static void a_fault_is_shown_in_its_own_words(void **state) {
    (void)state;
    expect("platform.fault", "\"RequestId: " ID " Process exited before completing request\"",
           "RequestId: " ID " Process exited before completing request");
}

static void what_no_line_is_known_for_is_shown_whole(void **state) {
    (void)state;
    struct event event = an_event_of("platform.logsDropped", "{\"droppedRecords\":3}");
    assert_true(classic_text_exists(&event));
    classic_text_append(&out, &event);
    expect_text("{\\\"time\\\":\\\"2026-03-14T15:09:26.535Z\\\","
                "\\\"type\\\":\\\"platform.logsDropped\\\","
                "\\\"record\\\":{\\\"droppedRecords\\\":3}}");
    event = an_event("[{\"type\":\"function\"}]");
    buf_clear(&out);
    classic_text_append(&out, &event);
    expect_text("{\\\"type\\\":\\\"function\\\"}");
}

static void what_is_measured_only_is_not_shown(void **state) {
    (void)state;
    expect_none("platform.runtimeDone", WITH_ID ",\"status\":\"success\"}");
    expect_none("platform.initRuntimeDone", "{\"status\":\"success\"}");
    expect_none("platform.restoreRuntimeDone", "{\"status\":\"success\"}");
}

static void an_end_and_a_time_out_can_be_told_of_another_event(void **state) {
    (void)state;
    struct event event = an_event_of("platform.runtimeDone", WITH_ID ",\"status\":\"timeout\"}");
    classic_text_append_timeout(&out, &event, 3004);
    expect_text("2026-03-14T15:09:26.535Z " ID " Task timed out after 3.00 seconds\\n\\n");
    buf_clear(&out);
    classic_text_append_end(&out, &event);
    expect_text("END RequestId: " ID "\\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_log_is_shown_as_it_was_written),
        TEST(a_log_that_is_json_is_shown_as_its_text),
        TEST(an_invocation_has_start_end_and_report),
        TEST(a_report_says_what_a_restore_took),
        TEST(a_report_of_a_failure_says_how_it_ended),
        TEST(a_report_of_a_traced_invocation_has_a_line_for_x_ray),
        TEST(the_start_of_an_environment_names_its_runtime),
        TEST(an_init_is_reported_when_it_failed_or_made_a_snapshot),
        TEST(a_restore_is_always_reported),
        TEST(extensions_and_subscriptions_are_named),
        TEST(a_fault_is_shown_in_its_own_words),
        TEST(what_no_line_is_known_for_is_shown_whole),
        TEST(what_is_measured_only_is_not_shown),
        TEST(an_end_and_a_time_out_can_be_told_of_another_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
