// SPDX-License-Identifier: MIT
// A PutRecords answer, behind a byte that says how many records the request had: what it says of
// each record is one of the known fates, and there is a reason when not all were delivered.
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

static void require_answer(const enum record_fate *fates, size_t count, enum retry_pace pace,
                           const char *reason) {
    size_t failed = 0;
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
    enum record_fate fates[UINT8_MAX];
    memset(fates, 0xff, sizeof fates);
    enum retry_pace pace = PACE_NOW;
    char reason[DELIVERY_REASON_BYTES];
    size_t count = data[0];
    struct error err = {0};
    struct span body = span_of((const char *)data + 1, size - 1);
    if (kinesis_read_answer(body, AWS_JSON, count, fates, &pace, reason, &err)) {
        require_answer(fates, count, pace, reason);
    } else {
        require(err.code == ERR_INVALID);
    }
    require(memchr(reason, '\0', sizeof reason) != NULL);
    return 0;
}
