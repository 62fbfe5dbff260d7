// SPDX-License-Identifier: MIT
/* Reads CBOR (RFC 8949) item by item, from bytes that nobody vouches for. It allocates nothing and
 * believes no length: a count or length is followed only as far as there are bytes. Whatever is not
 * well-formed fails the reader for good; from then on every call does nothing and returns false, so
 * that a caller reads freely and checks cbor_failed() once.
 *
 * Lengths may be definite or indefinite; tags are passed over, and what nobody asked for, numbers
 * and floats among it, is skipped. */
#pragma once

#include "base/attributes.h"
#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Maps and arrays within each other that cbor_skip() follows; more is a failure. The answers of
 * Kinesis have three. */
enum { CBOR_DEPTH_MAX = 16 };

struct cbor_reader {
    struct span rest; /* not read yet */
    bool failed;
};

/* What is left of an open map or array. */
struct cbor_items {
    bool counted;  /* else a break ends it */
    uint64_t left; /* when counted: items, or pairs of a map */
};

struct cbor_reader cbor_reader_of(struct span bytes);

bool cbor_failed(const struct cbor_reader *reader);

/* Opens the next item, which must be a map or an array: anything else fails the reader. */
MUST_CHECK bool cbor_enter_map(struct cbor_reader *reader, struct cbor_items *ret);
MUST_CHECK bool cbor_enter_array(struct cbor_reader *reader, struct cbor_items *ret);

/* Whether another item, or pair of a map, follows. The caller must read or skip it (both of a pair)
 * before it asks again; after false the map or array is closed, unless the reader failed. */
MUST_CHECK bool cbor_next(struct cbor_reader *reader, struct cbor_items *items);

/* Reads the next item when it is a text: copies what fits with a NUL into ret[size] (size > 0),
 * cuts the rest, returns true. Anything else is skipped; *ret is then "". */
bool cbor_read_text(struct cbor_reader *reader, char *ret, size_t size);

/* Passes over one item and all that is in it. */
void cbor_skip(struct cbor_reader *reader);
