// SPDX-License-Identifier: MIT
#include "app/shipping.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const uint64_t limits[] = {1048576,  1048577,   1500000,   2097152,  3000000,
                                  4194304,  8388608,   10000000,  16777216, 33554432,
                                  67108864, 100000000, 134217728, 268435456};
static const uint64_t records[] = {1000,   25000,   32768,   100000,  224694,  250000,
                                   299593, 1048576, 1048577, 2000000, 5242880, 10485760};

enum { LIMITS = sizeof limits / sizeof limits[0], RECORDS = sizeof records / sizeof records[0] };

/* A lane holds its group and, while that is sent, the request with the group in base64. */
static uint64_t lane_bytes(uint64_t group_bytes) { return group_bytes + group_bytes / 3 * 4; }

static void what_is_in_flight_and_queued_never_exceeds_the_limit(void **state) {
    (void)state;
    for (size_t i = 0; i < LIMITS; i++) {
        for (size_t j = 0; j < 2 * RECORDS; j++) {
            bool compressed = j >= RECORDS;
            struct memory_shares shares =
                memory_shares_of(limits[i], records[j % RECORDS], compressed);
            assert_in_range(shares.lanes, 1, DESTINATION_LANES_MAX);
            assert_true(shares.lanes * lane_bytes(shares.group_bytes) + shares.queue_bytes <=
                        limits[i]);
        }
    }
}

static void much_of_the_memory_is_left_to_what_waits(void **state) {
    (void)state;
    for (size_t i = 0; i < LIMITS; i++) {
        for (size_t j = 0; j < 2 * RECORDS; j++) {
            bool compressed = j >= RECORDS;
            struct memory_shares shares =
                memory_shares_of(limits[i], records[j % RECORDS], compressed);
            assert_true(shares.queue_bytes >= limits[i] / 3);
            /* Room for what is moved to disk, three times, unless records are huge. */
            assert_true(shares.lanes * lane_bytes(shares.group_bytes) + shares.queue_bytes +
                                3 * shares.spill_group_bytes <=
                            limits[i] ||
                        shares.queue_bytes == limits[i] / 3);
            assert_in_range(shares.spill_group_bytes, shares.record_bytes, shares.group_bytes);
        }
    }
}

static void a_group_holds_a_whole_record(void **state) {
    (void)state;
    for (size_t i = 0; i < LIMITS; i++) {
        for (size_t j = 0; j < 2 * RECORDS; j++) {
            bool compressed = j >= RECORDS;
            struct memory_shares shares =
                memory_shares_of(limits[i], records[j % RECORDS], compressed);
            assert_true(shares.record_bytes >= 1000);
            assert_true(shares.record_bytes <= records[j % RECORDS]);
            assert_true(shares.group_bytes >= shares.record_bytes);
            assert_true(shares.group_bytes <= KINESIS_REQUEST_BYTES_MAX ||
                        shares.group_bytes == shares.record_bytes);
        }
    }
}

static void records_are_as_large_as_asked_for_where_the_memory_allows_it(void **state) {
    (void)state;
    assert_int_equal(memory_shares_of(8388608, 25000, false).record_bytes, 25000);
    assert_int_equal(memory_shares_of(1048576, 25000, false).record_bytes, 25000);
    assert_int_equal(memory_shares_of(8388608, 1048576, false).record_bytes, 1048576);
    assert_int_equal(memory_shares_of(67108864, 10485760, false).record_bytes, 10485760);
    assert_true(memory_shares_of(1048576, 10485760, false).record_bytes < 300000);
}

static void the_default_sends_while_an_answer_is_awaited(void **state) {
    (void)state;
    struct memory_shares shares = memory_shares_of(8388608, 25000, false);
    assert_int_equal(shares.lanes, 2);
    assert_int_equal(shares.group_bytes, 699050);
    assert_true(shares.queue_bytes > 8388608 / 2);
    shares = memory_shares_of(8388608, 250000, true);
    assert_int_equal(shares.lanes, DESTINATION_LANES_MAX);
    assert_int_equal(shares.group_bytes, 250000 + 131072);
}

static void nothing_to_undo_after_a_zeroed_start(void **state) {
    (void)state;
    struct shipping shipping = {0};
    shipping_done(&shipping);
    shipping_done(&shipping);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_in_flight_and_queued_never_exceeds_the_limit),
        cmocka_unit_test(much_of_the_memory_is_left_to_what_waits),
        cmocka_unit_test(a_group_holds_a_whole_record),
        cmocka_unit_test(records_are_as_large_as_asked_for_where_the_memory_allows_it),
        cmocka_unit_test(the_default_sends_while_an_answer_is_awaited),
        cmocka_unit_test(nothing_to_undo_after_a_zeroed_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
