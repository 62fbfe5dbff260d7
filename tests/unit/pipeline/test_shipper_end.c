// SPDX-License-Identifier: MIT
/* What the life cycle needs of the shipper: the end of an invocation foreseen, and the end of all.
 */
#include "shipper_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define DONE_EVENT                                                                                 \
    "{\"time\":\"t\",\"type\":\"platform.runtimeDone\",\"record\":{\"requestId\":\"r-1\"}}"
#define CUT_HEAD "[{\"time\":\"t\",\"type\":\"function\",\"record\":{\"text\":\"e-000000 and}]"
#define CUT_REST "[{\"time\":\"t\",\"type\":\"function\",\"record\": more\"}}]"

static struct rig rig; /* large, so not on the stack */

static int tear_down(void **state) {
    (void)state;
    rig_done(&rig);
    return 0;
}

/* All lanes wait for an outage to end. */
static void fill_all_lanes(void) {
    rig_init(&rig, (struct rig_options){.lanes = 2, .group_bytes = 1000});
    while (fake_destination_count_running(&rig.destination) < 2) {
        rig_ship(&rig, 1, 800);
    }
    const enum record_fate fate = RECORD_RETRY;
    fake_destination_answer(&rig.destination, 0, &fate, PACE_TRANSIENT, 15000);
    fake_destination_answer(&rig.destination, 1, &fate, PACE_TRANSIENT, 15000);
}

static bool foresees(const char *request_id) {
    return shipper_foresees_runtime_done(rig.shipper, span_of_text(request_id));
}

static void the_end_of_an_invocation_is_foreseen_while_all_lanes_wait(void **state) {
    (void)state;
    fill_all_lanes();
    rig_ship(&rig, 5, 100);
    assert_false(foresees("r-1"));
    assert_true(rig_push_body(&rig, SPAN("[" DONE_EVENT "]")));
    rig_pump(&rig);
    assert_int_equal(rig.runtime_done_position, 0);
    assert_true(foresees("r-1"));
    assert_true(foresees("r-1"));
    assert_false(foresees("r-2"));
}

static void it_is_foreseen_in_the_body_that_is_being_read(void **state) {
    (void)state;
    rig_init(&rig, (struct rig_options){.lanes = 1, .group_bytes = 1000});
    struct buf body = buf_with_ceiling(100000);
    buf_append_char(&body, '[');
    for (int i = 0; i < 20; i++) {
        buf_append_format(
            &body, "{\"time\":\"t\",\"type\":\"function\",\"record\":\"e-%06d%0200d\"},", i, 0);
    }
    buf_append(&body, SPAN(DONE_EVENT "]"));
    assert_true(rig_push_body(&rig, buf_span(&body)));
    buf_done(&body);
    rig_pump(&rig);
    assert_true(rig.observed > 0);
    assert_int_equal(rig.runtime_done_position, 0);
    assert_true(foresees("r-1"));
    assert_true(foresees("r-1"));
    assert_false(foresees("r-2"));
}

static void bodies_that_were_looked_into_are_read_in_order_and_free_the_queue(void **state) {
    (void)state;
    fill_all_lanes();
    for (unsigned i = 0; i < 10; i++) {
        assert_true(rig_push(&rig, 3, 100));
        assert_false(foresees("r-1"));
    }
    rig_accept_everything(&rig);
    rig_expect_all_delivered(&rig);
}

static void stopping_without_a_spool_counts_everything_wherever_it_is(void **state) {
    (void)state;
    rig_init(&rig, (struct rig_options){.lanes = 2, .group_bytes = 1000});
    rig_ship(&rig, 10, 400); /* two lanes, a line that waits, and more of its body */
    assert_int_equal(fake_destination_count_running(&rig.destination), 2);
    const enum record_fate fates[] = {RECORD_DELIVERED, RECORD_RETRY};
    size_t count = rig.destination.lanes[0].count;
    fake_destination_answer(&rig.destination, 0, fates, PACE_TRANSIENT, 0);
    assert_in_range(count, 1, 2);
    assert_true(rig_push(&rig, 5, 100));
    assert_false(foresees("r-1")); /* takes it off the queue */
    assert_true(rig_push(&rig, 5, 100));
    shipper_stop(rig.shipper);
    rig_check(&rig);
    const struct ledger *ledger = shipper_ledger(rig.shipper);
    assert_int_equal(ledger->received.events, 20);
    assert_int_equal(ledger->delivered.events + ledger->dropped[DROP_SHUTDOWN].events, 20);
    assert_true(ledger->dropped[DROP_SHUTDOWN].events >= 17);
    assert_int_equal(ledger_pending(ledger).events, 0);
    assert_int_equal(ledger_pending(ledger).bytes, 0);
    assert_int_equal(fake_destination_count_running(&rig.destination), 0);
    assert_true(shipper_idle(rig.shipper));
}

static void stopping_without_a_spool_counts_a_record_that_was_cut(void **state) {
    (void)state;
    rig_init(&rig, (struct rig_options){.lanes = 1});
    rig.counts_differ = true;
    rig_ship(&rig, 1, 100);
    assert_true(rig_push_body(&rig, SPAN(CUT_HEAD)));
    shipper_stop(rig.shipper);
    const struct ledger *ledger = shipper_ledger(rig.shipper);
    assert_int_equal(ledger->dropped[DROP_SHUTDOWN].events, 2);
    assert_int_equal(ledger->unparsed, 1);
    assert_true(shipper_idle(rig.shipper));
}

static void stopping_without_a_spool_an_event_in_parts_counts_it_once(void **state) {
    (void)state;
    rig_init(&rig, (struct rig_options){.lanes = 1, .max_record_bytes = 1000, .group_bytes = 1000});
    rig.counts_differ = true;
    rig_ship(&rig, 2, 5000);
    rig_answer(&rig, 0, RECORD_DELIVERED, PACE_TRANSIENT);
    shipper_stop(rig.shipper);
    const struct ledger *ledger = shipper_ledger(rig.shipper);
    assert_int_equal(ledger->received.events, 2);
    assert_int_equal(ledger->dropped[DROP_SHUTDOWN].events, 2);
    assert_int_equal(ledger->dropped[DROP_SHUTDOWN].bytes, ledger->received.bytes);
}

static void stopping_without_a_spool_nothing_counts_nothing(void **state) {
    (void)state;
    rig_init(&rig, (struct rig_options){0});
    rig_ship(&rig, 4, 100);
    rig_accept_everything(&rig);
    shipper_stop(rig.shipper);
    shipper_stop(rig.shipper);
    rig_expect_all_delivered(&rig);
}

static void a_record_cut_across_two_bodies_arrives_whole(void **state) {
    (void)state;
    rig_init(&rig, (struct rig_options){0});
    assert_true(rig_push_body(&rig, SPAN(CUT_HEAD)));
    rig.next_event = 1;
    rig_pump(&rig);
    assert_false(shipper_idle(rig.shipper));
    assert_true(rig_wait_ms(&rig) <= 100);
    assert_true(rig_push_body(&rig, SPAN(CUT_REST)));
    rig_pump(&rig);
    rig_accept_everything(&rig);
    rig_expect_all_delivered(&rig);
    assert_int_equal(shipper_ledger(rig.shipper)->unparsed, 0);
}

static void the_head_of_a_cut_record_does_not_wait_for_ever(void **state) {
    (void)state;
    rig_init(&rig, (struct rig_options){0});
    assert_true(rig_push_body(&rig, SPAN(CUT_HEAD)));
    rig.next_event = 1;
    rig_pump(&rig);
    int64_t begin = rig.clock.monotonic_ms;
    rig_accept_everything(&rig);
    assert_in_range(rig.clock.monotonic_ms - begin, EVENT_SOURCE_HELD_MS, 2 * EVENT_SOURCE_HELD_MS);
    rig_expect_all_delivered(&rig);
    assert_int_equal(shipper_ledger(rig.shipper)->unparsed, 1);
}

/* However long it takes until a lane is free to read it. */
static void the_head_of_a_cut_record_waits_for_a_rest_that_is_in_the_queue(void **state) {
    (void)state;
    rig_init(&rig, (struct rig_options){.lanes = 1});
    rig.next_event = 1;
    assert_true(rig_push(&rig, 1, 100));
    assert_true(rig_push_body(&rig, SPAN(CUT_HEAD)));
    rig_pump(&rig);
    assert_true(rig_push_body(&rig, SPAN(CUT_REST)));
    for (int i = 0; i < 100; i++) {
        fake_clock_pass(&rig.clock, 90);
        rig_pump(&rig);
        shipper_end_of_input(rig.shipper);
    }
    rig_accept_everything(&rig);
    assert_int_equal(shipper_ledger(rig.shipper)->unparsed, 0);
    rig_expect_all_delivered(&rig);
}

static void at_the_end_of_input_the_head_of_a_cut_record_goes_alone(void **state) {
    (void)state;
    rig_init(&rig, (struct rig_options){0});
    assert_true(rig_push_body(&rig, SPAN(CUT_HEAD)));
    rig.next_event = 1;
    rig_pump(&rig);
    shipper_end_of_input(rig.shipper);
    rig_pump(&rig);
    rig_answer(&rig, 0, RECORD_DELIVERED, PACE_TRANSIENT);
    rig_expect_all_delivered(&rig);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(the_end_of_an_invocation_is_foreseen_while_all_lanes_wait,
                                  tear_down),
        cmocka_unit_test_teardown(it_is_foreseen_in_the_body_that_is_being_read, tear_down),
        cmocka_unit_test_teardown(bodies_that_were_looked_into_are_read_in_order_and_free_the_queue,
                                  tear_down),
        cmocka_unit_test_teardown(stopping_without_a_spool_counts_everything_wherever_it_is,
                                  tear_down),
        cmocka_unit_test_teardown(stopping_without_a_spool_counts_a_record_that_was_cut, tear_down),
        cmocka_unit_test_teardown(stopping_without_a_spool_an_event_in_parts_counts_it_once,
                                  tear_down),
        cmocka_unit_test_teardown(stopping_without_a_spool_nothing_counts_nothing, tear_down),
        cmocka_unit_test_teardown(a_record_cut_across_two_bodies_arrives_whole, tear_down),
        cmocka_unit_test_teardown(the_head_of_a_cut_record_does_not_wait_for_ever, tear_down),
        cmocka_unit_test_teardown(the_head_of_a_cut_record_waits_for_a_rest_that_is_in_the_queue,
                                  tear_down),
        cmocka_unit_test_teardown(at_the_end_of_input_the_head_of_a_cut_record_goes_alone,
                                  tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
