// SPDX-License-Identifier: MIT
#include "app/trouble.h"

#include "../fake_clock.h"
#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* In place of the one in log.c. */
static int lines;
static enum log_level last_level;
static char last_fields[200];
static char last_message[600];

void log_fields(enum log_level level, const char *fields, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(last_message, sizeof last_message, format, arguments);
    va_end(arguments);
    (void)snprintf(last_fields, sizeof last_fields, "%s", fields);
    last_level = level;
    lines++;
}

static struct fake_clock now;
static struct trouble trouble;

static int set_up(void **state) {
    (void)state;
    lines = 0;
    now = fake_clock_at(123456, 0);
    trouble_init(&trouble, &now.clock);
    return 0;
}

static void the_first_of_a_kind_is_said_with_its_reason(void **state) {
    (void)state;
    trouble_say(&trouble, PACE_MISCONFIGURED, "no such stream");
    assert_int_equal(lines, 1);
    assert_int_equal(last_level, LOG_WARN);
    assert_non_null(strstr(last_message, "no such stream"));
    assert_string_equal(last_fields, "\"unsaid\":0");
}

static void what_repeats_is_said_once_a_minute_with_how_often_it_happened(void **state) {
    (void)state;
    trouble_say(&trouble, PACE_THROTTLED, "first");
    for (int i = 0; i < 59; i++) {
        fake_clock_pass(&now, 1000);
        trouble_say(&trouble, PACE_THROTTLED, "again");
    }
    assert_int_equal(lines, 1);
    fake_clock_pass(&now, 1000);
    trouble_say(&trouble, PACE_THROTTLED, "still");
    assert_int_equal(lines, 2);
    assert_non_null(strstr(last_message, "still"));
    assert_string_equal(last_fields, "\"unsaid\":59");
    fake_clock_pass(&now, TROUBLE_INTERVAL_MS);
    trouble_say(&trouble, PACE_THROTTLED, "still");
    assert_string_equal(last_fields, "\"unsaid\":0");
}

static void each_kind_is_said_by_itself(void **state) {
    (void)state;
    for (enum retry_pace kind = PACE_NOW; kind <= PACE_SMALLER; kind++) {
        trouble_say(&trouble, kind, "reason");
        trouble_say(&trouble, kind, "reason");
        assert_int_equal(lines, (int)kind + 1);
    }
}

static void advice_depends_on_the_kind(void **state) {
    (void)state;
    trouble_say(&trouble, PACE_THROTTLED, "reason");
    assert_non_null(strstr(last_message, "more shards"));
    trouble_say(&trouble, PACE_MISCONFIGURED, "reason");
    assert_non_null(strstr(last_message, "when this is mended"));
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(the_first_of_a_kind_is_said_with_its_reason),
        TEST(what_repeats_is_said_once_a_minute_with_how_often_it_happened),
        TEST(each_kind_is_said_by_itself),
        TEST(advice_depends_on_the_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
