// SPDX-License-Identifier: MIT
#include "base/cbor_reader.h"

/* Major types, in the upper three bits of an item's first byte. */
enum major { UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG, SIMPLE };

/* In its lower five bits: smaller values themselves, or what follows. */
enum { VALUE_1 = 24, VALUE_8 = 27, INDEFINITE = 31 };

static const unsigned char break_byte = 0xff;

struct head {
    enum major major;
    bool indefinite;
    uint64_t value; /* length, count, number or bits of a float */
};

struct cbor_reader cbor_reader_of(struct span bytes) {
    return (struct cbor_reader){.rest = bytes};
}

bool cbor_failed(const struct cbor_reader *reader) { return reader->failed; }

static bool fail(struct cbor_reader *reader) {
    reader->failed = true;
    return false;
}

static bool take(struct cbor_reader *reader, uint64_t count, struct span *ret) {
    if (reader->failed || count > reader->rest.len) {
        return fail(reader);
    }
    *ret = span_first(reader->rest, (size_t)count);
    reader->rest = span_skip(reader->rest, (size_t)count);
    return true;
}

static bool may_be_indefinite(enum major major) { return major >= BYTES && major <= MAP; }

/* The value that follows the first byte in 1, 2, 4 or 8 others. */
static bool read_value(struct cbor_reader *reader, unsigned info, uint64_t *ret) {
    struct span bytes;
    if (info > VALUE_8 || !take(reader, (uint64_t)1 << (info - VALUE_1), &bytes)) {
        return fail(reader);
    }
    *ret = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        *ret = *ret << 8 | (unsigned char)bytes.ptr[i];
    }
    return true;
}

static bool read_head(struct cbor_reader *reader, struct head *ret) {
    struct span first;
    if (!take(reader, 1, &first)) {
        return false;
    }
    unsigned byte = (unsigned char)first.ptr[0];
    unsigned info = byte & 0x1f;
    *ret = (struct head){.major = (enum major)(byte >> 5), .value = info};
    if (info == INDEFINITE) {
        ret->indefinite = true;
        return may_be_indefinite(ret->major) || fail(reader);
    }
    return info < VALUE_1 || read_value(reader, info, &ret->value);
}

/* The head of the next item, behind any tags. */
static bool read_item(struct cbor_reader *reader, struct head *ret) {
    do {
        if (!read_head(reader, ret)) {
            return false;
        }
    } while (ret->major == TAG);
    return true;
}

static bool takes_break(struct cbor_reader *reader) {
    bool found =
        !reader->failed && reader->rest.len > 0 && (unsigned char)reader->rest.ptr[0] == break_byte;
    reader->rest = span_skip(reader->rest, found ? 1 : 0);
    return found;
}

static bool enter(struct cbor_reader *reader, enum major major, struct cbor_items *ret) {
    struct head head;
    if (!read_item(reader, &head)) {
        return false;
    }
    *ret = (struct cbor_items){.counted = !head.indefinite, .left = head.value};
    return head.major == major || fail(reader);
}

bool cbor_enter_map(struct cbor_reader *reader, struct cbor_items *ret) {
    return enter(reader, MAP, ret);
}

bool cbor_enter_array(struct cbor_reader *reader, struct cbor_items *ret) {
    return enter(reader, ARRAY, ret);
}

bool cbor_next(struct cbor_reader *reader, struct cbor_items *items) {
    if (reader->failed) {
        return false;
    }
    if (!items->counted) {
        return !takes_break(reader);
    }
    if (items->left == 0) {
        return false;
    }
    items->left--;
    return true;
}

/* Where the bytes of a string go. */
struct text {
    char *ptr; /* NULL: nowhere */
    size_t size;
    size_t length;
};

static void keep(struct text *text, struct span bytes) {
    if (text->ptr == NULL) {
        return;
    }
    struct span kept = span_first(bytes, text->size - 1 - text->length);
    if (kept.len > 0) {
        memcpy(text->ptr + text->length, kept.ptr, kept.len);
        text->length += kept.len;
    }
}

static bool read_chunk(struct cbor_reader *reader, uint64_t length, struct text *text) {
    struct span bytes;
    if (!take(reader, length, &bytes)) {
        return false;
    }
    keep(text, bytes);
    return true;
}

/* A string behind its head: at once, or in chunks, which are strings of the same type and of
 * definite length. */
static bool read_string(struct cbor_reader *reader, const struct head *head, struct text *text) {
    if (!head->indefinite) {
        return read_chunk(reader, head->value, text);
    }
    while (!takes_break(reader)) {
        struct head chunk;
        if (!read_head(reader, &chunk)) {
            return false;
        }
        if (chunk.major != head->major || chunk.indefinite) {
            return fail(reader);
        }
        if (!read_chunk(reader, chunk.value, text)) {
            return false;
        }
    }
    return true;
}

bool cbor_read_text(struct cbor_reader *reader, char *ret, size_t size) {
    struct cbor_reader before = *reader;
    struct text text = {.ptr = ret, .size = size};
    struct head head;
    ret[0] = '\0';
    if (!read_item(reader, &head)) {
        return false;
    }
    if (head.major != TEXT) {
        *reader = before;
        cbor_skip(reader);
        return false;
    }
    bool whole = read_string(reader, &head, &text);
    ret[whole ? text.length : 0] = '\0';
    return whole;
}

/* A map or array that is being skipped. */
struct open {
    struct cbor_items items;
    bool is_map;
    bool at_value; /* of a pair whose key was skipped */
};

static bool next_to_skip(struct cbor_reader *reader, struct open *open) {
    if (open->at_value) {
        open->at_value = false;
        return true;
    }
    open->at_value = open->is_map;
    return cbor_next(reader, &open->items);
}

void cbor_skip(struct cbor_reader *reader) {
    struct open open[CBOR_DEPTH_MAX];
    struct text nowhere = {0};
    size_t depth = 0;
    do {
        struct head head;
        if (!read_item(reader, &head)) {
            return;
        }
        if (head.major == BYTES || head.major == TEXT) {
            (void)read_string(reader, &head, &nowhere);
        } else if (head.major == ARRAY || head.major == MAP) {
            if (depth == CBOR_DEPTH_MAX) {
                (void)fail(reader);
                return;
            }
            open[depth++] = (struct open){
                .items = {.counted = !head.indefinite, .left = head.value},
                .is_map = head.major == MAP,
            };
        }
        while (depth > 0 && !next_to_skip(reader, &open[depth - 1])) {
            depth--;
        }
    } while (depth > 0);
}
