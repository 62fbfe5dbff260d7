// SPDX-License-Identifier: MIT
#include "lambda/lambda_event.h"

#include "base/buf.h"
#include "lambda/platform_call.h"

#include <cjson/cJSON.h>

/* Whole numbers up to here are exact in a double, which is all that cJSON has. */
static const double largest_exact = 9007199254740992.0;

static struct span string_member(const cJSON *object, const char *name) {
    return span_of_text(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name)));
}

/* The reference shows a number in one place and a quoted one in another. */
static bool read_deadline(const cJSON *object, int64_t *ret) {
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, "deadlineMs");
    if (cJSON_IsNumber(member)) {
        double value = member->valuedouble;
        if (!(value >= 0 && value <= largest_exact)) {
            return false;
        }
        *ret = (int64_t)value;
        return true;
    }
    unsigned long long value = 0;
    if (!span_to_u64(span_of_text(cJSON_GetStringValue(member)), &value) || value > INT64_MAX) {
        return false;
    }
    *ret = (int64_t)value;
    return true;
}

static const char *const reason_names[] = {
    [LAMBDA_SPINDOWN] = "SPINDOWN",
    [LAMBDA_TIMEOUT] = "TIMEOUT",
    [LAMBDA_FAILURE] = "FAILURE",
    [LAMBDA_REASON_UNKNOWN] = "unknown",
};

const char *lambda_shutdown_reason_name(enum lambda_shutdown_reason reason) {
    return reason_names[reason];
}

/* Without case: the reference has upper case, the emulator lower. */
static enum lambda_shutdown_reason read_reason(const cJSON *object) {
    struct span given = string_member(object, "shutdownReason");
    enum lambda_shutdown_reason reason = LAMBDA_SPINDOWN;
    while (reason < LAMBDA_REASON_UNKNOWN &&
           !span_equals_ignoring_case(given, span_of_text(reason_names[reason]))) {
        reason++;
    }
    return reason;
}

static bool read_type(const cJSON *object, enum lambda_event_type *ret) {
    struct span type = string_member(object, "eventType");
    *ret = span_equals(type, SPAN("SHUTDOWN")) ? LAMBDA_SHUTDOWN : LAMBDA_INVOKE;
    return *ret == LAMBDA_SHUTDOWN || span_equals(type, SPAN("INVOKE"));
}

static bool read_event(const cJSON *object, struct lambda_event *ret, struct error *err) {
    struct lambda_event event = {.shutdown_reason = read_reason(object)};
    if (!read_type(object, &event.type)) {
        return error_set(err, ERR_INVALID, "next event: neither INVOKE nor SHUTDOWN");
    }
    if (!read_deadline(object, &event.deadline_ms)) {
        return error_set(err, ERR_INVALID, "next event: deadlineMs is not a time");
    }
    platform_copy_text(event.request_id, sizeof event.request_id,
                       string_member(object, "requestId"));
    platform_copy_text(event.function_arn, sizeof event.function_arn,
                       string_member(object, "invokedFunctionArn"));
    *ret = event;
    return true;
}

bool lambda_event_parse(struct span json, struct lambda_event *ret, struct error *err) {
    const char *end = NULL;
    cJSON *object = cJSON_ParseWithLengthOpts(json.ptr, json.len, &end, false);
    bool whole = object != NULL && end != NULL &&
                 span_trim(span_skip(json, (size_t)(end - json.ptr))).len == 0;
    bool ok =
        whole ? read_event(object, ret, err) : error_set(err, ERR_INVALID, "next event: not JSON");
    cJSON_Delete(object);
    return ok;
}
