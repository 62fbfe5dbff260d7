// SPDX-License-Identifier: MIT
/* Memory that is put by so that the next event can be asked for when everything else has taken the
 * rest: an extension that does not ask holds its function up, whatever becomes of the logs.
 *
 * A zeroed struct is a valid reserve that has nothing. One thread. */
#pragma once

#include <stdbool.h>

/* One exchange with the Runtime API needs some 30 KB: libcurl's handle with 6 KB, its buffer of
 * 16 KB, a new connection, and the answer. */
enum { MEMORY_RESERVE_BYTES = 64 * 1024 };

struct memory_reserve {
    void *bytes;
};

/* Puts memory by if there is some and none is put by yet. It is not touched, so that only a page
 * becomes resident. */
void memory_reserve_fill(struct memory_reserve *reserve);

/* Gives it back to the allocator; false when there was nothing to give. */
bool memory_reserve_release(struct memory_reserve *reserve);
