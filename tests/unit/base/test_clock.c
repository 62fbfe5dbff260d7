// SPDX-License-Identifier: MIT
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

static void formats_as_iso_8601_with_milliseconds(void **state) {
    (void)state;
    char text[CLOCK_TEXT_BYTES];
    clock_format_iso8601(1773500966536, text);
    assert_string_equal(text, "2026-03-14T15:09:26.536Z");
    clock_format_iso8601(0, text);
    assert_string_equal(text, "1970-01-01T00:00:00.000Z");
    clock_format_iso8601(951782400007, text);
    assert_string_equal(text, "2000-02-29T00:00:00.007Z");
}

static void formats_as_signatures_want_it(void **state) {
    (void)state;
    char text[CLOCK_TEXT_BYTES];
    clock_format_basic(1773500966999, text);
    assert_string_equal(text, "20260314T150926Z");
}

static void wall_time_is_the_system_s(void **state) {
    (void)state;
    const struct clock *c = clock_system();
    int64_t before = (int64_t)time(NULL) * 1000;
    int64_t now = clock_wall_ms(c);
    /* time() reads a coarser clock, which may be a tick behind on either side */
    assert_true(now >= before - 1000);
    assert_true(now <= (int64_t)time(NULL) * 1000 + 2000);
}

static void monotonic_time_never_runs_backwards(void **state) {
    (void)state;
    const struct clock *c = clock_system();
    int64_t last = clock_monotonic_ms(c);
    for (int i = 0; i < 1000; i++) {
        int64_t now = clock_monotonic_ms(c);
        assert_true(now >= last);
        last = now;
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_as_iso_8601_with_milliseconds),
        cmocka_unit_test(formats_as_signatures_want_it),
        cmocka_unit_test(wall_time_is_the_system_s),
        cmocka_unit_test(monotonic_time_never_runs_backwards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
