// SPDX-License-Identifier: MIT
#include "app/command.h"

#include "app/version.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ARGUMENTS_MAX = 3 };

static void arguments_say_what_is_wanted(void **state) {
    (void)state;
    static const struct {
        int argc;
        const char *argv[ARGUMENTS_MAX];
        enum command command;
    } cases[] = {
        {0, {NULL}, COMMAND_RUN},
        {1, {"/opt/extensions/x"}, COMMAND_RUN},
        {2, {"x", "--help"}, COMMAND_HELP},
        {2, {"x", "--version"}, COMMAND_VERSION},
        {2, {"x", "--check"}, COMMAND_CHECK},
        {2, {"x", "--check=send"}, COMMAND_CHECK_SEND},
        {2, {"x", "--check=sent"}, COMMAND_UNKNOWN},
        {2, {"x", ""}, COMMAND_UNKNOWN},
        {2, {"x", "-h"}, COMMAND_UNKNOWN},
        {2, {"x", "--helpme"}, COMMAND_UNKNOWN},
        {3, {"x", "--help", "--version"}, COMMAND_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *argv[ARGUMENTS_MAX] = {NULL};
        memcpy(argv, cases[i].argv, sizeof argv);
        assert_int_equal(command_of(cases[i].argc, argv), cases[i].command);
    }
}

static char *printed_by(void (*print)(FILE *out)) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    print(out);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void help_has_every_command_and_setting(void **state) {
    (void)state;
    char *help = printed_by(command_print_help);
    static const char *const wanted[] = {"--version",
                                         "--help",
                                         "AWS_KINESIS_STREAM_NAME",
                                         "EXTENSION_LOG_LEVEL",
                                         "Default: adaptive",
                                         "Allowed: none, gzip"};
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        assert_non_null(strstr(help, wanted[i]));
    }
    assert_null(strchr(help, '`'));
    free(help);
}

static void the_version_is_the_released_one(void **state) {
    (void)state;
    char *version = printed_by(command_print_version);
    assert_string_equal(version, "kinesis-stream-logs-extension " VERSION "\n");
    free(version);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_say_what_is_wanted),
        cmocka_unit_test(help_has_every_command_and_setting),
        cmocka_unit_test(the_version_is_the_released_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
