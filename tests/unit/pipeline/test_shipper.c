// SPDX-License-Identifier: MIT
#include "shipper_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static struct rig rig; /* large, so not on the stack */

static int tear_down(void **state) {
    (void)state;
    rig_done(&rig);
    return 0;
}

static void waits_for_nothing_without_input(void **state) {
    (void)state;
    rig_init(&rig, (struct rig_options){0});
    rig_pump(&rig);
    assert_int_equal(rig.destination.sends, 0);
    assert_true(shipper_idle(rig.shipper));
    assert_true(shipper_delivered_up_to(rig.shipper, 0));
    assert_false(shipper_delivered_up_to(rig.shipper, 1));
    assert_true(rig_wait_ms(&rig) == INT64_MAX);
}

static void every_event_of_every_body_arrives_once(void **state) {
    (void)state;
    rig_init(&rig, (struct rig_options){0});
    for (unsigned i = 1; i <= 40; i++) {
        rig_ship(&rig, i, 8 + 13 * i);
    }
    rig_accept_everything(&rig);
    rig_expect_all_delivered(&rig);
    assert_int_equal(shipper_ledger(rig.shipper)->retried_records, 0);
    assert_int_equal(rig.troubles, 0);
}

static void a_body_that_came_alone_is_sent_at_once(void **state) {
    (void)state;
    rig_init(&rig, (struct rig_options){0});
    rig_ship(&rig, 1, 20);
    assert_int_equal(fake_destination_count_running(&rig.destination), 1);
    assert_false(shipper_idle(rig.shipper));
    assert_false(shipper_delivered_up_to(rig.shipper, 1));
    rig_answer(&rig, 0, RECORD_DELIVERED, PACE_TRANSIENT);
    assert_true(shipper_delivered_up_to(rig.shipper, 1));
    rig_expect_all_delivered(&rig);
}

static void what_may_wait_for_more_goes_when_its_time_is_up(void **state) {
    (void)state;
    rig_init(&rig, (struct rig_options){.gather_ms = 500});
    rig_ship(&rig, 1, 20);
    assert_int_equal(rig_wait_ms(&rig), 500);
    fake_clock_pass(&rig.clock, 300);
    rig_ship(&rig, 1, 20);
    assert_int_equal(rig.destination.sends, 0);
    assert_int_equal(rig_wait_ms(&rig), 200);
    rig_sleep(&rig);
    assert_int_equal(rig.destination.sends, 1);
    rig_ship(&rig, 1, 20); /* has a time of its own */
    assert_int_equal(rig_wait_ms(&rig), 500);
    rig_sleep(&rig);
    rig_accept_everything(&rig);
    rig_expect_all_delivered(&rig);
}

static void what_may_wait_for_more_goes_when_there_is_a_request_full_of_it(void **state) {
    (void)state;
    rig_init(&rig, (struct rig_options){.gather_ms = 500, .group_bytes = 5000});
    rig_ship(&rig, 10, 200);
    assert_int_equal(rig.destination.sends, 0);
    rig_ship(&rig, 20, 200);
    assert_true(rig.destination.sends >= 1);
    rig_accept_everything(&rig);
    rig_expect_all_delivered(&rig);
}

static void at_the_last_call_nothing_waits_for_more(void **state) {
    (void)state;
    rig_init(&rig, (struct rig_options){.gather_ms = 500});
    rig_ship(&rig, 1, 20);
    shipper_last_call(rig.shipper, rig.clock.monotonic_ms + 1000);
    rig_pump(&rig);
    assert_int_equal(rig.destination.sends, 1);
    rig_accept_everything(&rig);
    rig_expect_all_delivered(&rig);
}

static void as_many_requests_are_in_flight_as_there_are_lanes(void **state) {
    (void)state;
    rig_init(&rig, (struct rig_options){.lanes = 3, .group_bytes = 2000});
    rig_ship(&rig, 100, 500);
    assert_int_equal(fake_destination_count_running(&rig.destination), 3);
    rig_accept_everything(&rig);
    rig_expect_all_delivered(&rig);
}

static void only_the_records_that_failed_go_again(void **state) {
    (void)state;
    rig_init(&rig, (struct rig_options){.lanes = 1, .format = &format_event});
    rig_ship(&rig, 5, 100);
    const enum record_fate fates[] = {RECORD_DELIVERED, RECORD_RETRY, RECORD_DELIVERED,
                                      RECORD_RETRY, RECORD_DELIVERED};
    fake_destination_answer(&rig.destination, 0, fates, PACE_TRANSIENT, 0);
    rig_check(&rig);
    assert_int_equal(rig.destination.accepted_events, 3);
    rig_sleep(&rig);
    assert_int_equal(rig.destination.lanes[0].count, 2);
    assert_true(fake_destination_record_has(&rig.destination, 0, 0, 1));
    assert_true(fake_destination_record_has(&rig.destination, 0, 1, 3));
    rig_accept_everything(&rig);
    rig_expect_all_delivered(&rig);
    assert_int_equal(shipper_ledger(rig.shipper)->retried_records, 2);
    assert_int_equal(shipper_ledger(rig.shipper)->records, 5);
}

static void nothing_is_lost_when_three_in_ten_records_fail_in_every_answer(void **state) {
    (void)state;
    rig_init(&rig, (struct rig_options){.format = &format_event});
    enum record_fate fates[500];
    unsigned sent = 0;
    for (int body = 0; body < 20; body++) {
        assert_true(rig_push(&rig, 200, 60));
    }
    rig_pump(&rig);
    while (!shipper_idle(rig.shipper)) {
        int lane = fake_destination_running(&rig.destination);
        if (lane < 0) {
            rig_sleep(&rig);
            continue;
        }
        for (size_t i = 0; i < rig.destination.lanes[lane].count; i++) {
            fates[i] = sent++ % 10 < 3 ? RECORD_RETRY : RECORD_DELIVERED;
        }
        fake_destination_answer(&rig.destination, (size_t)lane, fates, PACE_THROTTLED, 0);
        rig_check(&rig);
        rig_pump(&rig);
    }
    rig_expect_all_delivered(&rig);
    assert_int_equal(sent, 4000 + shipper_ledger(rig.shipper)->retried_records);
}

static void a_record_that_is_refused_is_dropped_alone_and_counted(void **state) {
    (void)state;
    rig_init(&rig, (struct rig_options){.format = &format_event});
    rig_ship(&rig, 3, 100);
    const enum record_fate fates[] = {RECORD_DELIVERED, RECORD_NEVER, RECORD_DELIVERED};
    fake_destination_answer(&rig.destination, 0, fates, PACE_TRANSIENT, 0);
    rig_check(&rig);
    assert_true(shipper_delivered_up_to(rig.shipper, 3));
    rig_pump(&rig);
    rig_accept_everything(&rig);
    const struct ledger *ledger = shipper_ledger(rig.shipper);
    assert_int_equal(ledger->dropped[DROP_REFUSED].events, 1);
    assert_int_equal(ledger->delivered.events, 2 + 1);
    assert_int_equal(rig.destination.loss_reports, 1);
    assert_int_equal(ledger->received.bytes,
                     ledger->delivered.bytes + ledger->dropped[DROP_REFUSED].bytes);
    assert_int_equal(rig.destination.refused[1], 1);
}

/* Else a destination that refuses everything would be sent reports of refused reports for ever. */
static void a_loss_is_told_only_once_something_is_delivered_again(void **state) {
    (void)state;
    rig_init(&rig, (struct rig_options){.format = &format_event, .lanes = 1});
    rig_ship(&rig, 3, 100);
    rig_answer(&rig, 0, RECORD_NEVER, PACE_TRANSIENT);
    assert_true(shipper_idle(rig.shipper));
    rig_ship(&rig, 1, 100);
    rig_answer(&rig, 0, RECORD_DELIVERED, PACE_TRANSIENT);
    assert_int_equal(fake_destination_count_running(&rig.destination), 1);
    rig.counts_differ = true; /* the report is refused, too */
    rig_answer(&rig, 0, RECORD_NEVER, PACE_TRANSIENT);
    assert_true(shipper_idle(rig.shipper));
    assert_int_equal(shipper_ledger(rig.shipper)->dropped[DROP_REFUSED].events, 4);
}

static void positions_wait_for_the_oldest_request_when_answers_come_out_of_order(void **state) {
    (void)state;
    rig_init(&rig, (struct rig_options){.lanes = 3, .group_bytes = 1000, .record_bytes = 1000});
    rig_ship(&rig, 9, 250); /* three in a lane */
    assert_int_equal(fake_destination_count_running(&rig.destination), 3);
    rig_answer(&rig, 2, RECORD_DELIVERED, PACE_TRANSIENT);
    rig_answer(&rig, 1, RECORD_DELIVERED, PACE_TRANSIENT);
    assert_false(shipper_delivered_up_to(rig.shipper, 9));
    assert_false(shipper_delivered_up_to(rig.shipper, 3));
    rig_answer(&rig, 0, RECORD_RETRY, PACE_TRANSIENT);
    assert_false(shipper_delivered_up_to(rig.shipper, 1));
    rig_accept_everything(&rig);
    assert_true(shipper_delivered_up_to(rig.shipper, 9));
}

static void a_position_counts_as_delivered_while_later_events_are_on_their_way(void **state) {
    (void)state;
    rig_init(&rig, (struct rig_options){.lanes = 2});
    rig_ship(&rig, 1, 100);
    rig_ship(&rig, 1, 100);
    rig_answer(&rig, 0, RECORD_DELIVERED, PACE_TRANSIENT);
    assert_true(shipper_delivered_up_to(rig.shipper, 1));
    assert_false(shipper_delivered_up_to(rig.shipper, 2));
}

static void bodies_are_read_only_while_a_lane_is_free(void **state) {
    (void)state;
    rig_init(&rig, (struct rig_options){.lanes = 2, .group_bytes = 1000});
    rig_ship(&rig, 2, 600);
    rig_ship(&rig, 2, 600);
    uint64_t read = rig.observed;
    for (int i = 0; i < 10; i++) {
        rig_ship(&rig, 10, 600);
    }
    assert_int_equal(rig.observed, read);
    assert_false(batch_queue_is_empty(rig.queue));
    rig_accept_everything(&rig);
    rig_expect_all_delivered(&rig);
}

static void the_queue_has_room_again_when_its_bodies_are_read(void **state) {
    (void)state;
    rig_init(&rig, (struct rig_options){.lanes = 1, .group_bytes = 2000, .queue_bytes = 10000});
    unsigned refused = 0;
    for (int i = 0; i < 500; i++) {
        while (!rig_push(&rig, 3, 300)) {
            refused++;
            assert_int_equal(fake_destination_count_running(&rig.destination), 1);
            rig_answer(&rig, 0, RECORD_DELIVERED, PACE_TRANSIENT);
        }
        rig_pump(&rig);
    }
    assert_true(refused > 0);
    rig_accept_everything(&rig);
    rig_expect_all_delivered(&rig);
    assert_int_equal(rig.next_event, 1500);
}

static void types_that_are_not_shipped_are_observed_and_left_out(void **state) {
    (void)state;
    rig_init(&rig, (struct rig_options){.only_functions = true});
    assert_true(
        rig_push_body(&rig, SPAN("[{\"time\":\"t\",\"type\":\"function\",\"record\":\"e-000000\"},"
                                 "{\"time\":\"t\",\"type\":\"platform.runtimeDone\",\"record\":"
                                 "{\"requestId\":\"r\"}}]")));
    rig.next_event = 1;
    rig_pump(&rig);
    assert_int_equal(rig.runtime_done_position, 2);
    assert_false(shipper_delivered_up_to(rig.shipper, 2));
    rig_accept_everything(&rig);
    assert_true(shipper_delivered_up_to(rig.shipper, 2));
    assert_int_equal(shipper_ledger(rig.shipper)->filtered, 1);
    rig_expect_all_delivered(&rig);
}

static void a_body_of_which_nothing_is_shipped_needs_no_request(void **state) {
    (void)state;
    rig_init(&rig, (struct rig_options){.only_functions = true});
    assert_true(
        rig_push_body(&rig, SPAN("[{\"time\":\"t\",\"type\":\"platform.start\",\"record\":{}}]")));
    rig_pump(&rig);
    assert_int_equal(rig.destination.sends, 0);
    assert_true(shipper_idle(rig.shipper));
    assert_true(shipper_delivered_up_to(rig.shipper, 1));
}

static void what_is_no_event_is_shipped_as_unparsed(void **state) {
    (void)state;
    rig_init(&rig, (struct rig_options){.only_functions = true});
    rig.counts_differ = true;
    assert_true(rig_push_body(&rig, SPAN("not JSON, says e-000000")));
    assert_true(rig_push_body(&rig, SPAN("")));
    rig.next_event = 1;
    rig_pump(&rig);
    rig_accept_everything(&rig);
    assert_int_equal(shipper_ledger(rig.shipper)->unparsed, 2);
    assert_int_equal(shipper_ledger(rig.shipper)->records, 1);
    assert_int_equal(rig.destination.accepted[0], 1);
}

static void the_batch_format_makes_a_record_of_each_delivery(void **state) {
    (void)state;
    rig_init(&rig, (struct rig_options){.lanes = 1, .format = &format_batch});
    assert_true(rig_push(&rig, 2, 50));
    assert_true(rig_push(&rig, 1, 50));
    assert_true(rig_push(&rig, 3, 50));
    rig_pump(&rig);
    const struct record_group *group = rig.destination.lanes[0].group;
    assert_int_equal(rig.destination.lanes[0].count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_true(span_starts_with(record_group_data(group, i), SPAN("[{")));
        assert_true(span_ends_with(record_group_data(group, i), SPAN("}]\n")));
    }
    assert_true(fake_destination_record_has(&rig.destination, 0, 1, 2));
    rig_accept_everything(&rig);
    rig_expect_all_delivered(&rig);
}

static void an_event_too_large_for_a_record_arrives_counts_differ_and_counts_once(void **state) {
    (void)state;
    rig_init(&rig,
             (struct rig_options){
                 .lanes = 2, .max_record_bytes = 1200, .group_bytes = 2000, .enriched = true});
    rig.counts_differ = true;
    rig_ship(&rig, 3, 5000);
    rig_accept_everything(&rig);
    rig_expect_all_delivered(&rig);
    const struct ledger *ledger = shipper_ledger(rig.shipper);
    assert_int_equal(ledger->delivered.events, 3);
    assert_int_equal(ledger->delivered.bytes, ledger->received.bytes);
    assert_true(ledger->record_bytes > 15000);
}

static void an_event_that_cannot_even_be_cut_is_dropped_and_counted(void **state) {
    (void)state;
    rig_init(&rig, (struct rig_options){.max_record_bytes = 150});
    rig.counts_differ = true;
    rig_ship(&rig, 1, 100);
    const struct ledger *ledger = shipper_ledger(rig.shipper);
    assert_int_equal(ledger->dropped[DROP_TOO_LARGE].events, 1);
    assert_int_equal(ledger->dropped[DROP_TOO_LARGE].bytes, ledger->received.bytes);
    assert_true(shipper_idle(rig.shipper));
    assert_int_equal(rig.destination.sends, 0);
}

static void payload_units_count_each_begun_25_kilobytes_of_a_record(void **state) {
    (void)state;
    rig_init(&rig, (struct rig_options){.format = &format_event, .group_bytes = 200000});
    rig_ship(&rig, 1, 100);
    rig_ship(&rig, 1, 25000);
    rig_accept_everything(&rig);
    assert_int_equal(shipper_ledger(rig.shipper)->payload_units, 3);
}

static void destroying_it_cancels_what_is_in_flight(void **state) {
    (void)state;
    struct rig_options options = {.lanes = 2, .group_bytes = 1000};
    rig_init(&rig, options);
    rig_ship(&rig, 20, 500);
    rig_done(&rig);
    assert_int_equal(rig.destination.cancels, 2);
    rig_init(&rig, options); /* for the tear-down */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(waits_for_nothing_without_input, tear_down),
        cmocka_unit_test_teardown(every_event_of_every_body_arrives_once, tear_down),
        cmocka_unit_test_teardown(a_body_that_came_alone_is_sent_at_once, tear_down),
        cmocka_unit_test_teardown(what_may_wait_for_more_goes_when_its_time_is_up, tear_down),
        cmocka_unit_test_teardown(what_may_wait_for_more_goes_when_there_is_a_request_full_of_it,
                                  tear_down),
        cmocka_unit_test_teardown(at_the_last_call_nothing_waits_for_more, tear_down),
        cmocka_unit_test_teardown(as_many_requests_are_in_flight_as_there_are_lanes, tear_down),
        cmocka_unit_test_teardown(only_the_records_that_failed_go_again, tear_down),
        cmocka_unit_test_teardown(nothing_is_lost_when_three_in_ten_records_fail_in_every_answer,
                                  tear_down),
        cmocka_unit_test_teardown(a_record_that_is_refused_is_dropped_alone_and_counted, tear_down),
        cmocka_unit_test_teardown(a_loss_is_told_only_once_something_is_delivered_again, tear_down),
        cmocka_unit_test_teardown(
            positions_wait_for_the_oldest_request_when_answers_come_out_of_order, tear_down),
        cmocka_unit_test_teardown(
            a_position_counts_as_delivered_while_later_events_are_on_their_way, tear_down),
        cmocka_unit_test_teardown(bodies_are_read_only_while_a_lane_is_free, tear_down),
        cmocka_unit_test_teardown(the_queue_has_room_again_when_its_bodies_are_read, tear_down),
        cmocka_unit_test_teardown(types_that_are_not_shipped_are_observed_and_left_out, tear_down),
        cmocka_unit_test_teardown(a_body_of_which_nothing_is_shipped_needs_no_request, tear_down),
        cmocka_unit_test_teardown(what_is_no_event_is_shipped_as_unparsed, tear_down),
        cmocka_unit_test_teardown(the_batch_format_makes_a_record_of_each_delivery, tear_down),
        cmocka_unit_test_teardown(
            an_event_too_large_for_a_record_arrives_counts_differ_and_counts_once, tear_down),
        cmocka_unit_test_teardown(an_event_that_cannot_even_be_cut_is_dropped_and_counted,
                                  tear_down),
        cmocka_unit_test_teardown(payload_units_count_each_begun_25_kilobytes_of_a_record,
                                  tear_down),
        cmocka_unit_test_teardown(destroying_it_cancels_what_is_in_flight, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
