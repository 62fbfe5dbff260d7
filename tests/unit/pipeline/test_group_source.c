// SPDX-License-Identifier: MIT
#include "pipeline/group_source.h"

#include "../fake_clock.h"
#include "../scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { GROUP_BYTES = 2000, RECORD_MAX = 1000, SPILL_BYTES = 6000 };

static char directory[SCRATCH_PATH_BYTES];
static struct batch_queue *queue;
static struct fake_clock at;
static struct enricher enricher;
static struct ledger ledger;
static struct spool *spool;
static struct group_source source;
static struct record_group group;
static struct group_origin origin;
static unsigned next_event;

static void on_event(void *context, enum event_kind kind, const struct event *event,
                     uint64_t position) {
    (void)context;
    (void)kind;
    (void)event;
    (void)position;
}

static void begin(uint64_t spool_bytes) {
    const struct enricher_settings plain = {.environment_id = "5f3c9a7e12d4"};
    queue = batch_queue_create(1 << 20, NULL);
    ledger = (struct ledger){0};
    assert_true(enricher_init(&enricher, &plain, NULL));
    spool = spool_bytes == 0 ? NULL : spool_open(directory, spool_bytes, 500, NULL);
    const struct group_source_settings settings = {
        .lines = {.queue = queue,
                  .clock = &at.clock,
                  .enricher = &enricher,
                  .ledger = &ledger,
                  .types = {true, true, true},
                  .observer = {.on_event = on_event}},
        .packer = {.format = &format_ndjson,
                   .partition_key = PARTITION_KEY_ENVIRONMENT,
                   .environment_id = SPAN("5f3c9a7e12d4"),
                   .record_bytes = 500,
                   .group_bytes = GROUP_BYTES,
                   .limits = {.max_records = 500,
                              .max_record_bytes = RECORD_MAX,
                              .max_request_bytes = 5000000}},
        .spool = spool,
        .spill_bytes = SPILL_BYTES,
        .spill_group_bytes = GROUP_BYTES,
    };
    group_source_init(&source, &settings);
    group = group_source_new_group(&source);
}

static void end(void) {
    record_group_done(&group);
    group_source_done(&source);
    spool_close(spool);
    enricher_done(&enricher);
    batch_queue_destroy(queue);
}

static int set_up(void **state) {
    (void)state;
    at = fake_clock_at(1000, 1773500966536);
    next_event = 0;
    (void)scratch_make();
    (void)snprintf(directory, sizeof directory, "%s", scratch_path("spool"));
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    end();
    scratch_remove();
    return 0;
}

/* A delivery of one event with so many characters. */
static void deliver(unsigned characters) {
    struct buf body = buf_with_ceiling(SIZE_MAX);
    buf_append_format(&body, "[{\"time\":\"t\",\"type\":\"function\",\"record\":\"e-%04u",
                      next_event++);
    for (unsigned i = 6; i < characters; i++) {
        buf_append_char(&body, 'x');
    }
    buf_append(&body, SPAN("\"}]"));
    assert_true(batch_queue_push(queue, &body, NULL));
}

static bool has_event(unsigned number) {
    char text[16];
    (void)snprintf(text, sizeof text, "e-%04u", number);
    return span_find(buf_span(&group.data), span_of_text(text)) != NULL;
}

static bool next(void) { return group_source_next(&source, &group, &origin); }

/* Takes and settles all groups; expects each event once and in order. */
static void expect_all(unsigned first, unsigned count) {
    unsigned expected = first;
    while (next()) {
        while (expected < first + count && has_event(expected)) {
            expected++;
        }
        group_source_settled(&source, origin);
    }
    assert_int_equal(expected, first + count);
    assert_false(group_source_has_input(&source));
}

static size_t files(void) { return scratch_count(directory, ".segment"); }

static void groups_are_filled_and_know_the_position_of_their_oldest_event(void **state) {
    (void)state;
    begin(1 << 20);
    assert_false(group_source_has_input(&source));
    assert_false(next());
    assert_int_equal(group_source_first_position(&source), 1);
    for (int i = 0; i < 10; i++) {
        deliver(400);
    }
    assert_true(next());
    assert_int_equal(origin.first_position, 1);
    assert_int_equal(origin.segment, 0);
    assert_int_equal(group.count, 4);
    assert_int_equal(group_source_first_position(&source), 5);
    assert_true(next());
    assert_int_equal(origin.first_position, 5);
    expect_all(8, 2);
    assert_int_equal(group_source_first_position(&source), 11);
}

static void only_a_queue_that_is_too_full_is_moved_to_disk_and_no_more_than_needed(void **state) {
    (void)state;
    begin(1 << 20);
    while (batch_queue_bytes(queue) <= SPILL_BYTES) {
        group_source_spill(&source);
        assert_int_equal(files(), 0);
        deliver(400);
    }
    group_source_spill(&source);
    assert_int_equal(files(), 1);
    assert_true(batch_queue_bytes(queue) <= SPILL_BYTES);
    assert_true(batch_queue_bytes(queue) > SPILL_BYTES / 3);
    assert_int_equal(group_source_first_position(&source), 1);
    expect_all(0, next_event);
    assert_int_equal(files(), 0);
}

static void what_the_disk_does_not_take_comes_between_disk_and_memory(void **state) {
    (void)state;
    begin(200);
    while (batch_queue_bytes(queue) <= 4 * SPILL_BYTES) {
        deliver(400);
    }
    group_source_spill(&source);
    assert_int_equal(files(), 1);
    size_t bytes = batch_queue_bytes(queue);
    group_source_spill(&source);
    assert_int_equal(batch_queue_bytes(queue), bytes); /* one such group is enough */
    assert_true(source.stranded.count > 0);
    assert_int_equal(group_source_first_position(&source), 1);
    assert_true(next());
    assert_int_equal(group_source_first_position(&source), 5);
    group_source_settled(&source, origin);
    expect_all(4, next_event - 4);
}

static void what_the_disk_did_not_take_is_offered_again_after_a_while(void **state) {
    (void)state;
    begin(200);
    while (batch_queue_bytes(queue) <= 4 * SPILL_BYTES) {
        deliver(400);
    }
    group_source_spill(&source);
    assert_int_equal(files(), 1);
    assert_true(source.stranded.count > 0);
    struct record_group held = group;
    struct group_origin from_disk;
    group = group_source_new_group(&source);
    assert_true(group_source_next(&source, &held, &from_disk));
    group_source_settled(&source, from_disk); /* the disk has room again */
    record_group_done(&held);
    group_source_spill(&source);
    assert_int_equal(files(), 0); /* too soon: to try costs time */
    fake_clock_pass(&at, 1000);
    group_source_spill(&source);
    assert_int_equal(files(), 1);
    assert_int_equal(group_source_first_position(&source), 5);
    expect_all(4, next_event - 4);
}

static void without_a_spool_nothing_is_moved_and_the_rest_is_dropped_at_the_end(void **state) {
    (void)state;
    begin(0);
    for (int i = 0; i < 100; i++) {
        deliver(400);
    }
    size_t bytes = batch_queue_bytes(queue);
    group_source_spill(&source);
    assert_int_equal(batch_queue_bytes(queue), bytes);
    group_source_keep_rest(&source);
    assert_int_equal(ledger.dropped[DROP_SHUTDOWN].events, 100);
    assert_int_equal(ledger_pending(&ledger).events, 0);
    assert_int_equal(ledger.spooled.events, 0);
}

static void in_a_hurry_everything_is_moved_to_disk(void **state) {
    (void)state;
    begin(1 << 20);
    for (int i = 0; i < 10; i++) {
        deliver(400);
    }
    group_source_hurry(&source);
    group_source_spill(&source);
    assert_int_equal(batch_queue_bytes(queue), 0);
    end();
    begin(1 << 20);
    expect_all(0, 10);
    assert_int_equal(ledger.replayed.events, 10);
    assert_int_equal(ledger.received.bytes, ledger.replayed.bytes);
}

static void the_head_of_a_cut_record_is_kept_at_the_end(void **state) {
    (void)state;
    begin(1 << 20);
    struct buf body = buf_with_ceiling(SIZE_MAX);
    buf_append(&body, SPAN("[{\"time\":\"t\",\"type\":\"function\",\"record\":\"e-0000 and}]"));
    assert_true(batch_queue_push(queue, &body, NULL));
    assert_false(next()); /* it waits for its rest */
    group_source_keep_rest(&source);
    assert_int_equal(ledger.spooled.events, 1);
    assert_int_equal(ledger.unparsed, 1);
    end();
    begin(1 << 20);
    expect_all(0, 1);
}

static void an_event_in_parts_is_kept_in_order_and_counted_once(void **state) {
    (void)state;
    begin(1 << 20);
    deliver(5 * RECORD_MAX);
    assert_true(next());
    struct group_origin first = origin;
    assert_int_equal(origin.first_position, 1);
    struct record_group held = group;
    group = group_source_new_group(&source);
    group_source_keep_rest(&source);
    assert_true(files() > 1);
    group_source_keep(&source, &held, first);
    group_source_keep_rest(&source);
    assert_int_equal(ledger.spooled.events, 1);
    assert_int_equal(ledger.spooled.bytes, ledger.received.bytes);
    record_group_done(&held);
    end();
    begin(1 << 20);
    uint64_t events = 0;
    while (next()) {
        events += record_group_events(&group);
        group_source_settled(&source, origin);
    }
    assert_int_equal(events, 1);
    assert_int_equal(ledger.replayed.events, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(groups_are_filled_and_know_the_position_of_their_oldest_event),
        TEST(only_a_queue_that_is_too_full_is_moved_to_disk_and_no_more_than_needed),
        TEST(what_the_disk_does_not_take_comes_between_disk_and_memory),
        TEST(what_the_disk_did_not_take_is_offered_again_after_a_while),
        TEST(without_a_spool_nothing_is_moved_and_the_rest_is_dropped_at_the_end),
        TEST(in_a_hurry_everything_is_moved_to_disk),
        TEST(the_head_of_a_cut_record_is_kept_at_the_end),
        TEST(an_event_in_parts_is_kept_in_order_and_counted_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
