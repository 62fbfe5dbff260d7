// SPDX-License-Identifier: MIT
/* Why something failed: a code for branching, a message for reading.
 *
 * A function that can fail returns bool, takes `struct error *err` last, and fills it when it
 * returns false. The error lives on the stack of whoever decides what to do about it. */
#pragma once

#include "base/attributes.h"

#include <stdbool.h>

enum error_code {
    ERR_NONE = 0,
    ERR_MEMORY,      /* an allocation failed */
    ERR_FULL,        /* a bound was reached; try again later */
    ERR_INVALID,     /* the input is not what it must be */
    ERR_UNAVAILABLE, /* the other side could not be reached, or is not there */
    ERR_REFUSED,     /* the other side answered no */
    ERR_SYSTEM,      /* the operating system or a library said no */
};

enum { ERROR_MESSAGE_BYTES = 512 };

struct error {
    enum error_code code;
    char message[ERROR_MESSAGE_BYTES]; /* one line, never a secret or a payload */
};

/* Fills *err and returns false, so that `return error_set(…);` reads well.
 * `err` may be NULL. A message that is too long is cut. */
bool error_set(struct error *err, enum error_code code, const char *format, ...) PRINTF_LIKE(3, 4);

/* error_set for a failed allocation of what `what` names. */
bool error_set_memory(struct error *err, const char *what);
