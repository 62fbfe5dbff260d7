// SPDX-License-Identifier: MIT
/* An answer of `event/next`: whatever comes in, what is understood is whole and printable. */
#include "lambda/lambda_event.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool claim) {
    if (!claim) {
        abort();
    }
}

static void require_printable(const char *text, size_t size) {
    size_t length = strnlen(text, size);
    require(length < size);
    for (size_t i = 0; i < length; i++) {
        require(text[i] >= ' ' && text[i] <= '~');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct lambda_event event;
    struct error err = {0};
    if (!lambda_event_parse(span_of((const char *)data, size), &event, &err)) {
        require(err.code == ERR_INVALID && err.message[0] != '\0');
        return 0;
    }
    require(event.type == LAMBDA_INVOKE || event.type == LAMBDA_SHUTDOWN);
    require(event.deadline_ms >= 0);
    require(lambda_shutdown_reason_name(event.shutdown_reason)[0] != '\0');
    require_printable(event.request_id, sizeof event.request_id);
    require_printable(event.function_arn, sizeof event.function_arn);
    return 0;
}
