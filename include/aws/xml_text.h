// SPDX-License-Identifier: MIT
/* The text of one element of an XML answer. STS answers in XML only; all that is read are a few
 * leaves at known places.
 *
 * Strict, so that a broken or odd answer is refused and never half read: elements, attributes
 * (skipped), text with the five entities and character references, and a declaration at the top.
 * No comments, no DOCTYPE, no CDATA. Namespace prefixes are part of a name. */
#pragma once

#include "base/attributes.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/span.h"

#include <stdbool.h>

enum { XML_DEPTH_MAX = 16 };

/* Appends the text of the first element at `path`, such as "ErrorResponse/Error/Code", to *out, its
 * references decoded (those beyond ASCII become "?"). The whole document is read. ERR_INVALID when
 * it is not well-formed in this sense, or has no such element, or elements in it; ERR_MEMORY. */
MUST_CHECK bool xml_text_append(struct span document, const char *path, struct buf *out,
                                struct error *err);
