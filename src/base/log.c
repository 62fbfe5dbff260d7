// SPDX-License-Identifier: MIT
#include "base/log.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/json_writer.h"
#include "base/utf8.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

static enum log_level threshold = LOG_INFO;

static const char *const level_names[] = {
    [LOG_ERROR] = "error",
    [LOG_WARN] = "warn",
    [LOG_INFO] = "info",
    [LOG_DEBUG] = "debug",
};

void log_set_level(enum log_level level) { threshold = level; }

/* A buf over memory of the caller: with capacity = ceiling it never allocates, so that running out
 * of memory can still be logged. */
static struct buf buf_over(char *memory, size_t size) {
    return (struct buf){.ptr = memory, .capacity = size, .ceiling = size};
}

/* Appends as many whole characters of `text` as leave `tail` bytes free. */
static void append_what_fits(struct buf *line, struct span text, size_t tail) {
    line->ceiling -= tail;
    while (text.len > 0) {
        size_t length = utf8_sequence_length(text);
        struct span character = span_first(text, length == 0 ? 1 : length);
        json_append_escaped(line, character);
        if (buf_failed(line)) {
            break;
        }
        text = span_skip(text, character.len);
    }
    line->failed = false;
    line->ceiling += tail;
}

static void append_head(struct buf *line, enum log_level level) {
    char now[CLOCK_TEXT_BYTES];
    clock_format_iso8601(clock_wall_ms(clock_system()), now);
    buf_append_format(line, "{\"time\":\"%s\",\"level\":\"%s\",\"message\":\"", now,
                      level_names[level]);
}

static void write_line(struct span line) {
    ssize_t written = 0;
    do {
        written = write(STDOUT_FILENO, line.ptr, line.len);
    } while (written < 0 && errno == EINTR);
}

PRINTF_LIKE(3, 0)
static void log_arguments(enum log_level level, const char *fields, const char *format,
                          va_list arguments) {
    if (level > threshold) {
        return;
    }
    char message[LOG_LINE_BYTES];
    char memory[LOG_LINE_BYTES];
    if (vsnprintf(message, sizeof message, format, arguments) < 0) {
        return;
    }
    struct buf line = buf_over(memory, sizeof memory);
    append_head(&line, level);

    static const size_t around_fields = sizeof "\",}\n" - 1;
    struct span extra = span_of_text(fields);
    /* JSON cannot be cut in the middle: fields that leave no room are left out. */
    if (extra.len > sizeof memory / 2) {
        extra = span_of(NULL, 0);
    }
    append_what_fits(&line, span_of_text(message), around_fields + extra.len);
    buf_append_char(&line, '"');
    if (extra.len > 0) {
        buf_append_char(&line, ',');
        buf_append(&line, extra);
    }
    buf_append(&line, SPAN("}\n"));
    write_line(buf_span(&line));
}

void log_message(enum log_level level, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    log_arguments(level, NULL, format, arguments);
    va_end(arguments);
}

void log_fields(enum log_level level, const char *fields, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    log_arguments(level, fields, format, arguments);
    va_end(arguments);
}
