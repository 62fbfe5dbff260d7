// SPDX-License-Identifier: MIT
#include "aws/http_date.h"

#include "../guarded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void reads_the_form_that_servers_send(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t wall_ms;
    } cases[] = {
        {"Sun, 06 Nov 1994 08:49:37 GMT", 784111777000},
        {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
        {"Sat, 14 Mar 2026 15:09:26 GMT", 1773500966000},
        {"Thu, 29 Feb 2024 23:59:59 GMT", 1709251199000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t wall_ms = -1;
        assert_true(http_date_read(span_of_text(cases[i].text), &wall_ms));
        assert_true(wall_ms == cases[i].wall_ms);
    }
}

static void refuses_anything_else(void **state) {
    (void)state;
    static const char *const texts[] = {
        "",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sun, 06 Nov 1994 08:49:37",
        "Mon, 06 Nov 1994 08:49:37 GMT", /* it was a Sunday */
        "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nox 1994 08:49:37 GMT",
        "Sux, 06 Nov 1994 08:49:37 GMT",
        "Sun, -6 Nov 1994 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "nMo, 06 Nov 1994 08:49:37 GMT", /* letters of two names */
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        int64_t wall_ms = 7;
        assert_false(http_date_read(span_of_text(texts[i]), &wall_ms));
        assert_true(wall_ms == 7);
    }
}

static void reads_no_byte_behind_its_input(void **state) {
    (void)state;
    struct span whole = SPAN("Sun, 06 Nov 1994 08:49:37 GMT");
    for (size_t length = 0; length <= whole.len; length++) {
        struct guarded text = guarded_copy(span_first(whole, length));
        int64_t wall_ms = 0;
        assert_int_equal(http_date_read(text.text, &wall_ms), length == whole.len);
        guarded_done(&text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_form_that_servers_send),
        cmocka_unit_test(refuses_anything_else),
        cmocka_unit_test(reads_no_byte_behind_its_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
