// SPDX-License-Identifier: MIT
/* An environment that a test puts together, and what the configuration makes of it. */
#pragma once

#include "app/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { VARIABLES_MAX = 60, VARIABLE_BYTES = 2000 };

/* An environment that is fit for shipping, and what a test adds: the first of a name counts. */
static char texts[VARIABLES_MAX][VARIABLE_BYTES];
static char *environment[VARIABLES_MAX + 1];
static size_t variables;

static struct config config;
static struct config_report report;

static inline void set(const char *name, const char *value) {
    assert_in_range(variables, 0, VARIABLES_MAX - 1);
    int length = snprintf(texts[variables], VARIABLE_BYTES, "%s=%s", name, value);
    assert_in_range(length, 1, VARIABLE_BYTES - 1);
    environment[variables] = texts[variables];
    environment[++variables] = NULL;
}

static inline int start(void **state) {
    (void)state;
    variables = 0;
    environment[0] = NULL;
    report = config_report_empty();
    return 0;
}

static inline int tear_down(void **state) {
    (void)state;
    config_report_done(&report);
    return 0;
}

static inline bool read_it(void) {
    set("AWS_KINESIS_STREAM_NAME", "lambda-logs");
    set("AWS_REGION", "eu-west-1");
    set("AWS_ACCESS_KEY_ID", "AKID");
    set("AWS_SECRET_ACCESS_KEY", "the-secret");
    set("AWS_SESSION_TOKEN", "the-token");
    config_report_done(&report);
    report = config_report_empty();
    return config_read(environment, &config, &report);
}

/* Reads an environment with one variable more, alone. */
static inline bool read_with(const char *name, const char *value) {
    (void)tear_down(NULL);
    (void)start(NULL);
    set(name, value);
    return read_it();
}

static inline bool says(struct buf *lines, const char *text) {
    return span_find(buf_span(lines), span_of_text(text)) != NULL;
}

static inline size_t lines_in(const struct buf *lines) {
    size_t count = 0;
    for (size_t i = 0; i < lines->len; i++) {
        count += lines->ptr[i] == '\n';
    }
    return count;
}

static inline void assert_span(struct span span, const char *text) {
    assert_int_equal(span.len, strlen(text));
    assert_memory_equal(span.ptr, text, span.len);
}
