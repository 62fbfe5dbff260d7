// SPDX-License-Identifier: MIT
/* How lines become the bytes of a record. One format, one file; formats.c has the table of them.
 *
 * A record is opened, gets one line or more, and is closed; all three append to the same buffer,
 * which has room for them. No format keeps state of its own. */
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
    COMPRESSION_ALWAYS, /* it is part of the format */
};

/* What a record may say beside its lines. */
struct record_heading {
    struct span partition_key;
    struct span envelope; /* cloudwatch_envelope.h; empty for other formats */
};

struct format {
    const char *name;
    bool one_line_a_record;     /* every line gets a record of its own */
    bool one_delivery_a_record; /* lines of two deliveries never share a record */
    enum format_compression compression;

    /* Bytes that `open` appends at most; of the heading only the lengths count. NULL: none. */
    size_t (*opening_bytes)(const struct record_heading *heading);
    void (*open)(struct buf *out, const struct record_heading *heading); /* NULL: nothing to do */

    size_t line_framing_bytes; /* that `append` appends at most beside the line's */
    void (*append)(struct buf *out, const struct line *line, bool first);

    size_t closing_bytes; /* that `close` appends at most */
    /* `start`: where the record begins in *out. False when there is no memory; the record is lost
     * then. NULL: nothing to do. */
    bool (*close)(struct buf *out, size_t start);
};

/* What most formats do with a line. */
static inline void line_append(struct buf *out, const struct line *line) {
    buf_append(out, line->head);
    buf_append(out, line->tail);
}

/* The same, ended by a newline: the `append` of formats that are lines of text. */
void line_append_ended(struct buf *out, const struct line *line, bool first);

/* The same, with a comma between it and the one before: of those that are JSON arrays. */
void line_append_listed(struct buf *out, const struct line *line, bool first);

extern const struct format format_ndjson;
extern const struct format format_event;
extern const struct format format_batch;
extern const struct format format_kpl;
extern const struct format format_cloudwatch;

/* The format of that name, or NULL. */
const struct format *format_by_name(struct span name);
