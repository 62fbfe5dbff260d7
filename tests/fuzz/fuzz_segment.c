// SPDX-License-Identifier: MIT
// A spool file: as it is, and as one whose sum somebody has made right. What is read is a group
// within its bounds that is written and read again as the same; what is refused leaves no record.
#include "base/gzip.h"
#include "pipeline/segment.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RECORDS_MAX = 50, DATA_MAX = 100000, SUM_AT = 8, SUMMED_AT = 12 };

static void require(bool holds) {
    if (!holds) {
        abort();
    }
}

static void require_same(const struct record_group *a, const struct record_group *b) {
    require(a->count == b->count);
    for (size_t i = 0; i < a->count; i++) {
        require(span_equals(record_group_data(a, i), record_group_data(b, i)));
        require(span_equals(record_group_key(a, i), record_group_key(b, i)));
        require(a->records[i].events == b->records[i].events);
        require(a->records[i].event_bytes == b->records[i].event_bytes);
    }
}

static void require_round_trip(const struct record_group *group) {
    struct buf bytes = buf_with_ceiling(SEGMENT_BYTES_MAX);
    struct record_group again = record_group_empty(DATA_MAX);
    require(segment_write(group, &bytes, NULL));
    require(bytes.len <= segment_bytes_max(&again, RECORDS_MAX));
    require(segment_read(buf_span(&bytes), RECORDS_MAX, &again, NULL));
    require_same(group, &again);
    record_group_done(&again);
    buf_done(&bytes);
}

static void read_segment(struct span bytes) {
    struct record_group group = record_group_empty(DATA_MAX);
    struct error err = {0};
    if (segment_read(bytes, RECORDS_MAX, &group, &err)) {
        require(group.count > 0 && group.count <= RECORDS_MAX && group.data.len <= DATA_MAX);
        require_round_trip(&group);
    } else {
        require(err.code == ERR_INVALID && group.count == 0 && group.data.len == 0);
    }
    record_group_done(&group);
}

static void make_sum_right(struct buf *bytes) {
    uint32_t sum = crc32_of(span_skip(buf_span(bytes), SUMMED_AT));
    for (size_t i = 0; i < 4; i++) {
        bytes->ptr[SUM_AT + i] = (char)(sum >> (8 * i) & 0xff);
    }
}

/* `body`: what is to be deflated. */
static void read_forged(struct span body) {
    struct buf bytes = buf_with_ceiling(SEGMENT_BYTES_MAX);
    buf_append(&bytes, SPAN("KSLSEG01----"));
    for (size_t i = 0; i < 8; i++) {
        buf_append_char(&bytes, (char)(body.len >> (8 * i) & 0xff));
    }
    require(deflate_append(&bytes, body, 1, NULL));
    make_sum_right(&bytes);
    read_segment(buf_span(&bytes));
    buf_done(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span input = span_of((const char *)data, size);
    read_segment(input);
    read_forged(input);
    if (size >= SUMMED_AT) {
        struct buf copy = buf_with_ceiling(SIZE_MAX);
        buf_append(&copy, input);
        make_sum_right(&copy);
        read_segment(buf_span(&copy));
        buf_done(&copy);
    }
    return 0;
}
