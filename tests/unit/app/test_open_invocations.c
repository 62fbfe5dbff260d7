// SPDX-License-Identifier: MIT
#include "app/open_invocations.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct open_invocations open;

static int tear_down(void **state) {
    (void)state;
    open_invocations_done(&open);
    return 0;
}

static void hear(enum event_kind kind, const char *request_id, int64_t now_ms) {
    char record[100];
    (void)snprintf(record, sizeof record, "{\"requestId\":\"%s\"}", request_id);
    const struct event event = {.record = span_of_text(record)};
    open_invocations_on_event(&open, kind, &event, now_ms);
}

/* Starts as many as `count`, called 0, 1, 2 and so on, a millisecond apart. */
static void start(unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        char request_id[20];
        (void)snprintf(request_id, sizeof request_id, "%u", i);
        hear(EVENT_START, request_id, i);
    }
}

static void those_that_have_no_report_are_open(void **state) {
    (void)state;
    hear(EVENT_START, "a", 100);
    hear(EVENT_START, "b", 200);
    hear(EVENT_START, "c", 300);
    hear(EVENT_PLATFORM, "a", 400);
    hear(EVENT_REPORT, "b", 400);
    hear(EVENT_REPORT, "unknown", 400);
    assert_int_equal(open.count, 2);
    assert_string_equal(open.all[0].request_id, "a");
    assert_int_equal(open.all[0].began_ms, 100);
    assert_string_equal(open.all[1].request_id, "c");
}

static void a_start_without_a_request_opens_nothing(void **state) {
    (void)state;
    hear(EVENT_START, "", 100);
    assert_int_equal(open.count, 0);
}

static void lost_reports_do_not_make_it_grow_for_ever(void **state) {
    (void)state;
    start(OPEN_INVOCATIONS_MAX + 10);
    assert_int_equal(open.count, OPEN_INVOCATIONS_MAX);
    assert_string_equal(open.all[0].request_id, "10");
}

static void what_cannot_be_running_any_more_is_forgotten(void **state) {
    (void)state;
    start(100);
    open_invocations_forget_old(&open, INVOCATION_MAX_MS);
    assert_int_equal(open.count, 100);
    open_invocations_forget_old(&open, INVOCATION_MAX_MS + 50);
    assert_int_equal(open.count, 50);
    hear(EVENT_START, "another", INVOCATION_MAX_MS + 200);
    assert_int_equal(open.count, 1);
    assert_string_equal(open.all[0].request_id, "another");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(those_that_have_no_report_are_open, tear_down),
        cmocka_unit_test_teardown(a_start_without_a_request_opens_nothing, tear_down),
        cmocka_unit_test_teardown(lost_reports_do_not_make_it_grow_for_ever, tear_down),
        cmocka_unit_test_teardown(what_cannot_be_running_any_more_is_forgotten, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
