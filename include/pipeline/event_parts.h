// SPDX-License-Identifier: MIT
/* Cuts an event whose line does not fit a record alone into lines that do.
 *
 * A part is a line like the others, with a piece of the record as its "record" (always a string)
 * and `"part":{"index":0,"count":3}`; the parts of an event share its eventId, and members other
 * than the record are in every part. The strings of all parts joined are
 * - the record, when it is a string: it is cut between characters, never inside an escape, a
 *   surrogate pair or a UTF-8 sequence;
 * - the record's JSON text when it is anything else: `"part":{"index":0,"count":3,"of":"json"}`;
 * - the base64 text of the exact bytes, for an unparsed event that has recordBase64 (which is not
 *   repeated then): `"part":{"index":0,"count":3,"of":"base64"}`. */
#pragma once

#include "base/attributes.h"
#include "base/error.h"
#include "base/span.h"
#include "pipeline/enricher.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Fewer bytes of the record than this in a part are not worth the rest of its line. */
enum { EVENT_PIECE_BYTES_MIN = 64, PART_NUMBER_DIGITS = 8 };

/* Plain data: owns nothing. All spans die with the event or the enricher's next line. */
struct event_parts {
    struct span before; /* of the event's text, up to the record's value */
    struct span rest;   /* of what is cut, not yet yielded */
    struct span after;  /* of the event's text, behind the value, without the closing brace */
    struct span tail;   /* of every part */
    struct span request_id;
    const char *of;   /* "json", "base64", or NULL for a string record */
    size_t piece_max; /* bytes that a piece may have in its line */
    uint32_t index;   /* of the next part */
    uint32_t count;
    size_t number_at; /* where `before` has PART_NUMBER_DIGITS digits that become the index; set by
                       * who wants it; 0: nowhere */
};

/* Takes the event that enricher_line() has just made the line of. ERR_INVALID when `line_max` bytes
 * cannot hold a useful piece of it (no record, or other members too large). */
MUST_CHECK bool event_parts_cut(const struct enricher *enricher, const struct event *event,
                                size_t line_max, struct event_parts *ret, struct error *err);

/* The next part's line, at most line_max long; its spans are valid until the enricher's next line
 * or part. False with ERR_NONE when there is none left; ERR_MEMORY leaves all as it was. */
MUST_CHECK bool event_parts_next(struct event_parts *parts, struct enricher *enricher,
                                 struct line *ret, struct error *err);
