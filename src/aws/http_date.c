// SPDX-License-Identifier: MIT
#include "aws/http_date.h"

#include <time.h>

static const char days[] = "SunMonTueWedThuFriSat";
static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

/* Punctuation stands for itself, "9" for a digit, "a" for any byte that is looked at later. */
static bool has_form(struct span text) {
    static const struct span form = {.ptr = "aaa, 99 aaa 9999 99:99:99 GMT", .len = 29};
    if (text.len != form.len) {
        return false;
    }
    for (size_t i = 0; i < form.len; i++) {
        bool digit = text.ptr[i] >= '0' && text.ptr[i] <= '9';
        bool fits = form.ptr[i] == '9'   ? digit
                    : form.ptr[i] == 'a' ? true
                                         : text.ptr[i] == form.ptr[i];
        if (!fits) {
            return false;
        }
    }
    return true;
}

static int number(struct span text, size_t from, size_t digits) {
    int value = 0;
    for (size_t i = from; i < from + digits; i++) {
        value = value * 10 + (text.ptr[i] - '0');
    }
    return value;
}

/* Which of the three-letter names it is, or -1. */
static int name_index(struct span name, struct span names) {
    for (int i = 0; names.len >= 3; i++) {
        if (span_equals(name, span_first(names, 3))) {
            return i;
        }
        names = span_skip(names, 3);
    }
    return -1;
}

bool http_date_read(struct span text, int64_t *ret_wall_ms) {
    if (!has_form(text)) {
        return false;
    }
    const struct tm read = {
        .tm_mday = number(text, 5, 2),
        .tm_mon = name_index(span_of(text.ptr + 8, 3), span_of_text(months)),
        .tm_year = number(text, 12, 4) - 1900,
        .tm_hour = number(text, 17, 2),
        .tm_min = number(text, 20, 2),
        .tm_sec = number(text, 23, 2),
        .tm_wday = name_index(span_first(text, 3), span_of_text(days)),
    };
    struct tm real = read;
    time_t seconds = timegm(&real);
    /* timegm() carries what is out of range over; a date that exists stays as it is. */
    bool exists = real.tm_mday == read.tm_mday && real.tm_mon == read.tm_mon &&
                  real.tm_hour == read.tm_hour && real.tm_min == read.tm_min &&
                  real.tm_sec == read.tm_sec && real.tm_wday == read.tm_wday;
    if (exists) {
        *ret_wall_ms = (int64_t)seconds * 1000;
    }
    return exists;
}
