// SPDX-License-Identifier: MIT
#include "pipeline/loss_report.h"

#include "../fake_clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct batch_queue *queue;
static struct fake_clock at;
static struct ledger ledger;
static struct loss_report report;

static int set_up(void **state) {
    (void)state;
    queue = batch_queue_create(4000, NULL);
    at = fake_clock_at(0, 1773500966536);
    ledger = (struct ledger){0};
    report = (struct loss_report){0};
    return queue == NULL;
}

static int tear_down(void **state) {
    (void)state;
    batch_queue_destroy(queue);
    return 0;
}

static void push(void) { loss_report_push(&report, &ledger, queue, &at.clock); }

static void expect_event(const char *record) {
    char expected[300];
    (void)snprintf(expected, sizeof expected,
                   "[{\"time\":\"2026-03-14T15:09:26.536Z\",\"type\":\"extension.logsDropped\","
                   "\"record\":%s}]",
                   record);
    struct batch *batch = batch_queue_pop(queue);
    assert_non_null(batch);
    assert_string_equal(buf_text(&batch->body), expected);
    batch_queue_release(queue, batch_bytes(batch));
    batch_free(batch);
}

static void without_a_loss_there_is_nothing_to_tell(void **state) {
    (void)state;
    ledger_add(&ledger.received, 10, 1000);
    ledger_add(&ledger.platform_dropped, 5, 500); /* the platform tells of these itself */
    push();
    assert_true(batch_queue_is_empty(queue));
}

static void each_loss_is_told_once_by_its_cause(void **state) {
    (void)state;
    ledger_add(&ledger.dropped[DROP_REFUSED], 12, 3400);
    ledger_add(&ledger.dropped[DROP_TOO_LARGE], 1, UINT64_MAX);
    push();
    expect_event("{\"cause\":\"refused\",\"events\":12,\"bytes\":3400}");
    expect_event("{\"cause\":\"tooLarge\",\"events\":1,\"bytes\":18446744073709551615}");
    push();
    assert_true(batch_queue_is_empty(queue));
    ledger_add(&ledger.dropped[DROP_REFUSED], 3, 100);
    push();
    expect_event("{\"cause\":\"refused\",\"events\":3,\"bytes\":100}");
    assert_true(batch_queue_is_empty(queue));
}

static void what_the_queue_has_no_room_for_is_told_later(void **state) {
    (void)state;
    struct buf body = buf_with_ceiling(4000);
    for (int i = 0; i < 3400; i++) {
        buf_append_char(&body, 'x');
    }
    assert_true(batch_queue_push(queue, &body, NULL));
    ledger_add(&ledger.dropped[DROP_DISK], 2, 20);
    push();
    struct batch *batch = batch_queue_pop(queue);
    assert_true(batch_queue_is_empty(queue));
    batch_queue_release(queue, batch_bytes(batch));
    batch_free(batch);
    ledger_add(&ledger.dropped[DROP_DISK], 1, 10);
    push();
    expect_event("{\"cause\":\"disk\",\"events\":3,\"bytes\":30}");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(without_a_loss_there_is_nothing_to_tell),
        TEST(each_loss_is_told_once_by_its_cause),
        TEST(what_the_queue_has_no_room_for_is_told_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
