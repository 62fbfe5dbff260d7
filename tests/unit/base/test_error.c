// SPDX-License-Identifier: MIT
#include "base/error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void setting_fills_code_and_message_and_is_false(void **state) {
    (void)state;
    struct error err = {0};
    assert_false(error_set(&err, ERR_REFUSED, "status %d from %s", 403, "register"));
    assert_int_equal(err.code, ERR_REFUSED);
    assert_string_equal(err.message, "status 403 from register");
}

static void nobody_needs_to_want_the_error(void **state) {
    (void)state;
    assert_false(error_set(NULL, ERR_FULL, "nobody reads this"));
    assert_false(error_set_memory(NULL, "this"));
}

static void a_long_message_is_cut(void **state) {
    (void)state;
    struct error err = {0};
    assert_false(error_set(&err, ERR_INVALID, "%0*d", 2 * ERROR_MESSAGE_BYTES, 1));
    assert_int_equal(strlen(err.message), ERROR_MESSAGE_BYTES - 1);
}

static void running_out_of_memory_says_for_what(void **state) {
    (void)state;
    struct error err = {0};
    assert_false(error_set_memory(&err, "the queue"));
    assert_int_equal(err.code, ERR_MEMORY);
    assert_string_equal(err.message, "out of memory for the queue");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(setting_fills_code_and_message_and_is_false),
        cmocka_unit_test(nobody_needs_to_want_the_error),
        cmocka_unit_test(a_long_message_is_cut),
        cmocka_unit_test(running_out_of_memory_says_for_what),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
