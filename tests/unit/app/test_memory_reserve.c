// SPDX-License-Identifier: MIT
#include "app/memory_reserve.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void what_was_put_by_is_given_back_once(void **state) {
    (void)state;
    struct memory_reserve reserve = {0};
    assert_false(memory_reserve_release(&reserve));
    memory_reserve_fill(&reserve);
    assert_true(memory_reserve_release(&reserve));
    assert_false(memory_reserve_release(&reserve));
}

static void filling_it_again_puts_no_more_by(void **state) {
    (void)state;
    struct memory_reserve reserve = {0};
    memory_reserve_fill(&reserve);
    const void *bytes = reserve.bytes;
    memory_reserve_fill(&reserve);
    assert_ptr_equal(reserve.bytes, bytes);
    assert_true(memory_reserve_release(&reserve));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_by_is_given_back_once),
        cmocka_unit_test(filling_it_again_puts_no_more_by),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
