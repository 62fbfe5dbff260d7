// SPDX-License-Identifier: MIT
#include "destinations/kinesis_answer.h"

#include "aws/aws_error.h"
#include "destinations/kinesis_body.h"

#include <stdio.h>

struct reading {
    size_t count; /* records in the request */
    enum record_fate *fates;
    size_t read;
    size_t failed;
    enum retry_pace pace;
    char last_code[AWS_ERROR_CODE_BYTES];
    char last_message[DELIVERY_REASON_BYTES];
};

/* Pace and fate of a record that failed while others of its request may have passed. */
static enum record_fate judge_failure(const char *code, enum retry_pace *pace) {
    switch (aws_classify(400, span_of_text(code), (struct span){0})) {
    case AWS_THROTTLED:
        *pace = PACE_THROTTLED;
        return RECORD_RETRY;
    case AWS_MISCONFIGURED:
    case AWS_CREDENTIALS:
        *pace = *pace == PACE_THROTTLED ? *pace : PACE_MISCONFIGURED;
        return RECORD_RETRY;
    case AWS_REFUSED:
        return RECORD_NEVER;
    case AWS_OK:
    case AWS_TRANSIENT:
    case AWS_CLOCK_SKEW:
    case AWS_TOO_LARGE:
        break;
    }
    return RECORD_RETRY;
}

static void copy_text(char *to, size_t size, const char *from) {
    size_t length = strnlen(from, size - 1);
    memcpy(to, from, length);
    to[length] = '\0';
}

static bool on_result(void *context, const struct kinesis_result *result) {
    struct reading *reading = context;
    bool has_failed = result->code[0] != '\0';
    if (reading->read == reading->count || (!result->has_number && !has_failed)) {
        return false;
    }
    reading->fates[reading->read++] =
        has_failed ? judge_failure(result->code, &reading->pace) : RECORD_DELIVERED;
    if (has_failed) {
        copy_text(reading->last_code, sizeof reading->last_code, result->code);
        copy_text(reading->last_message, sizeof reading->last_message, result->message);
        reading->failed++;
    }
    return true;
}

bool kinesis_read_answer(struct span body, enum aws_format format, size_t count,
                         enum record_fate *fates, enum retry_pace *pace,
                         char reason[DELIVERY_REASON_BYTES], struct error *err) {
    struct reading reading = {.count = count, .pace = PACE_TRANSIENT};
    reading.fates = fates;
    bool good = kinesis_body_of(format)->read(body, on_result, &reading);
    *pace = reading.pace;
    reason[0] = '\0';
    if (!good || reading.read != count) {
        return error_set(err, ERR_INVALID,
                         "the answer of %zu bytes does not tell of each of %zu records", body.len,
                         count);
    }
    if (reading.failed > 0) {
        (void)snprintf(reason, DELIVERY_REASON_BYTES,
                       "%zu of %zu records failed, the last with %s: %.*s", reading.failed, count,
                       reading.last_code, SPAN_ARGS(span_of_text(reading.last_message)));
    }
    return true;
}
