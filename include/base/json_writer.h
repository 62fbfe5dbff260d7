// SPDX-License-Identifier: MIT
/* Writes JSON text into a buf. No state: the caller writes braces and commas. */
#pragma once

#include "base/buf.h"
#include "base/span.h"

/* Appends `text` as a JSON string with its quotes. Quotes, backslashes and control characters are
 * escaped; valid UTF-8 is copied as it is; each byte that is not part of valid UTF-8 becomes U+FFFD
 * (see utf8_is_valid for who must know). */
void json_append_string(struct buf *out, struct span text);

/* The same without the quotes, for who puts a string together piece by piece. */
void json_append_escaped(struct buf *out, struct span text);

/* Appends `"name":"value"`; `name` must need no escapes. */
void json_append_member(struct buf *out, struct span name, struct span value);
