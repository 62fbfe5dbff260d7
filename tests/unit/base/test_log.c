// SPDX-License-Identifier: MIT
#include "base/log.h"

#include "base/span.h"
#include "base/utf8.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

/* While a test logs, standard output is a pipe in packet mode, which keeps writes apart: one read
 * gives what one write(2) wrote. */
static int saved_stdout;
static int captured;

static void capture(void) {
    int ends[2];
    assert_int_equal(pipe2(ends, O_DIRECT | O_NONBLOCK), 0);
    fflush(stdout);
    saved_stdout = dup(STDOUT_FILENO);
    dup2(ends[1], STDOUT_FILENO);
    close(ends[1]);
    captured = ends[0];
}

static void release(void) {
    dup2(saved_stdout, STDOUT_FILENO);
    close(saved_stdout);
    close(captured);
}

/* What one write gave; an empty span when nothing was written. */
static struct span next_write(char *memory) {
    ssize_t got = read(captured, memory, LOG_LINE_BYTES);
    return span_of(memory, got > 0 ? (size_t)got : 0);
}

static cJSON *parse_line(struct span line) {
    assert_true(line.len > 0);
    assert_true(line.len <= LOG_LINE_BYTES);
    assert_int_equal(line.ptr[line.len - 1], '\n');
    assert_null(memchr(line.ptr, '\n', line.len - 1));
    assert_true(utf8_is_valid(line));
    cJSON *parsed = cJSON_ParseWithLength(line.ptr, line.len);
    assert_non_null(parsed);
    return parsed;
}

static const char *text_of(const cJSON *object, const char *name) {
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

static void a_line_is_one_write_of_json(void **state) {
    (void)state;
    char memory[LOG_LINE_BYTES];
    char spare[LOG_LINE_BYTES];
    capture();
    log_warn("port %d is \"taken\"", 1234);
    struct span line = next_write(memory);
    struct span more = next_write(spare);
    release();
    assert_int_equal(more.len, 0);
    cJSON *parsed = parse_line(line);
    assert_string_equal(text_of(parsed, "level"), "warn");
    assert_string_equal(text_of(parsed, "message"), "port 1234 is \"taken\"");
    assert_int_equal(strlen(text_of(parsed, "time")), strlen("2026-03-14T15:09:26.536Z"));
    cJSON_Delete(parsed);
}

static void fields_follow_the_message(void **state) {
    (void)state;
    char memory[LOG_LINE_BYTES];
    capture();
    log_fields(LOG_INFO, "\"events\":12,\"cause\":\"refused\"", "done");
    struct span line = next_write(memory);
    release();
    cJSON *parsed = parse_line(line);
    assert_int_equal(cJSON_GetObjectItem(parsed, "events")->valueint, 12);
    assert_string_equal(text_of(parsed, "cause"), "refused");
    cJSON_Delete(parsed);
}

static void levels_above_the_threshold_are_left_out(void **state) {
    (void)state;
    char memory[LOG_LINE_BYTES];
    capture();
    log_debug("not yet");
    struct span by_default = next_write(memory);
    log_set_level(LOG_DEBUG);
    log_debug("now");
    struct span debug = next_write(memory);
    log_set_level(LOG_ERROR);
    log_warn("no more");
    struct span warn = next_write(memory);
    log_set_level(LOG_INFO);
    release();
    assert_int_equal(by_default.len, 0);
    assert_true(debug.len > 0);
    assert_int_equal(warn.len, 0);
}

static void a_long_message_is_cut_between_characters(void **state) {
    (void)state;
    static const char *const units[] = {"x", "\xC3\xA4", "\xF0\x9F\x98\x80", "\"", "\x01", "\xFF"};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        char message[3 * LOG_LINE_BYTES] = "";
        size_t length = strlen(units[i]);
        for (size_t at = 0; at + length < 2 * LOG_LINE_BYTES; at += length) {
            memcpy(message + at, units[i], length);
        }
        char memory[LOG_LINE_BYTES];
        capture();
        log_fields(LOG_INFO, "\"last\":true", "%s", message);
        struct span line = next_write(memory);
        release();
        assert_true(line.len > LOG_LINE_BYTES - 16);
        cJSON *parsed = parse_line(line);
        assert_true(cJSON_IsTrue(cJSON_GetObjectItem(parsed, "last")));
        cJSON_Delete(parsed);
    }
}

static void fields_that_leave_no_room_are_left_out(void **state) {
    (void)state;
    char fields[2 * LOG_LINE_BYTES];
    (void)snprintf(fields, sizeof fields, "\"f\":\"%0*d\"", LOG_LINE_BYTES, 7);
    char memory[LOG_LINE_BYTES];
    capture();
    log_fields(LOG_INFO, fields, "still here");
    struct span line = next_write(memory);
    release();
    cJSON *parsed = parse_line(line);
    assert_string_equal(text_of(parsed, "message"), "still here");
    assert_null(cJSON_GetObjectItem(parsed, "f"));
    cJSON_Delete(parsed);
}

static void a_closed_or_full_output_harms_nobody(void **state) {
    (void)state;
    capture();
    for (int i = 0; i < 5000; i++) {
        log_info("fills the pipe, whose writes then fail with EAGAIN");
    }
    void (*before)(int) = signal(SIGPIPE, SIG_IGN);
    close(captured);
    captured = dup(STDERR_FILENO);
    log_info("nobody reads");
    release();
    signal(SIGPIPE, before);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_one_write_of_json),
        cmocka_unit_test(fields_follow_the_message),
        cmocka_unit_test(levels_above_the_threshold_are_left_out),
        cmocka_unit_test(a_long_message_is_cut_between_characters),
        cmocka_unit_test(fields_that_leave_no_room_are_left_out),
        cmocka_unit_test(a_closed_or_full_output_harms_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
