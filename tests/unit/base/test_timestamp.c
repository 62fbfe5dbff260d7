// SPDX-License-Identifier: MIT
#include "base/timestamp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void reads_every_form_of_a_time(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t wall_ms;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-03-14T15:09:26Z", 1773500966000},
        {"2026-03-14T15:09:26.536Z", 1773500966536},
        {"2026-03-14T15:09:26.5Z", 1773500966500},
        {"2026-03-14T15:09:26.536897Z", 1773500966536},
        {"2026-03-14T16:39:26+01:30", 1773500966000},
        {"2026-03-14T10:09:26.000-05:00", 1773500966000},
        {"2028-02-29T00:00:00Z", 1835395200000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t wall_ms = -1;
        assert_true(timestamp_read(span_of_text(cases[i].text), &wall_ms));
        assert_int_equal(wall_ms, cases[i].wall_ms);
    }
}

static void refuses_anything_else(void **state) {
    (void)state;
    static const char *const texts[] = {
        "",
        "2026-03-14",
        "2026-03-14T15:09:26",
        "2026-03-14 15:09:26Z",
        "2026-02-29T00:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-03-14T24:00:01Z",
        "2026-03-14T15:09:26.Z",
        "2026-03-14T15:09:26Zx",
        "2026-03-14T15:09:26+0100",
        "2026-03-14T15:09:26+24:00",
        "2026-03-14T15:09:26*01:00",
        "1773500966",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        int64_t wall_ms = 42;
        if (timestamp_read(span_of_text(texts[i]), &wall_ms)) {
            fail_msg("%s was taken", texts[i]);
        }
        assert_int_equal(wall_ms, 42);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_form_of_a_time),
        cmocka_unit_test(refuses_anything_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
