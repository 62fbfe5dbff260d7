// SPDX-License-Identifier: MIT
/* The records in the body of a PutRecords, as far as the bench has to know: where the data and the
 * key of each one are. No parser: it looks for the members' names, and goes on behind the data,
 * which comes before the key. */
#pragma once

#include "base/buf.h"
#include "base/span.h"

#include <stdbool.h>
#include <stddef.h>

enum wire_format { WIRE_JSON, WIRE_CBOR };

struct put_record {
    struct span data; /* in base64 if it is JSON */
    struct span key;  /* empty if there is none */
};

/* Cuts *rest behind the next record and returns that; false when there is none. */
bool put_records_next(enum wire_format format, struct span *rest, struct put_record *ret);

/* How many there are. */
size_t put_records_count(enum wire_format format, struct span body);

/* Writes into *plain what `data` is without base64 and gzip, and sets *stored to how many bytes
 * Kinesis would keep. False when it makes no sense. */
bool put_records_open(enum wire_format format, struct span data, struct buf *plain, size_t *stored);

/* Writes the answer that says that all were taken. */
void put_records_answer(enum wire_format format, size_t count, struct buf *out);
