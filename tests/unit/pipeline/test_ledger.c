// SPDX-License-Identifier: MIT
#include "pipeline/ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void what_is_neither_delivered_nor_dropped_is_pending(void **state) {
    (void)state;
    struct ledger ledger = {0};
    assert_int_equal(ledger_pending(&ledger).events, 0);
    ledger_add(&ledger.received, 10, 1000);
    ledger_add(&ledger.delivered, 4, 350);
    ledger_add(&ledger.delivered, 1, 50);
    ledger_add(&ledger.dropped[DROP_REFUSED], 1, 100);
    ledger_add(&ledger.dropped[DROP_NO_MEMORY], 1, 20);
    ledger_add(&ledger.dropped[DROP_TOO_LARGE], 1, 30);
    ledger_add(&ledger.dropped[DROP_SHUTDOWN], 1, 40);
    assert_int_equal(ledger_dropped(&ledger).events, 4);
    assert_int_equal(ledger_dropped(&ledger).bytes, 190);
    assert_int_equal(ledger_pending(&ledger).events, 1);
    assert_int_equal(ledger_pending(&ledger).bytes, 410);
}

static void every_cause_has_a_name_of_its_own(void **state) {
    (void)state;
    for (enum drop_cause a = 0; a < DROP_CAUSES; a++) {
        assert_string_not_equal(drop_cause_name(a), drop_cause_name(DROP_CAUSES));
        for (enum drop_cause b = 0; b < a; b++) {
            assert_string_not_equal(drop_cause_name(a), drop_cause_name(b));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_neither_delivered_nor_dropped_is_pending),
        cmocka_unit_test(every_cause_has_a_name_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
