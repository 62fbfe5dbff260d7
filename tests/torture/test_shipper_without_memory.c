// SPDX-License-Identifier: MIT
/* What the queue has accepted is delivered or counted as dropped, whichever allocation fails, and
 * everything goes on by itself once there is memory again. */
#include "../unit/pipeline/shipper_rig.h"
#include "failing_memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define ENVELOPE "{\"time\":\"t\",\"type\":\"function\",\"record\":"

static struct rig rig; /* large, so not on the stack */

static void push(unsigned count, unsigned bytes) {
    (void)rig_push(&rig, count, bytes);
    rig_pump(&rig);
}

/* A body with one event, whose name goes in between. */
static void push_text(const char *before, const char *after) {
    char text[128];
    (void)snprintf(text, sizeof text, "%se-%06u%s", before, rig.next_event, after);
    rig.next_event += rig_push_body(&rig, span_of_text(text));
    rig_pump(&rig);
}

static void answer_all(enum record_fate fate) {
    for (size_t lane = 0; lane < DESTINATION_LANES_MAX; lane++) {
        if (rig.destination.lanes[lane].running) {
            rig_answer(&rig, lane, fate, PACE_TRANSIENT);
        }
    }
}

static void ship_events(void) {
    push(3, 100);
    push(40, 30);
    push_text("this ", " is no array");
    push_text("\xff\xfe ", "");
    answer_all(RECORD_RETRY);
    push(2, 1500);
    (void)shipper_foresees_runtime_done(rig.shipper, SPAN("r"));
    answer_all(RECORD_DELIVERED);
    push_text("[" ENVELOPE "\"", "\n\"}]");
    fake_clock_pass(&rig.clock, 30000);
    rig_pump(&rig);
    answer_all(RECORD_DELIVERED);
    answer_all(RECORD_DELIVERED);
}

/* Events that become several records, or two events when there is no memory to join them. */
static void ship_cut_events(void) {
    push(1, 5000);
    push_text("[" ENVELOPE "\"", " and ");
    (void)rig_push_body(&rig, SPAN("[" ENVELOPE "more\"}]"));
    rig_pump(&rig);
    answer_all(RECORD_DELIVERED);
    push_text("[" ENVELOPE "\"", " and never more");
}

static unsigned count_missing(void) {
    unsigned missing = 0;
    for (unsigned i = 0; i < rig.next_event; i++) {
        missing += rig.destination.accepted[i] == 0;
    }
    return missing;
}

/* Runs the scenario without memory from the n-th allocation on, or without that one; says whether
 * there are so many. */
static bool run_short_of_memory(void (*scenario)(void), struct rig_options options, size_t first,
                                bool also_later) {
    struct memory_plan plan = {.first = first, .also_later = also_later};
    rig_init(&rig, options);
    rig.counts_differ = true;
    failing_memory_follow(&plan);
    scenario();
    failing_memory_follow(NULL);
    return plan.refused > 0;
}

static void expect_all_counted(void) {
    const struct ledger *ledger = shipper_ledger(rig.shipper);
    struct tally dropped = ledger_dropped(ledger);
    assert_int_equal(ledger_pending(ledger).events, ledger->spooled.events);
    assert_int_equal(ledger_pending(ledger).bytes, ledger->spooled.bytes);
    assert_true(count_missing() <= dropped.events + ledger->spooled.events);
}

static void go_on_with_memory(void) {
    bool is_sending = fake_destination_running(&rig.destination) >= 0;
    assert_true(is_sending || shipper_idle(rig.shipper) || rig_wait_ms(&rig) < INT64_MAX);
    shipper_end_of_input(rig.shipper);
    rig_accept_everything(&rig);
    const struct ledger *ledger = shipper_ledger(rig.shipper);
    assert_int_equal(ledger_dropped(ledger).events, ledger->dropped[DROP_NO_MEMORY].events);
    expect_all_counted();
}

static const struct rig_options kinds[] = {
    {.enriched = true},
    {.format = &format_event, .partition_key = PARTITION_KEY_REQUEST, .enriched = true},
    {.format = &format_batch, .lanes = 1},
    {.max_record_bytes = 1000, .record_bytes = 800, .enriched = true},
    {.group_bytes = 1500, .lanes = 1, .queue_bytes = 4000, .spool_bytes = 1 << 20},
};

static void try_each_allocation(void (*scenario)(void), void (*end)(void)) {
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        for (int also_later = 0; also_later <= 1; also_later++) {
            bool reached = true;
            for (size_t first = 1; reached; first++) {
                reached = run_short_of_memory(scenario, kinds[i], first, also_later);
                end();
                rig_done(&rig);
            }
        }
    }
}

static void every_accepted_event_is_delivered_or_counted_once_memory_is_back(void **state) {
    (void)state;
    try_each_allocation(ship_events, go_on_with_memory);
}

static void every_cut_event_is_delivered_or_counted_once_memory_is_back(void **state) {
    (void)state;
    try_each_allocation(ship_cut_events, go_on_with_memory);
}

/* At the end of the process, while there is no memory at all. */
static void stop_without_memory(void) {
    struct memory_plan plan = {.first = 1, .also_later = true};
    failing_memory_follow(&plan);
    shipper_stop(rig.shipper);
    failing_memory_follow(NULL);
    expect_all_counted();
}

static void what_is_left_at_the_end_without_memory_is_counted(void **state) {
    (void)state;
    try_each_allocation(ship_events, stop_without_memory);
    try_each_allocation(ship_cut_events, stop_without_memory);
}

/* Tries to ship one event for so long while there is no memory for a record of it. */
static void starve_ms(int64_t duration_ms) {
    struct memory_plan plan = {.first = 1, .also_later = true};
    rig_init(&rig, (struct rig_options){0});
    rig_ship(&rig, 1, 100); /* the line's memory stays */
    fake_destination_accept_all(&rig.destination);
    assert_true(rig_push(&rig, 1, 50));
    shipper_pump(rig.shipper);
    fake_destination_accept_all(&rig.destination);
    assert_true(rig_push(&rig, 1, 5000));
    failing_memory_follow(&plan);
    for (int64_t passed = 0; passed < duration_ms; passed += 25) {
        shipper_pump(rig.shipper);
        fake_clock_pass(&rig.clock, 25);
    }
    failing_memory_follow(NULL);
}

static uint64_t dropped(void) { return ledger_dropped(shipper_ledger(rig.shipper)).events; }

static void an_event_survives_a_lack_of_memory_that_passes(void **state) {
    (void)state;
    starve_ms(900);
    assert_int_equal(dropped(), 0);
    rig_accept_everything(&rig);
    rig_expect_all_delivered(&rig);
    rig_done(&rig);
}

static void an_event_is_given_up_when_its_memory_does_not_come_back(void **state) {
    (void)state;
    starve_ms(2000);
    assert_int_equal(dropped(), 1);
    assert_int_equal(shipper_ledger(rig.shipper)->dropped[DROP_NO_MEMORY].events, 1);
    rig_done(&rig);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_accepted_event_is_delivered_or_counted_once_memory_is_back),
        cmocka_unit_test(every_cut_event_is_delivered_or_counted_once_memory_is_back),
        cmocka_unit_test(an_event_survives_a_lack_of_memory_that_passes),
        cmocka_unit_test(an_event_is_given_up_when_its_memory_does_not_come_back),
        cmocka_unit_test(what_is_left_at_the_end_without_memory_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
