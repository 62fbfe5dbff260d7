// SPDX-License-Identifier: MIT
#include "pipeline/gathering.h"

void gathering_watch(struct gathering *gathering, bool has_input, int64_t now_ms) {
    if (has_input && !gathering->began) {
        gathering->began_ms = now_ms;
    }
    gathering->began = has_input;
}

int64_t gathering_ends_ms(const struct gathering *gathering) {
    return gathering->began ? gathering->began_ms + gathering->limit_ms : INT64_MAX;
}

bool gathering_is_over(const struct gathering *gathering, size_t bytes, int64_t now_ms) {
    return gathering->limit_ms == 0 || bytes >= gathering->enough_bytes ||
           gathering_ends_ms(gathering) <= now_ms;
}
