// SPDX-License-Identifier: MIT
#include "app/setting.h"

#include <inttypes.h>

enum {
    SHOWN_VALUE_MAX = 100,
    NAME_MAX_LENGTH = 64, /* longer names are compared by their beginning */
    ALLOWED_CEILING = 1024,
};

const char *const setting_bool_choices[] = {"true", "false", NULL};

void *setting_field(const struct setting *setting, void *config) {
    return (char *)config + setting->field;
}

bool setting_parse_number(const struct setting *setting, struct span value, void *config) {
    unsigned long long number = 0;
    if (!span_to_u64(value, &number) || number < setting->min || number > setting->max) {
        return false;
    }
    *(uint64_t *)setting_field(setting, config) = number;
    return true;
}

static bool find_choice(const struct setting *setting, struct span value, unsigned *ret) {
    for (unsigned i = 0; setting->choices[i] != NULL; i++) {
        if (span_equals(value, span_of_text(setting->choices[i]))) {
            *ret = i;
            return true;
        }
    }
    return false;
}

bool setting_parse_choice(const struct setting *setting, struct span value, void *config) {
    unsigned index = 0;
    if (!find_choice(setting, value, &index)) {
        return false;
    }
    *(unsigned *)setting_field(setting, config) = index;
    return true;
}

bool setting_parse_bool(const struct setting *setting, struct span value, void *config) {
    unsigned index = 0;
    if (!find_choice(setting, value, &index)) {
        return false;
    }
    *(bool *)setting_field(setting, config) = index == 0;
    return true;
}

static void append_choices(const struct setting *setting, struct buf *out) {
    for (size_t i = 0; setting->choices[i] != NULL; i++) {
        buf_append_format(out, "%s`%s`", i == 0 ? "" : ", ", setting->choices[i]);
    }
}

static void append_allowed(const struct setting *setting, struct buf *out) {
    if (setting->allowed != NULL) {
        buf_append_text(out, setting->allowed);
    } else if (setting->choices != NULL) {
        append_choices(setting, out);
    } else {
        buf_append_format(out, "%" PRIu64 "-%" PRIu64, setting->min, setting->max);
    }
}

void setting_append_mistake(const struct setting *setting, struct span value, struct buf *out) {
    struct span shown = span_first(value, SHOWN_VALUE_MAX);
    const char *more = shown.len < value.len ? "…" : "";
    buf_append_format(out, "%s=%.*s%s is not allowed; allowed: ", setting->name, SPAN_ARGS(shown),
                      more);
    append_allowed(setting, out);
    buf_append_char(out, '\n');
}

static size_t smallest(size_t a, size_t b, size_t c) {
    size_t smaller = a < b ? a : b;
    return smaller < c ? smaller : c;
}

/* Levenshtein's distance, one row at a time. */
static size_t distance(struct span a, struct span b) {
    size_t row[NAME_MAX_LENGTH + 1];
    for (size_t j = 0; j <= b.len; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t replaced = diagonal + (a.ptr[i - 1] != b.ptr[j - 1]);
            diagonal = row[j];
            row[j] = smallest(row[j] + 1, row[j - 1] + 1, replaced);
        }
    }
    return row[b.len];
}

const struct setting *setting_nearest(const struct setting *settings, size_t count,
                                      struct span name) {
    const struct setting *nearest = &settings[0];
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        struct span known = span_of_text(settings[i].name);
        size_t changes =
            distance(span_first(name, NAME_MAX_LENGTH), span_first(known, NAME_MAX_LENGTH));
        if (changes < best) {
            best = changes;
            nearest = &settings[i];
        }
    }
    return nearest;
}

static const char *default_in_words(const struct setting *setting) {
    if (setting->preset_in_words != NULL) {
        return setting->preset_in_words;
    }
    return setting->required ? "(required)" : "";
}

void setting_print_row(const struct setting *setting, FILE *out) {
    struct buf allowed = buf_with_ceiling(ALLOWED_CEILING);
    append_allowed(setting, &allowed);
    (void)fprintf(out, "| `%s` | ", setting->name);
    if (setting->preset != NULL) {
        (void)fprintf(out, "`%s`", setting->preset);
    } else {
        (void)fputs(default_in_words(setting), out);
    }
    (void)fprintf(out, " | %.*s | %s |\n", SPAN_ARGS(buf_span(&allowed)), setting->help);
    buf_done(&allowed);
}

/* Without the marks of Markdown. */
static void print_plain(struct span text, FILE *out) {
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] != '`') {
            (void)fputc(text.ptr[i], out);
        }
    }
}

void setting_print_paragraph(const struct setting *setting, FILE *out) {
    struct buf allowed = buf_with_ceiling(ALLOWED_CEILING);
    append_allowed(setting, &allowed);
    (void)fprintf(out, "  %s\n      ", setting->name);
    print_plain(span_of_text(setting->help), out);
    (void)fputs("\n      Allowed: ", out);
    print_plain(buf_span(&allowed), out);
    const char *preset = setting->preset != NULL ? setting->preset : setting->preset_in_words;
    if (preset != NULL) {
        (void)fputs(". Default: ", out);
        print_plain(span_of_text(preset), out);
    }
    (void)fprintf(out, ".%s\n", setting->required ? " Required." : "");
    buf_done(&allowed);
}

static void print_default(const struct setting *setting, FILE *out) {
    if (setting->preset != NULL) {
        (void)fputs(setting->preset, out);
    } else if (setting->preset_in_words != NULL) {
        print_plain(span_of_text(setting->preset_in_words), out);
    } else {
        (void)fputs("-", out);
    }
}

void setting_print_value(const struct setting *setting, struct span given, bool allowed,
                         FILE *out) {
    (void)fprintf(out, "  %-31s ", setting->name);
    if (allowed) {
        (void)fprintf(out, "%.*s\n", SPAN_ARGS(given));
        return;
    }
    print_default(setting, out);
    (void)fputs(given.len > 0 ? " (what is given is not allowed)\n" : " (default)\n", out);
}
