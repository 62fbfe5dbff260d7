// SPDX-License-Identifier: MIT
#include "pipeline/line_source.h"

#include "../fake_clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define EVENT(type, record) "{\"time\":\"t\",\"type\":\"" type "\",\"record\":" record "}"

static struct batch_queue *queue;
static struct fake_clock at;
static struct enricher enricher;
static struct ledger ledger;
static struct line_source source;
static struct cloudwatch_events log_events; /* of the tests that want them */
static uint64_t observed;
static enum event_kind last_kind;

static void on_event(void *context, enum event_kind kind, const struct event *event,
                     uint64_t position) {
    (void)context;
    assert_true(event->text.len > 0);
    assert_int_equal(position, ++observed);
    last_kind = kind;
}

static int set_up_with(struct shipped_types types, struct cloudwatch_events *cloudwatch) {
    const struct enricher_settings enriched = {
        .enabled = cloudwatch == NULL,
        .environment_id = "5f3c9a7e12d4",
    };
    queue = batch_queue_create(1 << 20, NULL);
    at = fake_clock_at(1000, 1773500966536);
    ledger = (struct ledger){0};
    observed = 0;
    assert_true(enricher_init(&enricher, &enriched, NULL));
    const struct line_source_settings settings = {
        .queue = queue,
        .clock = &at.clock,
        .enricher = &enricher,
        .ledger = &ledger,
        .types = types,
        .cloudwatch = cloudwatch,
        .observer = {.on_event = on_event},
    };
    line_source_init(&source, &settings);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    line_source_done(&source);
    cloudwatch_events_done(&log_events);
    enricher_done(&enricher);
    batch_queue_destroy(queue);
    return 0;
}

static int set_up(void **state) {
    (void)state;
    return set_up_with((struct shipped_types){true, true, true}, NULL);
}

static int set_up_for_log_events(void **state) {
    (void)state;
    cloudwatch_events_init(&log_events, "5f3c9a7e12d4", true, 0);
    return set_up_with((struct shipped_types){true, true, true}, &log_events);
}

static void deliver(struct span text) {
    struct buf body = buf_with_ceiling(text.len + 1);
    buf_append(&body, text);
    assert_true(batch_queue_push(queue, &body, NULL));
}

static struct span line_text(void) {
    static char text[20000];
    struct line line = source.line;
    assert_true(line_length(&line) < sizeof text);
    memcpy(text, line.head.ptr, line.head.len);
    if (line.tail.len > 0) {
        memcpy(text + line.head.len, line.tail.ptr, line.tail.len);
    }
    return span_of(text, line_length(&line));
}

static void expect_in_line(const char *text) {
    assert_true(line_source_fill(&source));
    assert_non_null(span_find(line_text(), span_of_text(text)));
}

static void lines_come_in_order_across_deliveries_and_say_where_one_begins(void **state) {
    (void)state;
    deliver(SPAN("[" EVENT("function", "\"a\"") "," EVENT("function", "\"b\"") "]"));
    deliver(SPAN("[" EVENT("function", "\"c\"") "]"));
    static const char *const records[] = {"\"a\"", "\"b\"", "\"c\""};
    static const bool begins[] = {true, false, true};
    for (size_t i = 0; i < 3; i++) {
        expect_in_line(records[i]);
        expect_in_line(records[i]); /* it stays until it is packed */
        assert_true(source.begins_delivery == begins[i]);
        assert_int_equal(line_source_events(&source), 1);
        assert_int_equal(line_source_event_bytes(&source), source.event.text.len);
        assert_int_equal(source.position, i + 1);
        assert_true(line_source_has_input(&source));
        line_source_next(&source);
    }
    assert_false(line_source_fill(&source));
    assert_false(line_source_has_input(&source));
    assert_int_equal(ledger.received.events, 3);
}

static void types_that_are_not_shipped_are_told_and_left_out(void **state) {
    (void)tear_down(state);
    (void)set_up_with((struct shipped_types){.function = true}, NULL);
    deliver(SPAN("[" EVENT("platform.start", "{\"requestId\":\"r-1\"}") "," EVENT(
        "extension", "\"x\"") "," EVENT("function", "\"a\"") "," EVENT("platform.report",
                                                                       "{}") "]"));
    expect_in_line("\"requestId\":\"r-1\"");
    assert_int_equal(source.position, 3);
    line_source_next(&source);
    assert_false(line_source_fill(&source));
    assert_int_equal(last_kind, EVENT_REPORT);
    assert_int_equal(ledger.filtered, 3);
    assert_int_equal(ledger.received.events, 1);
}

static void what_the_platform_dropped_is_counted(void **state) {
    (void)state;
    deliver(
        SPAN("[" EVENT("platform.logsDropped",
                       "{\"reason\":\"slow\",\"droppedRecords\":12,\"droppedBytes\":3400}") "]"));
    deliver(SPAN("[" EVENT("platform.logsDropped", "{\"droppedRecords\":-1}") "]"));
    deliver(SPAN("[" EVENT("platform.logsDropped", "{\"droppedRecords\":3}") "]"));
    while (line_source_fill(&source)) {
        line_source_next(&source);
    }
    assert_int_equal(ledger.platform_dropped.events, 15);
    assert_int_equal(ledger.platform_dropped.bytes, 3400);
    assert_int_equal(ledger.received.events, 3);
}

/* Else the events after it would be taken for those of the invocation before. */
static void an_event_without_memory_for_its_line_still_opens_its_invocation(void **state) {
    (void)state;
    deliver(SPAN("[" EVENT("platform.start", "{\"requestId\":\"r-1\"}") "]"));
    deliver(SPAN("[" EVENT("platform.start", "{\"requestId\":\"r-2\"}") "]"));
    deliver(SPAN("[" EVENT("function", "\"a\"") "]"));
    expect_in_line("r-1");
    line_source_next(&source);
    size_t ceiling = enricher.tail.ceiling;
    enricher.tail.ceiling = 3;
    assert_false(line_source_fill(&source)); /* both are dropped for lack of memory */
    enricher.tail.ceiling = ceiling;
    assert_int_equal(ledger.dropped[DROP_NO_MEMORY].events, 2);
    assert_string_equal(enricher.request_id, "r-2");
    deliver(SPAN("[" EVENT("function", "\"b\"") "]"));
    expect_in_line("\"requestId\":\"r-2\"");
    line_source_next(&source);
    struct tally pending = ledger_pending(&ledger);
    assert_int_equal(pending.events, 2);
}

static void an_event_that_is_cut_counts_with_its_last_part(void **state) {
    (void)state;
    struct buf body = buf_with_ceiling(20000);
    buf_append(&body, SPAN("[{\"time\":\"t\",\"type\":\"function\",\"record\":\""));
    for (int i = 0; i < 5000; i++) {
        buf_append_char(&body, 'x');
    }
    buf_append(&body, SPAN("\"}]"));
    deliver(buf_span(&body));
    buf_done(&body);
    assert_true(line_source_fill(&source));
    size_t bytes = source.event.text.len;
    line_source_cut(&source, 1000);
    unsigned parts = 0;
    unsigned events = 0;
    uint64_t event_bytes = 0;
    for (; line_source_fill(&source); parts++) {
        assert_true(line_length(&source.line) <= 1000);
        assert_int_equal(line_source_events(&source), source.parts.index == source.parts.count);
        events += line_source_events(&source);
        event_bytes += line_source_event_bytes(&source);
        line_source_next(&source);
    }
    assert_true(parts > 5);
    assert_int_equal(events, 1);
    assert_int_equal(event_bytes, bytes);
    assert_int_equal(ledger_dropped(&ledger).events, 0);
}

static void what_cannot_be_cut_is_dropped_as_too_large(void **state) {
    (void)state;
    deliver(SPAN("[" EVENT("function", "\"abc\"") "," EVENT("function", "\"b\"") "]"));
    assert_true(line_source_fill(&source));
    line_source_cut(&source, 20);
    assert_int_equal(ledger.dropped[DROP_TOO_LARGE].events, 1);
    expect_in_line("\"b\"");
}

/* Its first parts may be on their way; the event counts as dropped, once. */
static void a_part_without_memory_drops_the_rest_of_its_event(void **state) {
    (void)state;
    struct buf body = buf_with_ceiling(20000);
    buf_append(&body, SPAN("[{\"time\":\"t\",\"type\":\"function\",\"record\":\""));
    for (int i = 0; i < 3000; i++) {
        buf_append_char(&body, 'x');
    }
    buf_append(&body, SPAN("\"}," EVENT("function", "\"b\"") "]"));
    deliver(buf_span(&body));
    buf_done(&body);
    assert_true(line_source_fill(&source));
    line_source_cut(&source, 1000);
    size_t ceiling = enricher.head.ceiling;
    enricher.head.ceiling = 100;
    line_source_next(&source);
    enricher.head.ceiling = ceiling;
    assert_int_equal(ledger.dropped[DROP_NO_MEMORY].events, 1);
    expect_in_line("\"b\"");
    line_source_drop(&source, DROP_NO_MEMORY);
    assert_false(line_source_fill(&source));
    assert_int_equal(ledger_pending(&ledger).events, 0);
    assert_int_equal(ledger_pending(&ledger).bytes, 0);
}

/* --- log events of CloudWatch in the place of lines --- */

static void log_events_take_the_place_of_lines(void **state) {
    (void)state;
    deliver(SPAN(
        "[" EVENT("platform.start", "{\"requestId\":\"r-1\"}") "," EVENT("function", "\"a\"") "]"));
    expect_in_line("\"message\":\"START RequestId: r-1\\n\"}");
    assert_int_equal(source.line.tail.len, 0);
    line_source_next(&source);
    expect_in_line("00000000000000000002"
                   "00000000\",\"timestamp\":0,\"message\":\"a\"}");
    /* For the partition key `request`, and for the ledger. */
    assert_true(span_equals(source.line.request_id, SPAN("r-1")));
    assert_int_equal(line_source_event_bytes(&source), source.event.text.len);
    line_source_next(&source);
    assert_false(line_source_fill(&source));
    assert_int_equal(ledger.received.events, 2);
}

static void what_cloudwatch_does_not_show_is_told_and_left_out(void **state) {
    (void)state;
    deliver(SPAN("[" EVENT("platform.runtimeDone",
                           "{\"status\":\"success\"}") "," EVENT("function", "\"a\"") "]"));
    expect_in_line("\"message\":\"a\"");
    assert_int_equal(source.position, 2);
    assert_int_equal(ledger.filtered, 1);
    assert_int_equal(ledger.received.events, 1);
    line_source_next(&source);
}

static void the_parts_of_a_log_event_have_ids_of_their_own(void **state) {
    (void)state;
    struct buf body = buf_with_ceiling(20000);
    buf_append(&body, SPAN("[{\"type\":\"function\",\"record\":\""));
    for (int i = 0; i < 5000; i++) {
        buf_append_char(&body, 'x');
    }
    buf_append(&body, SPAN("\"}]"));
    deliver(buf_span(&body));
    buf_done(&body);
    assert_true(line_source_fill(&source));
    line_source_cut(&source, 1000);
    unsigned parts = 0;
    unsigned events = 0;
    for (; line_source_fill(&source); parts++) {
        char count[40];
        (void)snprintf(count, sizeof count, "00000000000000000001%08u\",", parts);
        expect_in_line(count);
        expect_in_line("\"message\":\"xxx");
        assert_true(line_length(&source.line) <= 1000);
        events += line_source_events(&source);
        line_source_next(&source);
    }
    assert_in_range(parts, 6, 20);
    assert_int_equal(events, 1);
}

static void a_log_event_without_memory_is_booked_as_dropped(void **state) {
    (void)state;
    deliver(SPAN("[" EVENT("function", "\"a\"") "]"));
    log_events.text.ceiling = 10;
    assert_false(line_source_fill(&source));
    assert_int_equal(ledger.dropped[DROP_NO_MEMORY].events, 1);
    assert_int_equal(ledger_pending(&ledger).events, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define LOG_EVENTS_TEST(name)                                                                      \
    cmocka_unit_test_setup_teardown(name, set_up_for_log_events, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(lines_come_in_order_across_deliveries_and_say_where_one_begins),
        TEST(types_that_are_not_shipped_are_told_and_left_out),
        TEST(what_the_platform_dropped_is_counted),
        TEST(an_event_without_memory_for_its_line_still_opens_its_invocation),
        TEST(an_event_that_is_cut_counts_with_its_last_part),
        TEST(what_cannot_be_cut_is_dropped_as_too_large),
        TEST(a_part_without_memory_drops_the_rest_of_its_event),
        LOG_EVENTS_TEST(log_events_take_the_place_of_lines),
        LOG_EVENTS_TEST(what_cloudwatch_does_not_show_is_told_and_left_out),
        LOG_EVENTS_TEST(the_parts_of_a_log_event_have_ids_of_their_own),
        LOG_EVENTS_TEST(a_log_event_without_memory_is_booked_as_dropped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
