// SPDX-License-Identifier: MIT
/* UTF-8 as RFC 3629 has it: no surrogates, no overlong forms, nothing above U+10FFFF. */
#pragma once

#include "base/span.h"

/* Bytes of the valid sequence at the start of `s` (1 to 4), or 0 when there is none. */
size_t utf8_sequence_length(struct span s);

/* Bytes of the valid sequences that `s` starts with. */
size_t utf8_valid_length(struct span s);

bool utf8_is_valid(struct span s);
