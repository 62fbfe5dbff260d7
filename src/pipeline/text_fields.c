// SPDX-License-Identifier: MIT
#include "pipeline/text_fields.h"

#include "pipeline/json_scanner.h"

#include <stdlib.h>
#include <string.h>

enum { NUMBER_BYTES = 32 };

struct span text_fields_member(struct span object_text, const char *name) {
    struct json_object object = json_object_over(object_text);
    struct json_member member;
    while (json_object_next(&object, &member) == JSON_MEMBER) {
        if (span_equals(member.name, span_of_text(name))) {
            return member.value;
        }
    }
    return span_of(NULL, 0);
}

static bool is_number(struct span value) {
    return value.len > 0 && value.len < NUMBER_BYTES &&
           (value.ptr[0] == '-' || (value.ptr[0] >= '0' && value.ptr[0] <= '9'));
}

struct span text_fields_value(struct span object, const char *name) {
    struct span value = text_fields_member(object, name);
    return is_number(value) ? value : json_string_content(value);
}

static void append_value(struct buf *out, struct span value, bool hundredths) {
    char digits[NUMBER_BYTES] = "";
    if (!hundredths || !is_number(value)) {
        buf_append(out, value);
        return;
    }
    memcpy(digits, value.ptr, value.len);
    buf_append_format(out, "%.2f", strtod(digits, NULL));
}

void text_fields_append(struct buf *out, struct span object, const struct text_field *fields,
                        size_t count) {
    for (size_t i = 0; i < count; i++) {
        struct span value = text_fields_value(object, fields[i].member);
        if (value.len > 0) {
            buf_append_text(out, fields[i].label);
            append_value(out, value, fields[i].hundredths);
            buf_append_text(out, fields[i].unit);
        }
    }
}

void text_fields_append_list(struct buf *out, struct span object, const char *name) {
    struct json_scanner scanner = json_scanner_over(text_fields_member(object, name));
    struct span value;
    const char *separator = "";
    buf_append_char(out, '[');
    if (json_skip(&scanner, '[')) {
        while (json_scan_value(&scanner, &value)) {
            buf_append_text(out, separator);
            buf_append(out, json_string_content(value));
            separator = ", ";
            json_skip_blanks(&scanner);
            (void)json_skip(&scanner, ',');
        }
    }
    buf_append_char(out, ']');
}
