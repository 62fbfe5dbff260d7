// SPDX-License-Identifier: MIT
/* EXTENSION_LOG_TAGS: "key=value,key=value". Pure. */
#pragma once

#include "base/attributes.h"
#include "base/span.h"
#include "pipeline/enricher.h"

#include <stdbool.h>
#include <stddef.h>

enum { TAGS_MAX = 32 };

/* Blanks around keys and values do not count; a value may be empty, a key may not, nor may it come
 * twice. False, with nothing changed, when `text` is no such list or has more than TAGS_MAX. The
 * tags' spans point into `text`. */
MUST_CHECK bool tags_parse(struct span text, struct tag ret[TAGS_MAX], size_t *ret_count);
