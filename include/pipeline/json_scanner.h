// SPDX-License-Identifier: MIT
/* Checks JSON text in place: the grammar of RFC 8259, valid UTF-8, no lone surrogates.
 *
 * Nothing is decoded or copied; what is found is given back as spans of the text. A scan that
 * fails leaves `at` at the byte it could not take, and `ran_out` tells whether more bytes might
 * have made it valid. Allocates nothing, does not recurse. Pure but for its own state. */
#pragma once

#include "base/attributes.h"
#include "base/span.h"

#include <stdbool.h>

/* Arrays and objects open at once inside one scanned value. */
enum { JSON_DEPTH_MAX = 512 };

struct json_scanner {
    const char *at;
    const char *end;
    bool ran_out;    /* of the last failure: the text ended too early */
    bool met_blanks; /* between tokens, so far */
};

static inline struct json_scanner json_scanner_over(struct span text) {
    const char *start = text.len > 0 ? text.ptr : "";
    return (struct json_scanner){.at = start, .end = start + text.len};
}

/* Skips one value of any kind and the blanks before it. *ret is its text. */
MUST_CHECK bool json_scan_value(struct json_scanner *scanner, struct span *ret);

/* Skips one string; *ret is its content, as written, without the quotes. */
MUST_CHECK bool json_scan_string(struct json_scanner *scanner, struct span *ret);

void json_skip_blanks(struct json_scanner *scanner);

/* Skips `c` if it is the next byte. */
bool json_skip(struct json_scanner *scanner, char c);

/* Walks through the members of an object, which is checked on the way. */
struct json_object {
    struct json_scanner scanner; /* at the opening brace or blanks before it */
    bool opened;                 /* the brace has been read */
};

struct json_member {
    struct span name;  /* as written, without the quotes */
    struct span value; /* JSON text */
};

enum json_step {
    JSON_MEMBER, /* *ret is the next member */
    JSON_CLOSED, /* the object is complete; the scanner is behind its closing brace */
    JSON_BROKEN, /* it is no object; see struct json_scanner */
};

static inline struct json_object json_object_over(struct span text) {
    return (struct json_object){.scanner = json_scanner_over(text)};
}

enum json_step json_object_next(struct json_object *object, struct json_member *ret);

/* The content of a string value (JSON text that has been scanned), or an empty span for any other
 * kind of value. */
struct span json_string_content(struct span value);

/* Bytes of the character at the start of string content: 1 to 4 of plain UTF-8, 2, 6 or 12 (a
 * surrogate pair) of an escape. 0: what is there can be no character. More than content.len: it
 * is cut off. */
size_t json_character_length(struct span content);
