// SPDX-License-Identifier: MIT
/* How the shipper goes on when the destination does not take what it is sent. */
#include "shipper_rig.h"

#include "pipeline/retry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static struct rig rig; /* large, so not on the stack */

static int tear_down(void **state) {
    (void)state;
    rig_done(&rig);
    return 0;
}

static void start_one_request(unsigned events) {
    rig_init(&rig, (struct rig_options){.lanes = 1, .format = &format_event});
    rig_ship(&rig, events, 20);
    assert_int_equal(fake_destination_running(&rig.destination), 0);
}

static void finish(void) {
    rig_accept_everything(&rig);
    rig_expect_all_delivered(&rig);
}

static void one_retry_in_a_row_goes_at_once_on_a_fresh_connection(void **state) {
    (void)state;
    start_one_request(3);
    assert_false(rig.destination.lanes[0].fresh_connection);
    fake_destination_answer_all(&rig.destination, 0, RECORD_RETRY, PACE_NOW);
    assert_true(rig_wait_ms(&rig) == 0);
    rig_pump(&rig);
    assert_true(rig.destination.lanes[0].fresh_connection);
    fake_destination_answer_all(&rig.destination, 0, RECORD_RETRY, PACE_NOW);
    assert_true(rig_wait_ms(&rig) < 2 * RETRY_TRANSIENT_BASE_MS);
    rig_sleep(&rig);
    assert_false(rig.destination.lanes[0].fresh_connection);
    finish();
}

static void progress_allows_the_next_immediate_retry(void **state) {
    (void)state;
    start_one_request(2);
    rig_answer(&rig, 0, RECORD_RETRY, PACE_NOW);
    const enum record_fate fates[] = {RECORD_DELIVERED, RECORD_RETRY};
    fake_destination_answer(&rig.destination, 0, fates, PACE_NOW, 0);
    assert_true(rig_wait_ms(&rig) == 0);
    rig_pump(&rig);
    assert_true(rig.destination.lanes[0].fresh_connection);
    finish();
}

/* Fails again and again; returns the longest wait. */
static int64_t longest_wait(enum retry_pace pace, int tries) {
    int64_t longest = 0;
    for (int i = 0; i < tries; i++) {
        fake_destination_answer_all(&rig.destination, 0, RECORD_RETRY, pace);
        int64_t wait = rig_wait_ms(&rig);
        longest = wait > longest ? wait : longest;
        rig_sleep(&rig);
    }
    return longest;
}

static void waits_grow_up_to_the_cap_of_their_pace(void **state) {
    (void)state;
    start_one_request(1);
    assert_in_range(longest_wait(PACE_TRANSIENT, 1), 0, RETRY_TRANSIENT_BASE_MS);
    assert_in_range(longest_wait(PACE_TRANSIENT, 60), 1000, RETRY_CAP_MS);
    assert_in_range(longest_wait(PACE_THROTTLED, 60), 1000, RETRY_CAP_MS);
    assert_in_range(longest_wait(PACE_MISCONFIGURED, 60), RETRY_CAP_MS, RETRY_MISCONFIGURED_CAP_MS);
    finish();
    assert_int_equal(rig.troubles, 181);
}

static void the_first_wait_is_short_again_after_progress(void **state) {
    (void)state;
    start_one_request(2);
    longest_wait(PACE_TRANSIENT, 30);
    const enum record_fate fates[] = {RECORD_DELIVERED, RECORD_RETRY};
    fake_destination_answer(&rig.destination, 0, fates, PACE_TRANSIENT, 0);
    assert_in_range(rig_wait_ms(&rig), 0, RETRY_TRANSIENT_BASE_MS);
    finish();
}

static void waits_as_long_as_the_service_asks_for(void **state) {
    (void)state;
    start_one_request(1);
    const enum record_fate fate = RECORD_RETRY;
    fake_destination_answer(&rig.destination, 0, &fate, PACE_TRANSIENT, 3000);
    assert_true(rig_wait_ms(&rig) == 3000);
    finish();
}

static void a_deadline_shortens_the_waits_to_come(void **state) {
    (void)state;
    start_one_request(1);
    shipper_set_deadline(rig.shipper, rig.clock.monotonic_ms + 800);
    const enum record_fate fate = RECORD_RETRY;
    fake_destination_answer(&rig.destination, 0, &fate, PACE_THROTTLED, 15000);
    assert_true(rig_wait_ms(&rig) == 200);
    finish();
}

static void a_deadline_shortens_the_waits_that_have_begun(void **state) {
    (void)state;
    start_one_request(1);
    const enum record_fate fate = RECORD_RETRY;
    fake_destination_answer(&rig.destination, 0, &fate, PACE_THROTTLED, 15000);
    shipper_set_deadline(rig.shipper, rig.clock.monotonic_ms + 400);
    assert_true(rig_wait_ms(&rig) == 100);
    fake_clock_pass(&rig.clock, 60);
    shipper_set_deadline(rig.shipper, rig.clock.monotonic_ms + 340);
    assert_true(rig_wait_ms(&rig) == 40);
    shipper_set_deadline(rig.shipper, INT64_MAX);
    assert_true(rig_wait_ms(&rig) == 40);
    finish();
}

static void what_has_passed_of_a_wait_counts_when_a_deadline_comes(void **state) {
    (void)state;
    start_one_request(1);
    const enum record_fate fate = RECORD_RETRY;
    fake_destination_answer(&rig.destination, 0, &fate, PACE_THROTTLED, 15000);
    fake_clock_pass(&rig.clock, 90);
    shipper_set_deadline(rig.shipper, rig.clock.monotonic_ms + 400);
    assert_true(rig_wait_ms(&rig) == 10);
    shipper_set_deadline(rig.shipper, INT64_MAX);
    fake_clock_pass(&rig.clock, 5);
    shipper_set_deadline(rig.shipper, rig.clock.monotonic_ms + 200);
    assert_true(rig_wait_ms(&rig) <= 0);
    finish();
}

static void a_deadline_that_is_over_leaves_no_wait(void **state) {
    (void)state;
    start_one_request(1);
    const enum record_fate fate = RECORD_RETRY;
    fake_destination_answer(&rig.destination, 0, &fate, PACE_THROTTLED, 15000);
    shipper_set_deadline(rig.shipper, rig.clock.monotonic_ms - 1);
    assert_true(rig_wait_ms(&rig) == 0);
    finish();
}

/* Answers as a service that cannot take a request with one of two bad events in it. */
static void refuse_if_bad(unsigned bad, unsigned worse) {
    enum record_fate fates[500];
    size_t count = rig.destination.lanes[0].count;
    bool refused = false;
    for (size_t i = 0; i < count; i++) {
        refused = refused || fake_destination_record_has(&rig.destination, 0, i, bad) ||
                  fake_destination_record_has(&rig.destination, 0, i, worse);
    }
    for (size_t i = 0; i < count; i++) {
        fates[i] = refused ? (count == 1 ? RECORD_NEVER : RECORD_RETRY) : RECORD_DELIVERED;
    }
    fake_destination_answer(&rig.destination, 0, fates, PACE_SMALLER, 0);
    rig_check(&rig);
    rig_pump(&rig);
}

/* Sends 500 events to such a service; expects that all but the bad ones arrive, in a few requests
 * and soon. */
static void find_bad_events(unsigned bad, unsigned worse) {
    start_one_request(500);
    int64_t begin = rig.clock.monotonic_ms;
    while (!shipper_idle(rig.shipper)) {
        if (fake_destination_running(&rig.destination) < 0) {
            rig_sleep(&rig);
        } else {
            refuse_if_bad(bad, worse);
        }
    }
    unsigned dropped = bad == worse ? 1 : 2;
    assert_int_equal(rig.destination.refused[bad], 1);
    assert_int_equal(rig.destination.refused[worse], 1);
    assert_int_equal(rig.destination.accepted_events, 500 - dropped);
    assert_int_equal(shipper_ledger(rig.shipper)->dropped[DROP_REFUSED].events, dropped);
    assert_in_range(rig.destination.sends, 10, 45 * dropped);
    assert_in_range(rig.clock.monotonic_ms - begin, 0, 2000 * dropped);
    rig_done(&rig);
}

static void a_refused_request_is_taken_apart_until_the_bad_record_stands_alone(void **state) {
    (void)state;
    find_bad_events(499, 499);
    find_bad_events(0, 0);
    find_bad_events(250, 250);
    find_bad_events(0, 499);
    find_bad_events(77, 78);
    start_one_request(1);
}

/* ADR 9: what a refusal means is known only once something was taken. */
static void
a_refused_first_record_lets_the_others_try_although_nothing_was_ever_taken(void **state) {
    (void)state;
    bool has_taken = false;
    start_one_request(8);
    for (int step = 0; !shipper_idle(rig.shipper); step++) {
        assert_in_range(step, 0, 100);
        if (fake_destination_running(&rig.destination) < 0) {
            rig_sleep(&rig);
        } else if (!fake_destination_record_has(&rig.destination, 0, 0, 0)) {
            has_taken = true;
            rig_answer(&rig, 0, RECORD_DELIVERED, PACE_TRANSIENT);
        } else if (rig.destination.lanes[0].count > 1) {
            rig_answer(&rig, 0, RECORD_RETRY, PACE_SMALLER);
        } else {
            rig_answer(&rig, 0, has_taken ? RECORD_NEVER : RECORD_RETRY, PACE_MISCONFIGURED);
        }
    }
    assert_int_equal(rig.destination.accepted_events, 7);
    assert_int_equal(rig.destination.refused[0], 1);
}

static void a_single_record_that_must_be_smaller_but_may_be_retried_backs_off(void **state) {
    (void)state;
    start_one_request(1);
    assert_in_range(longest_wait(PACE_SMALLER, 40), 1000, RETRY_CAP_MS);
    finish();
}

static void a_send_that_cannot_start_is_tried_again_later(void **state) {
    (void)state;
    rig_init(&rig, (struct rig_options){.lanes = 2});
    rig.destination.send_fails = ERR_MEMORY;
    rig_ship(&rig, 3, 100);
    assert_int_equal(rig.destination.sends, 0);
    assert_int_equal(rig.last_trouble, PACE_TRANSIENT);
    assert_in_range(rig_wait_ms(&rig), 0, RETRY_TRANSIENT_BASE_MS);
    assert_false(shipper_idle(rig.shipper));
    rig.destination.send_fails = ERR_NONE;
    rig_sleep(&rig);
    finish();
}

static void without_credentials_it_waits_for_somebody_to_mend_it(void **state) {
    (void)state;
    rig_init(&rig, (struct rig_options){.lanes = 1});
    rig.destination.send_fails = ERR_INVALID;
    rig_ship(&rig, 3, 100);
    int64_t longest = 0;
    for (int i = 0; i < 60; i++) {
        assert_int_equal(rig.last_trouble, PACE_MISCONFIGURED);
        longest = rig_wait_ms(&rig) > longest ? rig_wait_ms(&rig) : longest;
        rig_sleep(&rig);
    }
    assert_in_range(longest, RETRY_CAP_MS, RETRY_MISCONFIGURED_CAP_MS);
    rig.destination.send_fails = ERR_NONE;
    finish();
}

static void interrupted_everything_goes_again_at_once_on_new_connections(void **state) {
    (void)state;
    rig_init(&rig, (struct rig_options){.lanes = 3, .group_bytes = 1000});
    rig_ship(&rig, 60, 50);
    assert_int_equal(fake_destination_count_running(&rig.destination), 3);
    fake_destination_answer_all(&rig.destination, 1, RECORD_RETRY, PACE_MISCONFIGURED);
    uint64_t before = shipper_ledger(rig.shipper)->retried_records;
    shipper_interrupt(rig.shipper);
    assert_int_equal(rig.destination.cancels, 2);
    assert_true(shipper_ledger(rig.shipper)->retried_records > before);
    assert_true(rig_wait_ms(&rig) == 0);
    rig_pump(&rig);
    for (int lane = 0; lane < 3; lane++) {
        assert_true(rig.destination.lanes[lane].running);
        assert_true(rig.destination.lanes[lane].fresh_connection);
    }
    finish();
}

static void lanes_that_wait_do_not_keep_the_others_from_sending(void **state) {
    (void)state;
    rig_init(&rig, (struct rig_options){.lanes = 2});
    rig_ship(&rig, 1, 100);
    const enum record_fate fate = RECORD_RETRY;
    fake_destination_answer(&rig.destination, 0, &fate, PACE_THROTTLED, 20000);
    rig_ship(&rig, 1, 100);
    rig_answer(&rig, 1, RECORD_DELIVERED, PACE_TRANSIENT);
    assert_int_equal(rig.destination.accepted[1], 1);
    assert_true(rig_wait_ms(&rig) == 20000);
    finish();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(interrupted_everything_goes_again_at_once_on_new_connections,
                                  tear_down),
        cmocka_unit_test_teardown(one_retry_in_a_row_goes_at_once_on_a_fresh_connection, tear_down),
        cmocka_unit_test_teardown(progress_allows_the_next_immediate_retry, tear_down),
        cmocka_unit_test_teardown(waits_grow_up_to_the_cap_of_their_pace, tear_down),
        cmocka_unit_test_teardown(the_first_wait_is_short_again_after_progress, tear_down),
        cmocka_unit_test_teardown(waits_as_long_as_the_service_asks_for, tear_down),
        cmocka_unit_test_teardown(a_deadline_shortens_the_waits_to_come, tear_down),
        cmocka_unit_test_teardown(a_deadline_shortens_the_waits_that_have_begun, tear_down),
        cmocka_unit_test_teardown(what_has_passed_of_a_wait_counts_when_a_deadline_comes,
                                  tear_down),
        cmocka_unit_test_teardown(a_deadline_that_is_over_leaves_no_wait, tear_down),
        cmocka_unit_test_teardown(
            a_refused_request_is_taken_apart_until_the_bad_record_stands_alone, tear_down),
        cmocka_unit_test_teardown(
            a_refused_first_record_lets_the_others_try_although_nothing_was_ever_taken, tear_down),
        cmocka_unit_test_teardown(a_single_record_that_must_be_smaller_but_may_be_retried_backs_off,
                                  tear_down),
        cmocka_unit_test_teardown(a_send_that_cannot_start_is_tried_again_later, tear_down),
        cmocka_unit_test_teardown(without_credentials_it_waits_for_somebody_to_mend_it, tear_down),
        cmocka_unit_test_teardown(lanes_that_wait_do_not_keep_the_others_from_sending, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
