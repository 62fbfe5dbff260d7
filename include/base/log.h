// SPDX-License-Identifier: MIT
/* The extension's own diagnostics: one JSON line each on standard output.
 *
 * Only the program (app layer) logs; libraries return errors. Never a payload, a credential or a
 * signature. A line is written with one write(2), so that lines of two threads never mix; it is
 * cut at LOG_LINE_BYTES, and dropped when standard output would fail: logging never harms. */
#pragma once

#include "base/attributes.h"

enum { LOG_LINE_BYTES = 4096 };

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* Lines above this level are left out. Initially LOG_INFO. Call before threads start. */
void log_set_level(enum log_level level);

/* {"time":"…","level":"warn","message":"…"} with the message formatted as printf does. */
void log_message(enum log_level level, const char *format, ...) PRINTF_LIKE(2, 3);

/* The same with further members behind the message: `fields` is JSON text without braces, such as
 * `"events":12,"cause":"refused"`. */
void log_fields(enum log_level level, const char *fields, const char *format, ...)
    PRINTF_LIKE(3, 4);

#define log_error(...) log_message(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_message(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_message(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_message(LOG_DEBUG, __VA_ARGS__)
