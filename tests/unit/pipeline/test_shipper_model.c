// SPDX-License-Identifier: MIT
/* Random bodies, answers, pauses, disk faults and restarts: whatever happens, each event arrives
 * exactly once and the ledger is exact after every step. A run that fails names its seed. */
#include "shipper_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { RUNS = 40, STEPS = 700, RESTARTS = 6, RESTARTED_RUNS = 25, RECORDS_MAX = 500 };

static struct rig rig; /* large, so not on the stack */
static uint64_t random_state;
static unsigned seed;

static unsigned below(unsigned bound) {
    random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)(random_state >> 33) % bound;
}

static struct rig_options random_options(void) {
    static const struct format *const formats[] = {&format_ndjson, &format_event, &format_batch};
    return (struct rig_options){
        .format = formats[below(3)],
        .partition_key = (enum partition_key)below(4),
        .record_bytes = 200 + below(5000),
        .group_bytes = 200 + below(20000),
        .max_records = 1 + below(50),
        .lanes = 1 + below(DESTINATION_LANES_MAX),
        .queue_bytes = 2000 + below(100000),
        .enriched = below(2) == 0,
        .spool_bytes = below(2) == 0 ? 0 : 2000 + below(200000),
    };
}

static enum record_fate random_fate(unsigned failures_in_ten) {
    return below(10) < failures_in_ten ? RECORD_RETRY : RECORD_DELIVERED;
}

static void answer_somebody(void) {
    size_t lane = below(DESTINATION_LANES_MAX);
    unsigned failures = below(11);
    enum record_fate fates[RECORDS_MAX];
    if (!rig.destination.lanes[lane].running) {
        return;
    }
    for (size_t i = 0; i < rig.destination.lanes[lane].count; i++) {
        fates[i] = random_fate(failures);
    }
    fake_destination_answer(&rig.destination, lane, fates, (enum retry_pace)below(5), below(300));
}

static void do_something(void) {
    switch (below(9)) {
    case 0:
    case 1:
        (void)rig_push(&rig, 1 + below(20), 8 + below(below(4) == 0 ? 8000 : 300));
        break;
    case 2:
    case 3:
    case 4:
        answer_somebody();
        break;
    case 5:
        fake_clock_pass(&rig.clock, below(below(3) == 0 ? 60000 : 100));
        break;
    case 6:
        shipper_set_deadline(rig.shipper,
                             below(2) == 0 ? INT64_MAX : rig.clock.monotonic_ms - 10 + below(3000));
        break;
    case 7:
        rig_set_disk(below(4) > 0);
        break;
    default:
        rig.destination.send_fails = below(6) == 0 ? ERR_MEMORY + below(4) : ERR_NONE;
        (void)shipper_foresees_runtime_done(rig.shipper, SPAN("r"));
    }
    rig_check(&rig);
    rig_pump(&rig);
}

/* A position that was delivered once stays so, and stands for that many events. */
static void check_positions(uint64_t *delivered) {
    while (shipper_delivered_up_to(rig.shipper, *delivered + 1)) {
        (*delivered)++;
    }
    assert_true(shipper_delivered_up_to(rig.shipper, *delivered));
    for (uint64_t i = 0; i < *delivered; i++) {
        assert_int_equal(rig.destination.accepted[i], 1);
    }
}

static void each_event_arrives_once_whatever_happens(void **state) {
    (void)state;
    for (seed = 1; seed <= RUNS; seed++) {
        random_state = seed;
        uint64_t delivered = 0;
        rig_init(&rig, random_options());
        for (int step = 0; step < STEPS; step++) {
            do_something();
            check_positions(&delivered);
        }
        rig.destination.send_fails = ERR_NONE;
        rig_set_disk(true);
        rig_accept_everything(&rig);
        rig_expect_all_delivered(&rig);
        assert_true(shipper_delivered_up_to(rig.shipper, rig.next_event));
        rig_done(&rig);
    }
}

static void what_is_given_up_at_any_moment_is_counted(void **state) {
    (void)state;
    for (seed = 1; seed <= RUNS; seed++) {
        random_state = seed;
        struct rig_options options = random_options();
        options.spool_bytes = 0;
        rig_init(&rig, options);
        for (unsigned step = 0; step < seed * 3; step++) {
            do_something();
        }
        shipper_stop(rig.shipper);
        rig_check(&rig);
        const struct ledger *ledger = shipper_ledger(rig.shipper);
        assert_int_equal(ledger->received.events, rig.next_event);
        assert_int_equal(ledger_pending(ledger).events, 0);
        assert_int_equal(ledger_pending(ledger).bytes, 0);
        assert_int_equal(ledger_dropped(ledger).events, ledger->dropped[DROP_SHUTDOWN].events);
        rig_done(&rig);
    }
}

/* Without a fault of the disk in the moment of a restart. */
static void each_event_arrives_once_however_often_the_process_is_restarted(void **state) {
    (void)state;
    for (seed = 1; seed <= RESTARTED_RUNS; seed++) {
        random_state = seed;
        struct rig_options options = random_options();
        options.spool_bytes = 64 << 20;
        rig_init(&rig, options);
        for (int restart = 0; restart < RESTARTS; restart++) {
            for (unsigned steps = below(200); steps > 0; steps--) {
                do_something();
            }
            rig_set_disk(true);
            rig_restart(&rig);
        }
        rig.destination.send_fails = ERR_NONE;
        rig_accept_everything(&rig);
        rig_expect_all_delivered(&rig);
        assert_int_equal(scratch_count(rig.spool_path, ""), 0);
        rig_done(&rig);
    }
}

/* The disk may fail at the end, too: then what it does not take is counted as lost, and where it
 * does not take what is left of a request, the whole of it stays. */
static void what_a_failing_disk_loses_at_a_restart_is_counted(void **state) {
    (void)state;
    for (seed = 1; seed <= RESTARTED_RUNS; seed++) {
        random_state = seed;
        uint64_t lost = 0;
        struct rig_options options = random_options();
        options.spool_bytes = 3000 + below(100000);
        rig_init(&rig, options);
        rig.destination.may_repeat = true;
        for (int restart = 0; restart < RESTARTS; restart++) {
            for (unsigned steps = below(200); steps > 0; steps--) {
                do_something();
            }
            shipper_stop(rig.shipper);
            rig_check(&rig);
            const struct ledger *ledger = shipper_ledger(rig.shipper);
            assert_int_equal(ledger_pending(ledger).events, ledger->spooled.events);
            assert_int_equal(ledger_pending(ledger).bytes, ledger->spooled.bytes);
            lost += ledger->dropped[DROP_DISK].events;
            rig_set_disk(true);
            rig_crash(&rig);
        }
        rig.destination.send_fails = ERR_NONE;
        rig_accept_everything(&rig);
        assert_int_equal(rig.destination.accepted_events - rig.destination.repeated_events + lost,
                         rig.next_event);
        rig_done(&rig);
    }
}

static int name_seed(void **state) {
    (void)state;
    rig_set_disk(true);
    if (seed <= RUNS && seed != RESTARTED_RUNS + 1) {
        print_error("it failed with seed %u\n", seed);
    }
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(each_event_arrives_once_whatever_happens, name_seed),
        cmocka_unit_test_teardown(what_is_given_up_at_any_moment_is_counted, name_seed),
        cmocka_unit_test_teardown(each_event_arrives_once_however_often_the_process_is_restarted,
                                  name_seed),
        cmocka_unit_test_teardown(what_a_failing_disk_loses_at_a_restart_is_counted, name_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
