// SPDX-License-Identifier: MIT
#include "pipeline/cloudwatch_envelope.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void expect(const struct cloudwatch_origin *origin, const char *text) {
    CLEANUP(buf_done) struct buf out = buf_with_ceiling(SSIZE_MAX);
    cloudwatch_envelope_append(&out, origin);
    const char *appended = buf_text(&out);
    assert_non_null(appended);
    assert_string_equal(appended, text);
}

static void it_names_account_function_and_environment(void **state) {
    (void)state;
    const struct cloudwatch_origin origin = {
        .account_id = SPAN("123456789012"),
        .function_name = SPAN("orders"),
        .function_version = SPAN("$LATEST"),
        .environment_id = SPAN("5f3c9a7e12d4"),
        .started_ms = 1773500966536,
    };
    expect(&origin, "{\"messageType\":\"DATA_MESSAGE\",\"owner\":\"123456789012\","
                    "\"logGroup\":\"/aws/lambda/orders\","
                    "\"logStream\":\"2026/03/14/[$LATEST]5f3c9a7e12d4\","
                    "\"subscriptionFilters\":[\"kinesis-stream-logs-extension\"],\"logEvents\":[");
}

static void what_is_not_known_is_empty_and_whatever_is_known_stays_json(void **state) {
    (void)state;
    const struct cloudwatch_origin origin = {.function_name = SPAN("a\"b")};
    expect(&origin, "{\"messageType\":\"DATA_MESSAGE\",\"owner\":\"\","
                    "\"logGroup\":\"/aws/lambda/a\\\"b\",\"logStream\":\"1970/01/01/[]\","
                    "\"subscriptionFilters\":[\"kinesis-stream-logs-extension\"],\"logEvents\":[");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_names_account_function_and_environment),
        cmocka_unit_test(what_is_not_known_is_empty_and_whatever_is_known_stays_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
