// SPDX-License-Identifier: MIT
#include "app/memory_reserve.h"

#include <stdlib.h>

void memory_reserve_fill(struct memory_reserve *reserve) {
    if (reserve->bytes == NULL) {
        reserve->bytes = malloc(MEMORY_RESERVE_BYTES);
    }
}

bool memory_reserve_release(struct memory_reserve *reserve) {
    bool had_some = reserve->bytes != NULL;
    free(reserve->bytes);
    reserve->bytes = NULL;
    return had_some;
}
