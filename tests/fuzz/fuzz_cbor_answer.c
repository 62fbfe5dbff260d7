// SPDX-License-Identifier: MIT
// An answer in CBOR, behind a byte that says how many records the request had: the reader passes
// over an item within the bytes or fails, and what the answer or its error says is of known kinds.
#include "aws/aws_error.h"
#include "base/cbor_reader.h"
#include "destinations/kinesis_answer.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds) {
    if (!holds) {
        abort();
    }
}

static void skip_and_read(struct span body) {
    char text[16];
    struct cbor_reader skipping = cbor_reader_of(body);
    struct cbor_reader reading = skipping;
    cbor_skip(&skipping);
    (void)cbor_read_text(&reading, text, sizeof text);
    require(memchr(text, '\0', sizeof text) != NULL);
    require(cbor_failed(&skipping) == cbor_failed(&reading));
    if (!cbor_failed(&skipping)) {
        require(skipping.rest.len < body.len && skipping.rest.len == reading.rest.len);
    }
}

static void read_error(struct span body) {
    struct aws_error error;
    memset(&error, 0xff, sizeof error);
    aws_error_read(body, AWS_CBOR, (struct span){0}, &error);
    require(memchr(error.code, '\0', sizeof error.code) != NULL);
    require(memchr(error.message, '\0', sizeof error.message) != NULL);
}

static void read_answer(struct span body, size_t count) {
    enum record_fate fates[UINT8_MAX];
    memset(fates, 0xff, sizeof fates);
    enum retry_pace pace = PACE_NOW;
    char reason[DELIVERY_REASON_BYTES];
    struct error err = {0};
    size_t failed = 0;
    if (!kinesis_read_answer(body, AWS_CBOR, count, fates, &pace, reason, &err)) {
        require(err.code == ERR_INVALID);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        require(fates[i] == RECORD_DELIVERED || fates[i] == RECORD_RETRY ||
                fates[i] == RECORD_NEVER);
        failed += fates[i] != RECORD_DELIVERED;
    }
    require(pace == PACE_TRANSIENT || pace == PACE_THROTTLED || pace == PACE_MISCONFIGURED);
    require((failed > 0) == (reason[0] != '\0'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) {
        return 0;
    }
    struct span body = span_of((const char *)data + 1, size - 1);
    skip_and_read(body);
    read_error(body);
    read_answer(body, data[0]);
    return 0;
}
