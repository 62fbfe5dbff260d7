// SPDX-License-Identifier: MIT
#include "app/command.h"

#include "app/config.h"
#include "app/version.h"

#include <stddef.h>
#include <string.h>

#define NAME "kinesis-stream-logs-extension"

static const struct {
    const char *argument;
    enum command command;
    const char *help;
} commands[] = {
    {"--help", COMMAND_HELP, "prints this"},
    {"--version", COMMAND_VERSION, "prints the version"},
    {"--check", COMMAND_CHECK, "prints what the settings come to, and what would fail"},
    {"--check=send", COMMAND_CHECK_SEND, "the same, and sends a test record to the stream"},
};

enum command command_of(int argc, char *const *argv) {
    if (argc <= 1) {
        return COMMAND_RUN;
    }
    for (size_t i = 0; argc == 2 && i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(argv[1], commands[i].argument) == 0) {
            return commands[i].command;
        }
    }
    return COMMAND_UNKNOWN;
}

void command_print_help(FILE *out) {
    (void)fputs("A Lambda extension that ships a function's logs to Amazon Kinesis Data Streams.\n"
                "Lambda starts it from /opt/extensions, without arguments. By hand:\n\n",
                out);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        (void)fprintf(out, "  " NAME " %-13s %s\n", commands[i].argument, commands[i].help);
    }
    (void)fputs("\nSettings are environment variables of the function:\n\n", out);
    config_print_help(out);
}

void command_print_version(FILE *out) { (void)fputs(NAME " " VERSION "\n", out); }
