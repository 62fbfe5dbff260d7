// SPDX-License-Identifier: MIT
/* What does not fit the memory, and what is undelivered at the end, is kept on disk. */
#include "shipper_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static struct rig rig; /* large, so not on the stack */

static int tear_down(void **state) {
    (void)state;
    rig_set_disk(true);
    rig_done(&rig);
    return 0;
}

/* One lane, so that the order can be seen. */
static void start(uint64_t spool_bytes) {
    rig_init(&rig, (struct rig_options){
                       .lanes = 1,
                       .group_bytes = 5000,
                       .queue_bytes = 40000,
                       .spool_bytes = spool_bytes,
                       .enriched = true,
                   });
}

/* The request that is running is not taken for a long time. */
static void begin_outage(void) {
    for (size_t lane = 0; lane < DESTINATION_LANES_MAX; lane++) {
        if (rig.destination.lanes[lane].running) {
            fake_destination_answer_all(&rig.destination, lane, RECORD_RETRY, PACE_MISCONFIGURED);
        }
    }
    rig_pump(&rig);
}

static size_t files(void) { return scratch_count(rig.spool_path, ".segment"); }

static struct tally pending(void) { return ledger_pending(shipper_ledger(rig.shipper)); }

/* Bodies of ten events of 100 bytes until `events` more are accepted; all must be. */
static void log_events(unsigned events) {
    for (unsigned more = 0; more < events; more += 10) {
        rig_ship(&rig, 10, 100);
    }
}

static unsigned first_event(const struct record_group *group) {
    const char *found = span_find(record_group_data(group, 0), SPAN("e-"));
    assert_non_null(found);
    return (unsigned)strtoul(found + 2, NULL, 10);
}

/* Accepts everything and expects it to come in the order in which it was logged. */
static void recover_in_order(void) {
    unsigned next = 0;
    for (int step = 0; !shipper_idle(rig.shipper); step++) {
        assert_in_range(step, 0, 10000);
        if (!rig.destination.lanes[0].running) {
            rig_sleep(&rig);
            continue;
        }
        unsigned first = first_event(rig.destination.lanes[0].group);
        assert_true(first >= next);
        next = first;
        rig_answer(&rig, 0, RECORD_DELIVERED, PACE_TRANSIENT);
    }
}

static void an_outage_larger_than_the_memory_loses_nothing(void **state) {
    (void)state;
    start(10 << 20);
    log_events(10);
    begin_outage();
    log_events(20000);
    assert_true(pending().bytes > 50 * 40000);
    assert_true(files() > 100);
    assert_true(batch_queue_bytes(rig.queue) <= 40000);
    assert_int_equal(shipper_ledger(rig.shipper)->dropped[DROP_DISK].events, 0);
    recover_in_order();
    rig_expect_all_delivered(&rig);
    assert_int_equal(files(), 0);
    assert_int_equal(shipper_ledger(rig.shipper)->replayed.events, 0);
}

static void nothing_is_written_to_disk_while_the_memory_suffices(void **state) {
    (void)state;
    start(10 << 20);
    log_events(10);
    begin_outage();
    log_events(100);
    assert_int_equal(files(), 0);
    for (int i = 0; i < 300; i++) {
        recover_in_order();
        log_events(50);
        assert_int_equal(files(), 0);
    }
    recover_in_order();
    rig_expect_all_delivered(&rig);
}

static void a_position_is_not_delivered_while_its_event_is_on_disk(void **state) {
    (void)state;
    start(10 << 20);
    log_events(10);
    begin_outage();
    log_events(1000);
    recover_in_order();
    assert_true(shipper_delivered_up_to(rig.shipper, 1010));
    begin_outage();
    log_events(10);
    begin_outage();
    log_events(1000);
    assert_true(files() > 0);
    assert_true(shipper_delivered_up_to(rig.shipper, 1010));
    for (uint64_t position = 1011; position <= 2020; position += 7) {
        assert_false(shipper_delivered_up_to(rig.shipper, position));
    }
    recover_in_order();
    assert_true(shipper_delivered_up_to(rig.shipper, 2020));
}

/* --- the end, and the next process --- */

static void what_is_undelivered_at_the_end_is_delivered_by_the_next_process(void **state) {
    (void)state;
    start(10 << 20);
    log_events(10);
    begin_outage();
    log_events(1000); /* in flight, on disk, being read, and in the queue */
    assert_true(rig_push(&rig, 10, 100));
    shipper_stop(rig.shipper);
    const struct ledger *ledger = shipper_ledger(rig.shipper);
    assert_int_equal(ledger->received.events, 1020);
    assert_int_equal(ledger->spooled.events, 1020);
    assert_int_equal(ledger->spooled.bytes, ledger->received.bytes);
    assert_int_equal(pending().events, 1020);
    uint64_t bytes = ledger->received.bytes;
    rig_restart(&rig);
    rig_pump(&rig);
    recover_in_order();
    ledger = shipper_ledger(rig.shipper);
    assert_int_equal(ledger->replayed.events, 1020);
    assert_int_equal(ledger->replayed.bytes, bytes);
    assert_int_equal(ledger->received.bytes, bytes);
    assert_int_equal(ledger->spooled.events, 0);
    rig_expect_all_delivered(&rig);
    assert_int_equal(files(), 0);
}

static void old_events_come_before_new_ones_and_keep_their_ids(void **state) {
    (void)state;
    start(10 << 20);
    log_events(100);
    begin_outage();
    rig_restart(&rig);
    assert_true(rig_push(&rig, 10, 100));
    rig_pump(&rig);
    for (unsigned seen = 0; !shipper_idle(rig.shipper); seen++) {
        assert_true(rig.destination.lanes[0].running);
        const struct record_group *group = rig.destination.lanes[0].group;
        bool is_new = first_event(group) >= 100;
        const char *old = span_find(buf_span(&group->data), SPAN("\"eventId\":\"000000000001-"));
        const char *new = span_find(buf_span(&group->data), SPAN("\"eventId\":\"000000000002-"));
        assert_true((old == NULL) == is_new);
        assert_true((new != NULL) == is_new);
        rig_answer(&rig, 0, RECORD_DELIVERED, PACE_TRANSIENT);
    }
    rig_expect_all_delivered(&rig);
}

static void of_a_request_that_was_answered_in_part_only_the_rest_is_kept(void **state) {
    (void)state;
    start(10 << 20);
    rig_ship(&rig, 12, 100); /* one request */
    begin_outage();
    for (int process = 0; process < 3; process++) {
        rig_restart(&rig); /* from memory at first, from disk then */
        rig_pump(&rig);
        size_t count = rig.destination.lanes[0].count;
        assert_true(count >= 2);
        enum record_fate fates[500] = {RECORD_DELIVERED};
        for (size_t i = 1; i < count; i++) {
            fates[i] = RECORD_RETRY;
        }
        fake_destination_answer(&rig.destination, 0, fates, PACE_MISCONFIGURED, 0);
        rig_check(&rig);
        shipper_stop(rig.shipper);
        assert_int_equal(shipper_ledger(rig.shipper)->spooled.events,
                         12 - rig.destination.accepted_events);
    }
    rig_restart(&rig);
    rig_pump(&rig);
    rig_accept_everything(&rig);
    rig_expect_all_delivered(&rig);
}

static void a_crash_loses_nothing_that_is_on_disk(void **state) {
    (void)state;
    start(10 << 20);
    log_events(300);
    begin_outage();
    rig_restart(&rig);
    rig_pump(&rig);
    begin_outage();
    rig_crash(&rig);
    rig_pump(&rig);
    recover_in_order();
    rig_expect_all_delivered(&rig);
}

/* Writing it all at the very end could take a small function longer than it has. */
static void after_the_last_call_what_waits_is_put_on_disk_at_once(void **state) {
    (void)state;
    start(10 << 20);
    log_events(100);
    assert_int_equal(files(), 0);
    shipper_last_call(rig.shipper, rig.clock.monotonic_ms + 2000);
    rig_pump(&rig);
    assert_true(files() > 0);
    assert_int_equal(batch_queue_bytes(rig.queue), 0);
    rig_answer(&rig, 0, RECORD_DELIVERED, PACE_TRANSIENT);
    unsigned delivered = (unsigned)rig.destination.accepted_events;
    rig_answer(&rig, 0, RECORD_DELIVERED, PACE_TRANSIENT);
    assert_true(rig.destination.accepted_events > delivered);
    rig_crash(&rig);
    rig_accept_everything(&rig);
    rig_expect_all_delivered(&rig);
}

static void stopping_twice_keeps_and_counts_everything_once(void **state) {
    (void)state;
    start(10 << 20);
    log_events(100);
    begin_outage();
    shipper_stop(rig.shipper);
    shipper_stop(rig.shipper);
    assert_int_equal(shipper_ledger(rig.shipper)->spooled.events, 100);
    rig_restart(&rig);
    rig_accept_everything(&rig);
    rig_expect_all_delivered(&rig);
}

static void records_of_an_earlier_process_hold_no_invocation_of_this_one(void **state) {
    (void)state;
    rig_init(&rig, (struct rig_options){.lanes = 2, .spool_bytes = 1 << 20});
    rig_ship(&rig, 1, 100);
    rig_restart(&rig);
    rig_pump(&rig); /* the old one is in a lane */
    rig_ship(&rig, 1, 100);
    assert_int_equal(fake_destination_count_running(&rig.destination), 2);
    assert_false(shipper_delivered_up_to(rig.shipper, 1));
    rig_answer(&rig, 1, RECORD_DELIVERED, PACE_TRANSIENT);
    assert_true(shipper_delivered_up_to(rig.shipper, 1));
    assert_false(shipper_idle(rig.shipper));
    rig_accept_everything(&rig);
    rig_expect_all_delivered(&rig);
}

/* --- disks that fail --- */

static void on_a_disk_that_fails_events_go_on_in_memory(void **state) {
    (void)state;
    start(10 << 20);
    log_events(10);
    begin_outage();
    log_events(1000);
    rig_set_disk(false);
    while (rig_push(&rig, 10, 100)) {
        rig_pump(&rig);
    }
    assert_true(rig.next_event > 1010);
    recover_in_order();
    rig_expect_all_delivered(&rig);
    rig_set_disk(true);
    begin_outage();
    log_events(10);
    begin_outage();
    log_events(1000);
    assert_true(files() > 0);
    recover_in_order();
    rig_expect_all_delivered(&rig);
}

static void a_full_spool_makes_the_queue_refuse_and_loses_nothing_accepted(void **state) {
    (void)state;
    start(20000);
    log_events(10);
    begin_outage();
    while (rig_push(&rig, 10, 100)) {
        rig_pump(&rig);
    }
    unsigned accepted = rig.next_event;
    assert_true(files() > 0);
    assert_false(rig_push(&rig, 10, 100));
    recover_in_order();
    rig_expect_all_delivered(&rig);
    assert_int_equal(rig.next_event, accepted);
    log_events(100);
    recover_in_order();
    rig_expect_all_delivered(&rig);
}

static void what_the_disk_does_not_take_at_the_end_is_dropped_and_counted(void **state) {
    (void)state;
    start(10 << 20);
    log_events(10);
    begin_outage();
    log_events(1000);
    rig_set_disk(false);
    log_events(10);
    shipper_stop(rig.shipper);
    rig_set_disk(true);
    const struct ledger *ledger = shipper_ledger(rig.shipper);
    assert_int_equal(ledger->received.events, 1020);
    assert_true(ledger->spooled.events > 500);
    assert_int_equal(ledger->spooled.events + ledger->dropped[DROP_DISK].events, 1020);
    assert_int_equal(ledger->spooled.bytes + ledger->dropped[DROP_DISK].bytes,
                     ledger->received.bytes);
    uint64_t spooled = ledger->spooled.events;
    rig_restart(&rig);
    rig_accept_everything(&rig);
    assert_int_equal(rig.destination.accepted_events, spooled);
}

/* What was on disk already is not lost because it cannot be written once more. */
static void a_group_from_disk_stays_there_when_its_rest_cannot_be_written(void **state) {
    (void)state;
    start(10 << 20);
    log_events(20);
    rig_restart(&rig);
    rig_pump(&rig);
    rig_set_disk(false);
    rig_restart(&rig);
    rig_set_disk(true);
    rig_pump(&rig);
    rig_accept_everything(&rig);
    rig_expect_all_delivered(&rig);
}

/* Functions clean up /tmp. */
static void segments_that_somebody_deleted_are_counted_and_told(void **state) {
    (void)state;
    start(10 << 20);
    log_events(10);
    begin_outage();
    log_events(1000);
    size_t deleted = files() / 2;
    for (size_t i = 0; i < deleted; i++) {
        assert_int_equal(unlink(scratch_first(rig.spool_path, ".segment")), 0);
    }
    rig_accept_everything(&rig);
    const struct ledger *ledger = shipper_ledger(rig.shipper);
    assert_true(ledger->dropped[DROP_DISK].events > deleted);
    assert_int_equal(ledger->dropped[DROP_DISK].events + rig.destination.accepted_events, 1010);
    assert_true(rig.destination.loss_reports > 0);
    assert_int_equal(pending().events, 0);
    assert_true(shipper_delivered_up_to(rig.shipper, 1010));
}

#define TEST(name) cmocka_unit_test_teardown(name, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(an_outage_larger_than_the_memory_loses_nothing),
        TEST(nothing_is_written_to_disk_while_the_memory_suffices),
        TEST(a_position_is_not_delivered_while_its_event_is_on_disk),
        TEST(what_is_undelivered_at_the_end_is_delivered_by_the_next_process),
        TEST(old_events_come_before_new_ones_and_keep_their_ids),
        TEST(of_a_request_that_was_answered_in_part_only_the_rest_is_kept),
        TEST(a_crash_loses_nothing_that_is_on_disk),
        TEST(after_the_last_call_what_waits_is_put_on_disk_at_once),
        TEST(stopping_twice_keeps_and_counts_everything_once),
        TEST(records_of_an_earlier_process_hold_no_invocation_of_this_one),
        TEST(on_a_disk_that_fails_events_go_on_in_memory),
        TEST(a_full_spool_makes_the_queue_refuse_and_loses_nothing_accepted),
        TEST(what_the_disk_does_not_take_at_the_end_is_dropped_and_counted),
        TEST(a_group_from_disk_stays_there_when_its_rest_cannot_be_written),
        TEST(segments_that_somebody_deleted_are_counted_and_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
