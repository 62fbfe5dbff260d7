// SPDX-License-Identifier: MIT
/* One row of the settings table: a variable, what it may be, and where its value goes. */
#pragma once

#include "base/buf.h"
#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct setting {
    const char *name;
    const char *preset;          /* the default, parsed like a given value; NULL: none */
    const char *preset_in_words; /* for a default that depends on other settings; may be NULL */
    const char *allowed;         /* in words; NULL: made from min and max, or from choices */
    const char *help;
    bool required;
    /* Puts the value into the struct at `config`; false, with nothing changed, when it is not
     * allowed. */
    bool (*parse)(const struct setting *setting, struct span value, void *config);
    uint64_t min, max;          /* for numbers */
    const char *const *choices; /* NULL-terminated; the value becomes the index, as an enum */
    size_t field;               /* offset of the value in the struct */
};

/* Where the setting's value is. */
void *setting_field(const struct setting *setting, void *config);

bool setting_parse_number(const struct setting *setting, struct span value, void *config);
bool setting_parse_choice(const struct setting *setting, struct span value, void *config);
bool setting_parse_bool(const struct setting *setting, struct span value, void *config);
extern const char *const setting_bool_choices[];

/* Appends "NAME=value is not allowed; it must be …" and a newline. A long value is cut. */
void setting_append_mistake(const struct setting *setting, struct span value, struct buf *out);

/* The setting whose name takes the fewest changed letters to become `name`. `count` is not 0. */
const struct setting *setting_nearest(const struct setting *settings, size_t count,
                                      struct span name);

/* Prints what the setting comes to: what was given if that is `allowed`, else the default. */
void setting_print_value(const struct setting *setting, struct span given, bool allowed, FILE *out);

/* Prints a row of a Markdown table: name, default, allowed, help. */
void setting_print_row(const struct setting *setting, FILE *out);

/* Prints the same for a terminal: the name, and below it what it does, allowed and default. */
void setting_print_paragraph(const struct setting *setting, FILE *out);
