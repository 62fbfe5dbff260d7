// SPDX-License-Identifier: MIT
/* Base64 as RFC 4648 section 4 has it, with padding. */
#pragma once

#include "base/buf.h"
#include "base/span.h"

/* Characters that `bytes` bytes become. */
static inline size_t base64_encoded_length(size_t bytes) { return (bytes + 2) / 3 * 4; }

/* Appends `bytes` encoded. Fails as buf_append does. */
void base64_append(struct buf *out, struct span bytes);
