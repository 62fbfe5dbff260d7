// SPDX-License-Identifier: MIT
/* Slices a delivery body, a JSON array of {"time","type","record"}, into its events.
 *
 * Events are spans into the body: nothing is copied, decoded or printed again, so numbers,
 * escapes and the order of members stay as they came. Each element is checked against the JSON
 * grammar (see json_scanner.h), since it will be put into other JSON text. What is not valid is
 * still somebody's log: it is yielded as an unparsed item, and the splitter goes on at the next
 * thing that starts like an event. The items and the array's own punctuation (its brackets, commas
 * and blanks) cover the whole body: no byte is skipped silently.
 *
 * Allocates nothing; nesting is bounded (deeper elements are unparsed). One pass over
 * what the platform writes; an element in any other form is scanned twice, and once more where the
 * body ends in it. Pure but for its own state. */
#pragma once

#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>

/* One element of the array. Spans into the body. */
struct event {
    struct span text;   /* the object with its braces */
    struct span time;   /* value of "time" without quotes, as written; empty: absent or no string */
    struct span type;   /* value of "type", likewise */
    struct span record; /* value of "record" as JSON text; empty when absent */
    bool has_blanks;    /* between its tokens: only there can be raw newlines */
    bool has_others;    /* it has members beside these, or one of these twice (the last counts) */
};

enum splitter_item {
    SPLITTER_EVENT,    /* *ret is an event: a JSON object */
    SPLITTER_UNPARSED, /* ret->text is bytes that are no event; the other members are empty */
    SPLITTER_CUT,      /* the last element was cut off by the platform: ret->text is its head,
                        * without the stray "}]" that closes the body. See event_reader.h */
    SPLITTER_END,      /* no more; *ret is untouched */
};

struct event_splitter {
    struct span body;
    size_t trimmed; /* length of the body without the blanks behind it */
    size_t at;
    bool in_array; /* the opening bracket has been read */
    bool ended;
};

/* `body` must stay in place while the splitter and its events are used. An empty or blank body
 * yields one unparsed item. */
void event_splitter_init(struct event_splitter *splitter, struct span body);

enum splitter_item event_splitter_next(struct event_splitter *splitter, struct event *ret);

/* The envelope that `text` starts with: `{"time":"…","type":"…","record":` including the colon,
 * exactly as written, or an empty span. */
struct span event_envelope(struct span text);
