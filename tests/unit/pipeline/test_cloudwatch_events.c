// SPDX-License-Identifier: MIT
#include "pipeline/cloudwatch_events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "an_event.h"

#define EVENT(time, type, record)                                                                  \
    "[{\"time\":\"" time "\",\"type\":\"" type "\",\"record\":" record "}]"
#define START(time) EVENT(time, "platform.start", "{\"requestId\":\"r\"}")
#define DONE(time, status)                                                                         \
    EVENT(time, "platform.runtimeDone", "{\"requestId\":\"r\",\"status\":\"" status "\"}")
#define LOG(time) EVENT(time, "function", "\"a line\\n\"")

#define AT "2026-03-14T15:09:26.535Z"
#define AT_MS "1773500966535"
#define LATER "2026-03-14T15:09:29.540Z"
#define LATER_MS "1773500969540"
#define ENVIRONMENT "104713894630100" /* 5f3c9a7e12d4 */
#define NUMBER "00000000000000000042"

enum { NOW_MS = 1000 };

static struct cloudwatch_events events;

static void set_up_for(bool has_end_events) {
    cloudwatch_events_done(&events);
    cloudwatch_events_init(&events, "5f3c9a7e12d4", has_end_events, NOW_MS);
}

static int set_up(void **state) {
    (void)state;
    set_up_for(true);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    cloudwatch_events_done(&events);
    return 0;
}

static struct event made_of(const char *text) {
    struct event event = an_event(text);
    struct event made;
    assert_true(cloudwatch_events_shows(&events, &event));
    assert_true(cloudwatch_events_make(&events, &event, 42, &made, NULL));
    return made;
}

static void expect_text(struct event made, const char *text) {
    assert_int_equal(made.text.len, strlen(text));
    assert_memory_equal(made.text.ptr, text, made.text.len);
}

static void a_log_event_has_id_time_and_message(void **state) {
    (void)state;
    struct event made = made_of(LOG(AT));
    expect_text(made, "{\"id\":\"" AT_MS ENVIRONMENT NUMBER "00000000\",\"timestamp\":" AT_MS
                      ",\"message\":\"a line\\n\"}");
    assert_true(span_equals(made.record, SPAN("\"a line\\n\"")));
    assert_true(span_equals(made.type, SPAN("function")));
    assert_memory_equal(made.text.ptr + CLOUDWATCH_COUNT_AT, "00000000\"", 9);
}

static void an_event_is_the_same_log_event_on_every_try(void **state) {
    (void)state;
    char first[200] = "";
    struct event made = made_of(LOG(AT));
    assert_in_range(made.text.len, 1, sizeof first - 1);
    memcpy(first, made.text.ptr, made.text.len);
    (void)made_of(LOG(LATER));
    expect_text(made_of(LOG(AT)), first);
}

static void other_environments_and_other_numbers_have_other_ids(void **state) {
    (void)state;
    struct event event = an_event(LOG(AT));
    struct event made;
    assert_true(cloudwatch_events_make(&events, &event, UINT64_MAX, &made, NULL));
    assert_non_null(span_find(made.text, SPAN(ENVIRONMENT "1844674407370955161500000000\"")));
    cloudwatch_events_renew(&events, "ffffffffffff");
    assert_true(cloudwatch_events_make(&events, &event, 1, &made, NULL));
    assert_non_null(span_find(made.text, SPAN("281474976710655"
                                              "00000000000000000001")));
}

static void expect_time(const char *text, const char *timestamp) {
    struct event made = made_of(text);
    assert_non_null(span_find(made.text, span_of_text(timestamp)));
}

static void what_has_no_usable_time_has_that_of_the_event_before(void **state) {
    (void)state;
    expect_time("[{\"type\":\"extension.unparsed\",\"record\":\"x\"}]", "\"timestamp\":1000,");
    expect_time(LOG(AT), "\"timestamp\":" AT_MS ",");
    expect_time("[{\"type\":\"extension.unparsed\",\"record\":\"x\"}]", "\"timestamp\":" AT_MS ",");
    expect_time(LOG("soon"), "\"timestamp\":" AT_MS ",");
    expect_time(LOG("1969-12-31T23:59:59.999Z"), "\"timestamp\":" AT_MS ",");
    expect_time(LOG("1970-01-01T00:00:00.000Z"), "{\"id\":\"0000000000000" ENVIRONMENT);
    expect_time(LOG("2286-11-20T17:46:39.999Z"), "{\"id\":\"9999999999999" ENVIRONMENT);
    expect_time(LOG("2286-11-20T17:46:40.000Z"), "\"timestamp\":9999999999999,");
}

static bool is_shown(const char *text) {
    struct event event = an_event(text);
    return cloudwatch_events_shows(&events, &event);
}

static void where_the_platform_tells_no_end_that_of_the_runtime_is_it(void **state) {
    (void)state;
    set_up_for(false);
    struct event made = made_of(DONE(AT, "success"));
    expect_text(made, "{\"id\":\"" AT_MS ENVIRONMENT NUMBER "00000000\",\"timestamp\":" AT_MS
                      ",\"message\":\"END RequestId: r\\n\"}");
    assert_int_equal(made.record.len, 0);
    set_up_for(true);
    assert_false(is_shown(DONE(AT, "success")));
}

#define TIMED_OUT                                                                                  \
    "{\"id\":\"" LATER_MS ENVIRONMENT NUMBER "00000000\",\"timestamp\":" LATER_MS                  \
    ",\"message\":\"" LATER " r Task timed out after 3.00 seconds\\n\\n\"}"

static void a_time_out_has_a_line_of_its_own(void **state) {
    (void)state;
    (void)made_of(START(AT));
    expect_text(made_of(DONE(LATER, "timeout")), TIMED_OUT);
}

static void a_time_out_comes_before_the_end_with_an_id_of_its_own(void **state) {
    (void)state;
    set_up_for(false);
    (void)made_of(START(AT));
    expect_text(made_of(DONE(LATER, "timeout")), TIMED_OUT ",{\"id\":\"" LATER_MS ENVIRONMENT NUMBER
                                                           "00000001\",\"timestamp\":" LATER_MS
                                                           ",\"message\":\"END RequestId: r\\n\"}");
}

static void what_cloudwatch_does_not_show_is_not_shown(void **state) {
    (void)state;
    assert_true(is_shown(LOG(AT)));
    assert_false(is_shown(EVENT(AT, "platform.initRuntimeDone", "{\"status\":\"success\"}")));
    assert_false(is_shown(EVENT(AT, "platform.initStart", "{}")));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_log_event_has_id_time_and_message),
        TEST(an_event_is_the_same_log_event_on_every_try),
        TEST(other_environments_and_other_numbers_have_other_ids),
        TEST(what_has_no_usable_time_has_that_of_the_event_before),
        TEST(where_the_platform_tells_no_end_that_of_the_runtime_is_it),
        TEST(a_time_out_has_a_line_of_its_own),
        TEST(a_time_out_comes_before_the_end_with_an_id_of_its_own),
        TEST(what_cloudwatch_does_not_show_is_not_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
