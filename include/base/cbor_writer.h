// SPDX-License-Identifier: MIT
/* Writes CBOR (RFC 8949) into a buf, each item in its shortest form and of a known length. No
 * state: the caller writes as many items as it announced. */
#pragma once

#include "base/buf.h"
#include "base/span.h"

#include <stdint.h>

/* The most bytes that an item's type and length take before its content. */
enum { CBOR_HEAD_BYTES_MAX = 9 };

/* Begins a map of so many pairs, or an array of so many items. */
void cbor_append_map(struct buf *out, uint64_t pairs);
void cbor_append_array(struct buf *out, uint64_t items);

/* Appends `bytes` as they are: any byte may be among them. */
void cbor_append_bytes(struct buf *out, struct span bytes);

/* Appends a text. As with json_append_string(), each byte that is not part of valid UTF-8 becomes
 * U+FFFD. */
void cbor_append_text(struct buf *out, struct span text);
