// SPDX-License-Identifier: MIT
#include "aws/xml_text.h"

enum { CHARACTER_MAX = 0x10ffff };

struct reader {
    struct span rest;
    struct span open[XML_DEPTH_MAX]; /* names */
    size_t depth;
    size_t matched; /* of `open`, from the outermost: as many are on the path */
    struct span path[XML_DEPTH_MAX + 1]; /* what is left of it behind so many */
    bool inside;                         /* of the element that is looked for */
    bool found;
    bool root_seen;
    struct buf *out;
};

/* --- text --- */

static bool read_number(struct span text, size_t base, size_t *ret) {
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    size_t value = 0;
    for (size_t i = 0; i < text.len; i++) {
        const char *digit = memchr(digits, text.ptr[i], sizeof digits - 1);
        size_t worth = digit == NULL ? base : (size_t)(digit - digits) % 16;
        if (worth >= base || value > CHARACTER_MAX) {
            return false;
        }
        value = value * base + worth;
    }
    *ret = value;
    return value > 0 && value <= CHARACTER_MAX;
}

/* What stands between "&" and ";". */
static bool decode(struct span name, char *ret) {
    static const struct {
        struct span name;
        char character;
    } entities[] = {
        {{"amp", 3}, '&'},  {{"lt", 2}, '<'},    {{"gt", 2}, '>'},
        {{"quot", 4}, '"'}, {{"apos", 4}, '\''},
    };
    for (size_t i = 0; i < sizeof entities / sizeof entities[0]; i++) {
        if (span_equals(name, entities[i].name)) {
            *ret = entities[i].character;
            return true;
        }
    }
    size_t value = 0;
    bool hexadecimal = span_starts_with(name, SPAN("#x"));
    bool is_number = hexadecimal ? read_number(span_skip(name, 2), 16, &value)
                                 : span_starts_with(name, SPAN("#")) &&
                                       read_number(span_skip(name, 1), 10, &value);
    *ret = value < 0x80 ? (char)value : '?';
    return is_number;
}

/* Takes "&name;" from the front of *rest. */
static bool read_reference(struct reader *reader, struct span *rest) {
    char character = 0;
    if (memchr(rest->ptr, ';', rest->len) == NULL) {
        return false;
    }
    struct span name = span_skip(span_cut(rest, ';'), 1);
    if (!decode(name, &character)) {
        return false;
    }
    if (reader->inside) {
        buf_append_char(reader->out, character);
    }
    return true;
}

static bool read_text(struct reader *reader, struct span text) {
    if (reader->depth == 0) {
        return span_trim(text).len == 0;
    }
    while (text.len > 0) {
        const char *ampersand = memchr(text.ptr, '&', text.len);
        size_t plain = ampersand == NULL ? text.len : (size_t)(ampersand - text.ptr);
        if (reader->inside) {
            buf_append(reader->out, span_first(text, plain));
        }
        text = span_skip(text, plain);
        if (text.len > 0 && !read_reference(reader, &text)) {
            return false;
        }
    }
    return true;
}

/* --- tags --- */

static bool is_name_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == ':';
}

static struct span take_name(struct span *rest) {
    size_t length = 0;
    while (length < rest->len && is_name_char(rest->ptr[length])) {
        length++;
    }
    struct span name = span_first(*rest, length);
    *rest = span_skip(*rest, length);
    return name;
}

/* Cuts what is before the ">" that ends the tag; attributes may hold others, in quotes. */
static bool take_tag(struct span *rest, struct span *ret) {
    char quote = 0;
    for (size_t i = 0; i < rest->len; i++) {
        char c = rest->ptr[i];
        if (quote != 0) {
            quote = c == quote ? 0 : quote;
        } else if (c == '"' || c == '\'') {
            quote = c;
        } else if (c == '<') {
            return false;
        } else if (c == '>') {
            *ret = span_first(*rest, i);
            *rest = span_skip(*rest, i + 1);
            return true;
        }
    }
    return false;
}

static bool open_element(struct reader *reader, struct span name) {
    if (name.len == 0 || reader->depth == XML_DEPTH_MAX || reader->inside ||
        (reader->depth == 0 && reader->root_seen)) {
        return false;
    }
    reader->root_seen = true;
    struct span behind = reader->path[reader->matched];
    struct span wanted = span_cut(&behind, '/');
    if (!reader->found && reader->matched == reader->depth && span_equals(name, wanted)) {
        reader->path[++reader->matched] = behind;
        reader->inside = behind.len == 0;
    }
    reader->open[reader->depth++] = name;
    return true;
}

static bool close_element(struct reader *reader, struct span name) {
    if (reader->depth == 0 || !span_equals(name, reader->open[reader->depth - 1])) {
        return false;
    }
    reader->depth--;
    if (reader->matched > reader->depth) {
        reader->found = reader->found || reader->inside;
        reader->inside = false;
        reader->matched = reader->depth;
    }
    return true;
}

static bool read_opening_tag(struct reader *reader, struct span tag) {
    struct span attributes = tag;
    struct span name = take_name(&attributes);
    bool blank_follows = attributes.len == 0 || span_trim(attributes).ptr != attributes.ptr ||
                         attributes.ptr[0] == '/';
    bool empty = span_ends_with(tag, SPAN("/"));
    return blank_follows && open_element(reader, name) && (!empty || close_element(reader, name));
}

static bool read_tag(struct reader *reader) {
    struct span tag = {0};
    if (!take_tag(&reader->rest, &tag) || tag.len == 0) {
        return false;
    }
    switch (tag.ptr[0]) {
    case '?':
        return !reader->root_seen && span_ends_with(tag, SPAN("?"));
    case '!':
        return false;
    case '/':
        return close_element(reader, span_trim(span_skip(tag, 1)));
    default:
        return read_opening_tag(reader, tag);
    }
}

static bool read_document(struct reader *reader) {
    while (reader->rest.len > 0) {
        const char *bracket = memchr(reader->rest.ptr, '<', reader->rest.len);
        size_t length = bracket == NULL ? reader->rest.len : (size_t)(bracket - reader->rest.ptr);
        if (!read_text(reader, span_first(reader->rest, length))) {
            return false;
        }
        reader->rest = span_skip(reader->rest, length);
        if (reader->rest.len > 0) {
            reader->rest = span_skip(reader->rest, 1);
            if (!read_tag(reader)) {
                return false;
            }
        }
    }
    return reader->depth == 0 && reader->root_seen;
}

bool xml_text_append(struct span document, const char *path, struct buf *out, struct error *err) {
    struct reader reader = {.rest = document, .path = {span_of_text(path)}, .out = out};
    if (!read_document(&reader)) {
        return error_set(err, ERR_INVALID, "the answer is not the XML that was expected");
    }
    if (!reader.found) {
        return error_set(err, ERR_INVALID, "the answer has no %s", path);
    }
    return !buf_failed(out) || error_set_memory(err, "an answer");
}
