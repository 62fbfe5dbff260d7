// SPDX-License-Identifier: MIT
#include "base/timestamp.h"

#include <time.h>

/* Punctuation stands for itself, "9" for a digit. */
static bool has_form(struct span text, struct span form) {
    if (text.len < form.len) {
        return false;
    }
    for (size_t i = 0; i < form.len; i++) {
        bool digit = text.ptr[i] >= '0' && text.ptr[i] <= '9';
        if (form.ptr[i] == '9' ? !digit : text.ptr[i] != form.ptr[i]) {
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

static bool read_seconds(struct span text, int64_t *ret) {
    const struct tm read = {
        .tm_year = number(text, 0, 4) - 1900,
        .tm_mon = number(text, 5, 2) - 1,
        .tm_mday = number(text, 8, 2),
        .tm_hour = number(text, 11, 2),
        .tm_min = number(text, 14, 2),
        .tm_sec = number(text, 17, 2),
    };
    struct tm real = read;
    *ret = (int64_t)timegm(&real);
    /* timegm() carries what is out of range over; a time that exists stays as it is. */
    return real.tm_mday == read.tm_mday && real.tm_mon == read.tm_mon &&
           real.tm_hour == read.tm_hour && real.tm_min == read.tm_min && real.tm_sec == read.tm_sec;
}

/* ".536": the first three digits count. */
static bool read_fraction(struct span *rest, int64_t *ret_ms) {
    *ret_ms = 0;
    if (!span_starts_with(*rest, SPAN("."))) {
        return true;
    }
    size_t digits = 0;
    int64_t unit_ms = 100;
    struct span text = span_skip(*rest, 1);
    while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9') {
        *ret_ms += unit_ms * (text.ptr[digits] - '0');
        unit_ms /= 10;
        digits++;
    }
    *rest = span_skip(text, digits);
    return digits > 0;
}

/* "Z" or "+01:00", and nothing behind it. */
static bool read_offset(struct span text, int64_t *ret_seconds) {
    *ret_seconds = 0;
    if (span_equals(text, SPAN("Z"))) {
        return true;
    }
    bool east = span_starts_with(text, SPAN("+"));
    if (text.len != 6 || (!east && text.ptr[0] != '-') ||
        !has_form(span_skip(text, 1), SPAN("99:99"))) {
        return false;
    }
    int hours = number(text, 1, 2);
    int minutes = number(text, 4, 2);
    int64_t seconds = hours * 3600 + minutes * 60;
    *ret_seconds = east ? seconds : -seconds;
    return hours < 24 && minutes < 60;
}

bool timestamp_read(struct span text, int64_t *ret_wall_ms) {
    static const struct span form = {.ptr = "9999-99-99T99:99:99", .len = 19};
    int64_t seconds = 0;
    int64_t fraction_ms = 0;
    int64_t offset = 0;
    if (!has_form(text, form) || !read_seconds(text, &seconds)) {
        return false;
    }
    struct span rest = span_skip(text, form.len);
    if (!read_fraction(&rest, &fraction_ms) || !read_offset(rest, &offset)) {
        return false;
    }
    *ret_wall_ms = (seconds - offset) * 1000 + fraction_ms;
    return true;
}
