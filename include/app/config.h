// SPDX-License-Identifier: MIT
/* The configuration: read from the environment variables by one table, which also makes the
 * settings table of the README. The only place that reads the environment. */
#pragma once

#include "app/tags.h"
#include "aws/aws_format.h"
#include "aws/credentials_chain.h"
#include "aws/endpoint.h"
#include "base/attributes.h"
#include "base/buf.h"
#include "base/log.h"
#include "base/span.h"
#include "lambda/environment.h"
#include "net/http_client.h"
#include "pipeline/enricher.h"
#include "pipeline/format.h"
#include "pipeline/record_packer.h"
#include "pipeline/shipper.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum log_source { LOG_SOURCE_LOGS_API, LOG_SOURCE_TELEMETRY_API };

enum flush_mode { FLUSH_END, FLUSH_CONTINUOUS, FLUSH_ADAPTIVE };

enum compression { COMPRESSION_NONE, COMPRESSION_GZIP };

enum on_config_error { ON_CONFIG_ERROR_CONTINUE, ON_CONFIG_ERROR_FAIL };

/* Spans point into the environment that it was read from. */
struct config {
    /* Settings of this extension. */
    struct span stream; /* name or ARN */
    uint64_t listener_port;
    enum log_source source;
    struct shipped_types types;
    uint64_t max_items;
    uint64_t max_bytes;
    uint64_t timeout_ms;
    enum flush_mode flush;
    uint64_t max_delay_ms;
    uint64_t hold_ms;
    const struct format *format;
    enum compression compression;
    uint64_t record_bytes;    /* to fill a record up to, before compression */
    uint64_t stretched_bytes; /* as record_packer.h has it; chosen, not a setting */
    enum partition_key partition_key;
    enum aws_format kinesis_protocol;
    bool enrich;
    struct tag tags[TAGS_MAX];
    size_t tag_count;
    uint64_t queue_bytes;
    uint64_t spool_bytes;
    enum on_config_error on_config_error;
    enum log_level log_level;

    /* What every AWS SDK reads. */
    struct span region;
    struct credentials_settings credentials;
    struct endpoint endpoint; /* of Kinesis, in the stream's region */
    struct endpoint sts;      /* a mistake in it counts only where there is a role to assume */
    struct span ca_file;      /* or empty */
    struct http_proxies proxies;

    /* What the platform says. */
    const struct environment_kind *environment;
    struct span runtime_api;
    struct span function_name;
    struct span function_version;
    struct span temporary_directory; /* TMPDIR, or /tmp */
};

/* What config_read() found: one line of text each, in the order of the table. */
struct config_report {
    struct buf errors;   /* mistakes: variable, value (never a secret) and what is allowed */
    struct buf warnings; /* such as unknown names of ours, with the nearest known one */
};

struct config_report config_report_empty(void);
void config_report_done(struct config_report *report);

/* Reads `environment` ("NAME=value", NULL-terminated as for execve), which must outlive *ret.
 * Always fills *ret: a setting with a mistake has its default. Returns whether there was no
 * mistake; all are in *report, together. */
bool config_read(char *const *environment, struct config *ret, struct config_report *report);

/* Prints what each setting comes to in `environment`, and whether it is the default. */
void config_print_values(char *const *environment, FILE *out);

/* Prints the settings as a Markdown table. */
void config_print_settings(FILE *out);

/* Prints the settings for a terminal. */
void config_print_help(FILE *out);
