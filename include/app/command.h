// SPDX-License-Identifier: MIT
/* The command line. Lambda starts the program with none; the rest is for people. */
#pragma once

#include <stdio.h>

enum command {
    COMMAND_RUN, /* be the extension */
    COMMAND_HELP,
    COMMAND_VERSION,
    COMMAND_CHECK,
    COMMAND_CHECK_SEND,
    COMMAND_UNKNOWN,
};

/* What the arguments ask for. */
enum command command_of(int argc, char *const *argv);

/* Prints the usage and every setting. */
void command_print_help(FILE *out);

/* Prints "NAME VERSION". */
void command_print_version(FILE *out);
