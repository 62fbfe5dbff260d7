// SPDX-License-Identifier: MIT
/* How lines become the bytes of a record. One format, one file; formats.c has the table of them.
 *
 * A record is opened, gets one line or more, and is closed; all three append to the same buffer,
 * and failures are sticky in it. No format keeps state of its own. */
#pragma once

#include "base/buf.h"
#include "base/span.h"
#include "pipeline/enricher.h"

#include <stdbool.h>
#include <stddef.h>

/* Whether EXTENSION_LOG_COMPRESSION is for a format. */
enum format_compression {
    COMPRESSION_REFUSED, /* its consumers expect plain bytes */
    COMPRESSION_OPTIONAL,
};

struct format {
    const char *name;
    bool one_line_a_record;     /* every line gets a record of its own */
    bool one_delivery_a_record; /* lines of two deliveries never share a record */
    enum format_compression compression;
    size_t framing_bytes;          /* a record has at most these beside its lines' bytes … */
    size_t line_framing_bytes;     /* … and these for each line */
    void (*open)(struct buf *out); /* NULL: nothing to do */
    void (*append)(struct buf *out, const struct line *line, bool first);
    /* `start`: where the record begins in *out. NULL: nothing to do. */
    void (*close)(struct buf *out, size_t start);
};

/* What most formats do with a line. */
static inline void line_append(struct buf *out, const struct line *line) {
    buf_append(out, line->head);
    buf_append(out, line->tail);
}

/* The same, ended by a newline: the `append` of formats that are lines of text. */
void line_append_ended(struct buf *out, const struct line *line, bool first);

extern const struct format format_ndjson;
extern const struct format format_event;
extern const struct format format_batch;

/* The format of that name, or NULL. */
const struct format *format_by_name(struct span name);
