// SPDX-License-Identifier: MIT
#include "pipeline/json_scanner.h"

#include "base/utf8.h"
#include "pipeline/json_plain.h"

#include <stdint.h>

/* The kinds of what is open: one bit a level, set for an object. */
struct nesting {
    size_t depth;
    uint8_t is_object[JSON_DEPTH_MAX / 8];
};

static bool fail(struct json_scanner *s) {
    s->ran_out = s->at == s->end;
    return false;
}

static size_t bytes_left(const struct json_scanner *s) { return (size_t)(s->end - s->at); }

/* NUL at the end, which no rule of the grammar takes, so that it needs no case of its own. */
static char peek(const struct json_scanner *s) { return s->at < s->end ? *s->at : '\0'; }

bool json_skip(struct json_scanner *s, char c) {
    if (s->at == s->end || *s->at != c) {
        return false;
    }
    s->at++;
    return true;
}

/* The first comparison settles it nearly always: the platform writes no blanks. */
static bool is_blank(char c) {
    return c <= ' ' && (c == ' ' || c == '\n' || c == '\r' || c == '\t');
}

void json_skip_blanks(struct json_scanner *s) {
    while (s->at < s->end && is_blank(*s->at)) {
        s->met_blanks = true;
        s->at++;
    }
}

/* --- strings --- */

static bool is_hex_digit(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Whether `text` starts like \uXXXX; it may end before the last digit. */
static bool is_unicode_escape(struct span text) {
    for (size_t i = 0; i < text.len && i < 6; i++) {
        bool fits = i == 0   ? text.ptr[i] == '\\'
                    : i == 1 ? text.ptr[i] == 'u'
                             : is_hex_digit(text.ptr[i]);
        if (!fits) {
            return false;
        }
    }
    return true;
}

static unsigned hex_value(char c) { return (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10); }

static bool is_surrogate(struct span escape, unsigned first_of_second_digit) {
    unsigned second = hex_value(escape.ptr[3]);
    return hex_value(escape.ptr[2]) == 0xd && second >= first_of_second_digit &&
           second < first_of_second_digit + 4;
}

static size_t unicode_escape_length(struct span text) {
    if (!is_unicode_escape(text)) {
        return 0;
    }
    if (text.len < 6) {
        return 6;
    }
    if (is_surrogate(text, 0xc)) {
        return 0;
    }
    if (!is_surrogate(text, 0x8)) {
        return 6;
    }
    struct span low = span_skip(text, 6);
    bool has_low = is_unicode_escape(low) && (low.len < 6 || is_surrogate(low, 0xc));
    return has_low ? 12 : 0;
}

static size_t escape_length(struct span text) {
    if (text.len < 2) {
        return 2;
    }
    if (text.ptr[1] == 'u') {
        return unicode_escape_length(text);
    }
    return json_is_short_escape(text.ptr[1]) ? 2 : 0;
}

static size_t utf8_length(struct span text) {
    unsigned char lead = (unsigned char)text.ptr[0];
    size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (text.len >= length) {
        return utf8_sequence_length(text);
    }
    for (size_t i = 1; i < text.len; i++) {
        if (((unsigned char)text.ptr[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return lead >= 0xc2 && lead <= 0xf4 ? length : 0;
}

size_t json_character_length(struct span content) {
    if (content.len == 0) {
        return 1;
    }
    unsigned char first = (unsigned char)content.ptr[0];
    if (first == '\\') {
        return escape_length(content);
    }
    if (first >= 0x80) {
        return utf8_length(content);
    }
    return first >= ' ' && first != '"' ? 1 : 0;
}

/* Skips what needs no look of its own: all but the quote, \u escapes and what is not valid. */
static void skip_plain(struct json_scanner *s) {
    const char *start = s->at;
    bool is_ascii = true;
    s->at = json_skip_plain(start, s->end, &is_ascii);
    if (!is_ascii) {
        s->at = start + utf8_valid_length(span_of(start, (size_t)(s->at - start)));
    }
}

bool json_scan_string(struct json_scanner *s, struct span *ret) {
    if (!json_skip(s, '"')) {
        return fail(s);
    }
    const char *start = s->at;
    for (skip_plain(s); peek(s) != '"'; skip_plain(s)) {
        size_t length = json_character_length(span_of(s->at, bytes_left(s)));
        if (length == 0 || length > bytes_left(s)) {
            s->ran_out = length > 0;
            return false;
        }
        s->at += length;
    }
    *ret = span_of(start, (size_t)(s->at - start));
    s->at++;
    return true;
}

struct span json_string_content(struct span value) {
    return span_starts_with(value, SPAN("\"")) ? span_of(value.ptr + 1, value.len - 2)
                                               : span_of(value.ptr, 0);
}

/* --- numbers and words --- */

static bool skip_digits(struct json_scanner *s) {
    const char *start = s->at;
    while (peek(s) >= '0' && peek(s) <= '9') {
        s->at++;
    }
    return s->at > start || fail(s);
}

static bool scan_number(struct json_scanner *s) {
    (void)json_skip(s, '-');
    if (!json_skip(s, '0') && !skip_digits(s)) {
        return false;
    }
    if (json_skip(s, '.') && !skip_digits(s)) {
        return false;
    }
    if (json_skip(s, 'e') || json_skip(s, 'E')) {
        (void)(json_skip(s, '+') || json_skip(s, '-'));
        return skip_digits(s);
    }
    return true;
}

static bool scan_word(struct json_scanner *s, struct span word) {
    for (size_t i = 0; i < word.len; i++) {
        if (!json_skip(s, word.ptr[i])) {
            return fail(s);
        }
    }
    return true;
}

static bool scan_scalar(struct json_scanner *s) {
    struct span content;
    switch (peek(s)) {
    case '"':
        return json_scan_string(s, &content);
    case 't':
        return scan_word(s, SPAN("true"));
    case 'f':
        return scan_word(s, SPAN("false"));
    case 'n':
        return scan_word(s, SPAN("null"));
    default:
        return scan_number(s);
    }
}

/* --- arrays and objects --- */

static bool push(struct nesting *open, bool is_object) {
    if (open->depth == JSON_DEPTH_MAX) {
        return false;
    }
    uint8_t bit = (uint8_t)(1U << (open->depth % 8));
    uint8_t *levels = &open->is_object[open->depth / 8];
    *levels = (uint8_t)(is_object ? *levels | bit : *levels & ~bit);
    open->depth++;
    return true;
}

static bool innermost_is_object(const struct nesting *open) {
    size_t level = open->depth - 1;
    return (open->is_object[level / 8] >> (level % 8) & 1) != 0;
}

static char closer(const struct nesting *open) { return innermost_is_object(open) ? '}' : ']'; }

static bool scan_name(struct json_scanner *s, struct span *ret) {
    json_skip_blanks(s);
    if (!json_scan_string(s, ret)) {
        return false;
    }
    json_skip_blanks(s);
    return json_skip(s, ':') || fail(s);
}

/* An object's value has its name before it. */
static bool scan_name_if_object(struct json_scanner *s, const struct nesting *open) {
    struct span name;
    return !innermost_is_object(open) || scan_name(s, &name);
}

/* Reads a scalar, or what opens an array or object up to its first value. *complete: a value is
 * read, or the closer of an empty array or object comes next. */
static bool begin_value(struct json_scanner *s, struct nesting *open, bool *complete) {
    json_skip_blanks(s);
    if (peek(s) != '{' && peek(s) != '[') {
        *complete = true;
        return scan_scalar(s);
    }
    if (!push(open, peek(s) == '{')) {
        return fail(s);
    }
    s->at++;
    json_skip_blanks(s);
    *complete = peek(s) == closer(open);
    return *complete || scan_name_if_object(s, open);
}

/* Behind a value: closes what closes here, or moves on to the next value. */
static bool end_value(struct json_scanner *s, struct nesting *open) {
    while (open->depth > 0) {
        json_skip_blanks(s);
        if (json_skip(s, ',')) {
            return scan_name_if_object(s, open);
        }
        if (!json_skip(s, closer(open))) {
            return fail(s);
        }
        open->depth--;
    }
    return true;
}

bool json_scan_value(struct json_scanner *s, struct span *ret) {
    struct nesting open = {.depth = 0};
    json_skip_blanks(s);
    const char *start = s->at;
    do {
        bool complete = false;
        if (!begin_value(s, &open, &complete) || (complete && !end_value(s, &open))) {
            return false;
        }
    } while (open.depth > 0);
    *ret = span_of(start, (size_t)(s->at - start));
    return true;
}

/* Moves to the next name; JSON_MEMBER when there is one. */
static enum json_step next_name(struct json_object *object) {
    struct json_scanner *s = &object->scanner;
    bool is_first = !object->opened;
    json_skip_blanks(s);
    if (is_first) {
        object->opened = json_skip(s, '{');
        json_skip_blanks(s);
    }
    if (object->opened && json_skip(s, '}')) {
        return JSON_CLOSED;
    }
    bool follows = is_first ? object->opened : json_skip(s, ',');
    return follows || fail(s) ? JSON_MEMBER : JSON_BROKEN;
}

enum json_step json_object_next(struct json_object *object, struct json_member *ret) {
    struct json_member member;
    enum json_step step = next_name(object);
    if (step != JSON_MEMBER) {
        return step;
    }
    if (!scan_name(&object->scanner, &member.name) ||
        !json_scan_value(&object->scanner, &member.value)) {
        return JSON_BROKEN;
    }
    *ret = member;
    return JSON_MEMBER;
}
