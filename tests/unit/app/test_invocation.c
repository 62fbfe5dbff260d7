// SPDX-License-Identifier: MIT
#include "app/invocation.h"

#include "../fake_clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct fake_clock clock_of_test;

static struct invocation begin(const char *request_id) {
    struct lambda_event event = {.type = LAMBDA_INVOKE};
    (void)snprintf(event.request_id, sizeof event.request_id, "%s", request_id);
    clock_of_test = fake_clock_at(5000, 1773500966536);
    return invocation_begun(&event, 5000);
}

/* Reads the one event of a body that has no other. */
static void read_event(struct invocation *invocation, const char *record) {
    struct buf body = buf_with_ceiling(1000);
    buf_append_format(&body, "[{\"time\":\"t\",\"type\":\"platform.runtimeDone\",\"record\":%s}]",
                      record);
    struct event_splitter splitter;
    struct event event;
    event_splitter_init(&splitter, buf_span(&body));
    assert_int_equal(event_splitter_next(&splitter, &event), SPLITTER_EVENT);
    invocation_on_event(invocation, event_kind_of(&event), &event);
    buf_done(&body);
}

static void a_function_was_killed_when_the_reason_says_so_and_its_end_did_not_come(void **state) {
    (void)state;
    struct invocation invocation = begin("r-1");
    assert_true(invocation_was_killed(&invocation, LAMBDA_TIMEOUT));
    assert_true(invocation_was_killed(&invocation, LAMBDA_FAILURE));
    assert_false(invocation_was_killed(&invocation, LAMBDA_SPINDOWN));
    assert_false(invocation_was_killed(&invocation, LAMBDA_REASON_UNKNOWN));
}

static void an_environment_without_an_invocation_killed_none(void **state) {
    (void)state;
    struct invocation none = {0};
    assert_false(invocation_was_killed(&none, LAMBDA_TIMEOUT));
    assert_false(invocation_was_killed(&none, LAMBDA_FAILURE));
}

static void only_the_successful_end_of_this_invocation_means_that_it_lived(void **state) {
    (void)state;
    static const struct {
        const char *record;
        bool killed;
    } cases[] = {
        {"{\"requestId\":\"r-1\",\"status\":\"success\"}", false},
        {"{\"requestId\":\"r-1\",\"status\":\"failure\"}", true},
        {"{\"requestId\":\"r-1\",\"status\":\"error\"}", true},
        {"{\"requestId\":\"r-1\",\"status\":\"timeout\"}", true},
        {"{\"requestId\":\"r-1\"}", true},
        {"{\"requestId\":\"r-0\",\"status\":\"success\"}", true},
        {"{\"status\":\"success\"}", true},
        {"\"success\"", true},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct invocation invocation = begin("r-1");
        read_event(&invocation, cases[i].record);
        assert_true(invocation_was_killed(&invocation, LAMBDA_FAILURE) == cases[i].killed);
    }
}

static void the_report_of_this_invocation_ends_the_wait_for_it(void **state) {
    (void)state;
    static const struct invocation none = {0};
    struct invocation invocation = begin("r-1");
    struct event event = {.record = SPAN("{\"requestId\":\"r-0\"}")};
    assert_false(invocation_awaits_report(&none));
    invocation_on_event(&invocation, EVENT_REPORT, &event);
    event.record = SPAN("{\"requestId\":\"r-1\",\"status\":\"success\"}");
    invocation_on_event(&invocation, EVENT_RUNTIME_DONE, &event);
    assert_true(invocation_awaits_report(&invocation));
    invocation_on_event(&invocation, EVENT_REPORT, &event);
    assert_false(invocation_awaits_report(&invocation));
}

static void other_events_of_the_request_are_not_its_end(void **state) {
    (void)state;
    struct invocation invocation = begin("r-1");
    struct event event = {.record = SPAN("{\"requestId\":\"r-1\",\"status\":\"success\"}")};
    invocation_on_event(&invocation, EVENT_REPORT, &event);
    assert_true(invocation_was_killed(&invocation, LAMBDA_TIMEOUT));
}

static void expect_termination(const char *request_id, enum lambda_shutdown_reason reason,
                               int64_t after_ms, const char *expected) {
    struct invocation invocation = begin(request_id);
    struct buf body = buf_with_ceiling(1000);
    fake_clock_pass(&clock_of_test, after_ms);
    invocation_append_termination(&invocation, reason, &clock_of_test.clock, &body);
    assert_string_equal(buf_text(&body), expected);
    buf_done(&body);
}

static void one_delivery_says_which_request_was_killed_why_and_after_how_long(void **state) {
    (void)state;
    expect_termination("8b1f", LAMBDA_TIMEOUT, 3004,
                       "[{\"time\":\"2026-03-14T15:09:29.540Z\","
                       "\"type\":\"extension.functionTerminated\",\"record\":{"
                       "\"requestId\":\"8b1f\",\"reason\":\"TIMEOUT\",\"durationMs\":3004}}]");
    expect_termination("a\"b", LAMBDA_FAILURE, 0,
                       "[{\"time\":\"2026-03-14T15:09:26.536Z\","
                       "\"type\":\"extension.functionTerminated\",\"record\":{"
                       "\"requestId\":\"a\\\"b\",\"reason\":\"FAILURE\",\"durationMs\":0}}]");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_function_was_killed_when_the_reason_says_so_and_its_end_did_not_come),
        cmocka_unit_test(an_environment_without_an_invocation_killed_none),
        cmocka_unit_test(only_the_successful_end_of_this_invocation_means_that_it_lived),
        cmocka_unit_test(the_report_of_this_invocation_ends_the_wait_for_it),
        cmocka_unit_test(other_events_of_the_request_are_not_its_end),
        cmocka_unit_test(one_delivery_says_which_request_was_killed_why_and_after_how_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
