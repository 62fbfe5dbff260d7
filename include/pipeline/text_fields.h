// SPDX-License-Identifier: MIT
/* Puts members of JSON objects into a line of text: "Duration: 17.30 ms".
 *
 * The text is appended as the content of a JSON string: what was escaped stays so. Objects are JSON
 * text that has been scanned; what they have not is left out. Pure but for the buffer, whose
 * failure is sticky. */
#pragma once

#include "base/buf.h"
#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>

struct text_field {
    const char *label; /* before the value, as string content, like the unit behind it */
    const char *member;
    const char *unit;
    bool hundredths; /* a number with two decimals */
};

/* The JSON text of a direct member; empty when there is none. */
struct span text_fields_member(struct span object, const char *name);

/* The content of a direct member that is a string, or the text of one that is a number (with fewer
 * than 32 characters, as all have that mean something); else empty. */
struct span text_fields_value(struct span object, const char *name);

/* Appends label, value and unit of the members that text_fields_value() has. */
void text_fields_append(struct buf *out, struct span object, const struct text_field *fields,
                        size_t count);

#define TEXT_FIELDS_APPEND(out, object, fields)                                                    \
    text_fields_append(out, object, fields, sizeof(fields) / sizeof(fields)[0])

/* Appends the strings of an array: "[INVOKE, SHUTDOWN]"; "[]" when the member is none. */
void text_fields_append_list(struct buf *out, struct span object, const char *name);
