// SPDX-License-Identifier: MIT
/* A Lambda external extension that ships a function's logs to Amazon Kinesis Data Streams. */
#include "app/app.h"
#include "app/check.h"
#include "app/command.h"
#include "app/config.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "lambda/environment.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

static void log_lines(enum log_level level, const struct buf *lines) {
    struct span rest = buf_span(lines);
    while (rest.len > 0) {
        struct span line = span_cut(&rest, '\n');
        log_message(level, "%.*s", SPAN_ARGS(line));
    }
}

/* Delivery bodies come and go: each is mapped and unmapped by itself, so that a burst leaves
 * nothing behind but the memory that the queue keeps. Each request takes and frees less than
 * 256 KiB, which the heap does not give back in between: the kernel would have to clear it for the
 * next one. Two threads need no arena each. */
static void keep_memory_small(void) {
    (void)mallopt(M_MMAP_THRESHOLD, 128 * 1024);
    (void)mallopt(M_TRIM_THRESHOLD, 256 * 1024);
    (void)mallopt(M_ARENA_MAX, 1);
}

static int be_extension(const char *path, char *const *environment) {
    keep_memory_small();
    (void)signal(SIGPIPE, SIG_IGN); /* a peer that hangs up is an error of that connection only */

    struct config config;
    CLEANUP(config_report_done) struct config_report report = config_report_empty();
    bool config_is_good = config_read(environment, &config, &report);

    log_set_level(config.log_level);
    log_lines(LOG_ERROR, &report.errors);
    log_lines(LOG_WARN, &report.warnings);

    if (config.runtime_api.len == 0) {
        log_error("AWS_LAMBDA_RUNTIME_API is not set: this program is a Lambda extension and is "
                  "started by Lambda from /opt/extensions");
        return EXIT_FAILURE;
    }

    struct error err = {0};
    if (!crypto_init(&err)) {
        log_error("%s", err.message);
        return EXIT_FAILURE;
    }

    return app_run(&config, config_is_good, environment_program_name(path), clock_system());
}

int main(int argc, char **argv, char **environment) {
    switch (command_of(argc, argv)) {
    case COMMAND_RUN:
        return be_extension(argc > 0 ? argv[0] : NULL, environment);
    case COMMAND_HELP:
        command_print_help(stdout);
        return EXIT_SUCCESS;
    case COMMAND_VERSION:
        command_print_version(stdout);
        return EXIT_SUCCESS;
    case COMMAND_CHECK:
        return check_run(environment, false, clock_system(), stdout);
    case COMMAND_CHECK_SEND:
        return check_run(environment, true, clock_system(), stdout);
    case COMMAND_UNKNOWN:
        break;
    }
    (void)fprintf(stderr, "unknown arguments; --help lists what there is\n");
    return EX_USAGE;
}
