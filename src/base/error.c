// SPDX-License-Identifier: MIT
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

bool error_set(struct error *err, enum error_code code, const char *format, ...) {
    if (err == NULL) {
        return false;
    }
    err->code = code;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(err->message, sizeof err->message, format, arguments);
    va_end(arguments);
    return false;
}

bool error_set_memory(struct error *err, const char *what) {
    return error_set(err, ERR_MEMORY, "out of memory for %s", what);
}
