// SPDX-License-Identifier: MIT
#include "lambda/lambda_event.h"

#include "../guarded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void reads_an_invocation(void **state) {
    (void)state;
    struct lambda_event event;
    struct error err = {0};
    assert_true(lambda_event_parse(
        SPAN("{\"eventType\":\"INVOKE\",\"deadlineMs\":1775001600123,"
             "\"requestId\":\"3da1f2dc-3222-475e-9205-e2e6c6318895\","
             "\"invokedFunctionArn\":\"arn:aws:lambda:us-east-1:123456789012:function:Test\","
             "\"tracing\":{\"type\":\"X-Amzn-Trace-Id\",\"value\":\"Root=1\"}} \n"),
        &event, &err));
    assert_int_equal(event.type, LAMBDA_INVOKE);
    assert_int_equal(event.deadline_ms, 1775001600123);
    assert_string_equal(event.request_id, "3da1f2dc-3222-475e-9205-e2e6c6318895");
    assert_string_equal(event.function_arn, "arn:aws:lambda:us-east-1:123456789012:function:Test");
}

static void reads_a_shutdown_with_its_reason_in_any_case(void **state) {
    (void)state;
    const struct {
        const char *json;
        enum lambda_shutdown_reason reason;
        const char *name;
    } cases[] = {
        {"{\"eventType\":\"SHUTDOWN\",\"shutdownReason\":\"SPINDOWN\",\"deadlineMs\":1}",
         LAMBDA_SPINDOWN, "SPINDOWN"},
        {"{\"eventType\":\"SHUTDOWN\",\"shutdownReason\":\"spindown\",\"deadlineMs\":1}",
         LAMBDA_SPINDOWN, "SPINDOWN"},
        {"{\"eventType\":\"SHUTDOWN\",\"shutdownReason\":\"Timeout\",\"deadlineMs\":1}",
         LAMBDA_TIMEOUT, "TIMEOUT"},
        {"{\"eventType\":\"SHUTDOWN\",\"shutdownReason\":\"failure\",\"deadlineMs\":1}",
         LAMBDA_FAILURE, "FAILURE"},
        {"{\"eventType\":\"SHUTDOWN\",\"shutdownReason\":\"sunday\",\"deadlineMs\":1}",
         LAMBDA_REASON_UNKNOWN, "unknown"},
        {"{\"eventType\":\"SHUTDOWN\",\"deadlineMs\":1}", LAMBDA_REASON_UNKNOWN, "unknown"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct lambda_event event;
        struct error err = {0};
        assert_true(lambda_event_parse(span_of_text(cases[i].json), &event, &err));
        assert_int_equal(event.type, LAMBDA_SHUTDOWN);
        assert_int_equal(event.shutdown_reason, cases[i].reason);
        assert_string_equal(lambda_shutdown_reason_name(event.shutdown_reason), cases[i].name);
    }
}

static void reads_a_deadline_as_number_or_numeric_string(void **state) {
    (void)state;
    const struct {
        const char *json;
        int64_t deadline_ms;
    } cases[] = {
        {"{\"eventType\":\"INVOKE\",\"deadlineMs\":0}", 0},
        {"{\"eventType\":\"INVOKE\",\"deadlineMs\":676051}", 676051},
        {"{\"eventType\":\"INVOKE\",\"deadlineMs\":1.775001600123e12}", 1775001600123},
        {"{\"eventType\":\"INVOKE\",\"deadlineMs\":\"1775001600123\"}", 1775001600123},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct lambda_event event;
        struct error err = {0};
        assert_true(lambda_event_parse(span_of_text(cases[i].json), &event, &err));
        assert_int_equal(event.deadline_ms, cases[i].deadline_ms);
    }
}

static void refuses_what_is_not_an_event(void **state) {
    (void)state;
    const char *const cases[] = {
        "",
        "   ",
        "null",
        "[]",
        "\"INVOKE\"",
        "{}",
        "{\"eventType\":\"INVOKE\"}",
        "{\"deadlineMs\":1}",
        "{\"eventType\":\"invoke\",\"deadlineMs\":1}",
        "{\"eventType\":7,\"deadlineMs\":1}",
        "{\"eventType\":\"RESTORE\",\"deadlineMs\":1}",
        "{\"eventType\":\"INVOKE\",\"deadlineMs\":-1}",
        "{\"eventType\":\"INVOKE\",\"deadlineMs\":1e300}",
        "{\"eventType\":\"INVOKE\",\"deadlineMs\":null}",
        "{\"eventType\":\"INVOKE\",\"deadlineMs\":\"\"}",
        "{\"eventType\":\"INVOKE\",\"deadlineMs\":\"soon\"}",
        "{\"eventType\":\"INVOKE\",\"deadlineMs\":\"18446744073709551615\"}",
        "{\"eventType\":\"INVOKE\",\"deadlineMs\":1",
        "{\"eventType\":\"INVOKE\",\"deadlineMs\":1}{",
        "<html>",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct lambda_event event = {.deadline_ms = 42};
        struct error err = {0};
        assert_false(lambda_event_parse(span_of_text(cases[i]), &event, &err));
        assert_int_equal(err.code, ERR_INVALID);
        assert_int_equal(event.deadline_ms, 42);
    }
}

static void cuts_what_is_too_long_and_keeps_it_printable(void **state) {
    (void)state;
    char json[1024] = "{\"eventType\":\"INVOKE\",\"deadlineMs\":1,\"requestId\":\"a\\nb\\u00e9";
    size_t length = strlen(json);
    memset(json + length, 'x', 500);
    memcpy(json + length + 500, "\"}", 3);
    struct lambda_event event;
    struct error err = {0};
    assert_true(lambda_event_parse(span_of_text(json), &event, &err));
    assert_int_equal(strlen(event.request_id), LAMBDA_ID_BYTES - 1);
    assert_memory_equal(event.request_id, "a?b??xxx", 8);
    assert_string_equal(event.function_arn, "");
}

static void does_not_read_past_the_end_of_any_prefix(void **state) {
    (void)state;
    const struct span whole =
        SPAN("{\"eventType\":\"SHUTDOWN\",\"shutdownReason\":\"\\ud83d\\ude00\","
             "\"deadlineMs\":\"12\",\"x\":[true,false,null,-1.5e3]}");
    for (size_t length = 0; length < whole.len; length++) {
        struct guarded guarded = guarded_copy(span_first(whole, length));
        struct lambda_event event;
        struct error err = {0};
        assert_false(lambda_event_parse(guarded.text, &event, &err));
        guarded_done(&guarded);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_an_invocation),
        cmocka_unit_test(reads_a_shutdown_with_its_reason_in_any_case),
        cmocka_unit_test(reads_a_deadline_as_number_or_numeric_string),
        cmocka_unit_test(refuses_what_is_not_an_event),
        cmocka_unit_test(cuts_what_is_too_long_and_keeps_it_printable),
        cmocka_unit_test(does_not_read_past_the_end_of_any_prefix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
