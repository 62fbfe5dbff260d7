// SPDX-License-Identifier: MIT
#include "app/config.h"

#include "app/config_aws.h"
#include "app/setting.h"
#include "app/variables.h"
#include "destinations/kinesis.h"
#include "lambda/logs_api.h"

#include <stddef.h>
#include <string.h>

enum {
    RUNTIME_API_PORT = 9001,
    /* What Kinesis bills as one unit; and, compressed, what typical logs fill one unit with after
     * compression (docs/formats.md has the figures). */
    RECORD_BYTES_PLAIN = 25000,
    RECORD_BYTES_STRETCHED = 10 * RECORD_BYTES_PLAIN,
    RECORD_BYTES_COMPRESSED = 250000,
};

#define FIELD(name) offsetof(struct config, name)

static const char *const api_choices[] = {"logs", "telemetry", NULL};
static const char *const flush_choices[] = {"end", "continuous", "adaptive", NULL};
static const char *const format_choices[] = {"ndjson", "event", "batch", "kpl", "cloudwatch", NULL};
static const char *const compression_choices[] = {"none", "gzip", NULL};
static const char *const key_choices[] = {"random", "environment", "function", "request", NULL};
static const char *const protocol_choices[] = {"json", "cbor", NULL};
static const char *const on_error_choices[] = {"continue", "fail", NULL};
static const char *const level_choices[] = {"error", "warn", "info", "debug", NULL};

static bool parse_stream(const struct setting *setting, struct span value, void *config);
static bool parse_port(const struct setting *setting, struct span value, void *config);
static bool parse_types(const struct setting *setting, struct span value, void *config);
static bool parse_format(const struct setting *setting, struct span value, void *config);
static bool parse_tags(const struct setting *setting, struct span value, void *config);
static bool parse_role(const struct setting *setting, struct span value, void *config);
static bool parse_external_id(const struct setting *setting, struct span value, void *config);

static const struct setting settings[] = {
    {
        .name = "AWS_KINESIS_STREAM_NAME",
        .allowed = "stream name or stream ARN",
        .help = "The stream to write to. A stream of another account or region needs its ARN.",
        .required = true,
        .parse = parse_stream,
        .field = FIELD(stream),
    },
    {
        .name = "EXTENSION_LOG_ROLE_ARN",
        .allowed = "ARN of a role",
        .help = "A role to write as instead of the function's own: see Another account.",
        .parse = parse_role,
        .field = FIELD(credentials.role.arn),
    },
    {
        .name = "EXTENSION_LOG_ROLE_EXTERNAL_ID",
        .allowed = "2-1224 letters, digits and `_+=,.@:/-`",
        .help = "The external id that the trust policy of that role asks for.",
        .parse = parse_external_id,
        .field = FIELD(credentials.role.external_id),
    },
    {
        .name = "HTTP_LOGS_LISTENER_PORT",
        .preset = "1234",
        .allowed = "1-65535, not 9001",
        .help =
            "Where the platform delivers logs inside the environment. Any free port when taken.",
        .parse = parse_port,
        .min = 1,
        .max = 65535,
        .field = FIELD(listener_port),
    },
    {
        .name = "EXTENSION_LOG_API",
        .preset = "logs",
        .help = "The Lambda API that delivers the logs: the Logs API or the Telemetry API.",
        .parse = setting_parse_choice,
        .choices = api_choices,
        .field = FIELD(source),
    },
    {
        .name = "EXTENSION_LOG_TYPES",
        .preset = "platform,function",
        .allowed = "any of `platform`, `function`, `extension`",
        .help = "Which events are shipped.",
        .parse = parse_types,
        .field = FIELD(types),
    },
    {
        .name = "EXTENSION_LOG_MAX_ITEMS",
        .preset = "10000",
        .help = "Most events in one delivery of the platform.",
        .parse = setting_parse_number,
        .min = LOGS_API_MAX_ITEMS_MIN,
        .max = LOGS_API_MAX_ITEMS_MAX,
        .field = FIELD(max_items),
    },
    {
        .name = "EXTENSION_LOG_MAX_BYTES",
        .preset = "1048576",
        .help = "Most bytes in one delivery of the platform.",
        .parse = setting_parse_number,
        .min = LOGS_API_MAX_BYTES_MIN,
        .max = LOGS_API_MAX_BYTES_MAX,
        .field = FIELD(max_bytes),
    },
    {
        .name = "EXTENSION_LOG_TIMEOUT_MS",
        .preset = "25",
        .help = "How long the platform gathers events before it delivers them.",
        .parse = setting_parse_number,
        .min = LOGS_API_TIMEOUT_MS_MIN,
        .max = LOGS_API_TIMEOUT_MS_MAX,
        .field = FIELD(timeout_ms),
    },
    {
        .name = "EXTENSION_LOG_FLUSH",
        .preset = "adaptive",
        .help = "When the logs of an invocation must have arrived: see Flush modes.",
        .parse = setting_parse_choice,
        .choices = flush_choices,
        .field = FIELD(flush),
    },
    {
        .name = "EXTENSION_LOG_MAX_DELAY_MS",
        .preset = "1000",
        .help = "How late logs may arrive: for `adaptive`, and always on Managed Instances.",
        .parse = setting_parse_number,
        .min = 0,
        .max = 900000,
        .field = FIELD(max_delay_ms),
    },
    {
        .name = "EXTENSION_LOG_HOLD_MS",
        .preset = "1000",
        .help = "Longest hold after the function is done while Kinesis is slow or down.",
        .parse = setting_parse_number,
        .min = 0,
        .max = 60000,
        .field = FIELD(hold_ms),
    },
    {
        .name = "EXTENSION_LOG_FORMAT",
        .preset = "ndjson",
        .help = "What one Kinesis record is: see Formats.",
        .parse = parse_format,
        .choices = format_choices,
        .field = FIELD(format),
    },
    {
        .name = "EXTENSION_LOG_COMPRESSION",
        .preset = "none",
        .help =
            "Compression of records, for the formats `ndjson` and `batch`; `cloudwatch` is always "
            "compressed.",
        .parse = setting_parse_choice,
        .choices = compression_choices,
        .field = FIELD(compression),
    },
    {
        .name = "EXTENSION_LOG_RECORD_BYTES",
        .preset_in_words = "`25000`, or more to fill units with long lines; with compression "
                           "`250000`",
        .help = "Size to fill a record up to, with its key, before compression. Kinesis bills each "
                "begun 25 KB of a record. Above 1048576 only for a stream that allows such "
                "records.",
        .parse = setting_parse_number,
        .min = 1000,
        .max = KINESIS_LARGE_RECORD_BYTES_MAX,
        .field = FIELD(record_bytes),
    },
    {
        .name = "EXTENSION_LOG_PARTITION_KEY",
        .preset = "random",
        .help = "What decides the shard of a record.",
        .parse = setting_parse_choice,
        .choices = key_choices,
        .field = FIELD(partition_key),
    },
    {
        .name = "EXTENSION_LOG_KINESIS_PROTOCOL",
        .preset = "json",
        .help = "How requests to Kinesis are written. `cbor` sends records as bytes instead of "
                "base64: a quarter less to hash, encrypt and send.",
        .parse = setting_parse_choice,
        .choices = protocol_choices,
        .field = FIELD(kinesis_protocol),
    },
    {
        .name = "EXTENSION_LOG_ENRICH",
        .preset = "true",
        .help = "Add request id, event id, function and tags to each event.",
        .parse = setting_parse_bool,
        .choices = setting_bool_choices,
        .field = FIELD(enrich),
    },
    {
        .name = "EXTENSION_LOG_TAGS",
        .allowed = "`key=value,key=value`, at most 32, each key once",
        .help = "Added to each event.",
        .parse = parse_tags,
        .field = FIELD(tags),
    },
    {
        .name = "EXTENSION_LOG_QUEUE_BYTES",
        .preset = "8388608",
        .help = "Memory for everything that is not delivered yet.",
        .parse = setting_parse_number,
        .min = 1048576,
        .max = 268435456,
        .field = FIELD(queue_bytes),
    },
    {
        .name = "EXTENSION_LOG_SPOOL_BYTES",
        .preset = "67108864",
        .help = "Room in `/tmp` for what does not fit the memory, and for what a shutdown leaves "
                "undelivered. 0: nothing is written to disk.",
        .parse = setting_parse_number,
        .min = 0,
        .max = 1073741824,
        .field = FIELD(spool_bytes),
    },
    {
        .name = "EXTENSION_LOG_ON_CONFIG_ERROR",
        .preset = "continue",
        .help = "With a mistake in these settings: let the function run without shipping logs, or "
                "fail its start.",
        .parse = setting_parse_choice,
        .choices = on_error_choices,
        .field = FIELD(on_config_error),
    },
    {
        .name = "EXTENSION_LOG_LEVEL",
        .preset = "info",
        .help = "How much the extension says about itself.",
        .parse = setting_parse_choice,
        .choices = level_choices,
        .field = FIELD(log_level),
    },
};

enum { SETTING_COUNT = sizeof settings / sizeof settings[0] };

/* --- what only single settings need --- */

static bool parse_stream(const struct setting *setting, struct span value, void *config) {
    if (!kinesis_is_stream_name(value) && !kinesis_is_stream_arn(value)) {
        return false;
    }
    *(struct span *)setting_field(setting, config) = value;
    return true;
}

static bool parse_port(const struct setting *setting, struct span value, void *config) {
    unsigned long long port = 0;
    bool is_number = span_to_u64(value, &port);
    return is_number && port != RUNTIME_API_PORT && setting_parse_number(setting, value, config);
}

static bool parse_types(const struct setting *setting, struct span value, void *config) {
    struct shipped_types types = {0};
    do {
        struct span type = span_trim(span_cut(&value, ','));
        if (span_equals(type, SPAN("platform"))) {
            types.platform = true;
        } else if (span_equals(type, SPAN("function"))) {
            types.function = true;
        } else if (span_equals(type, SPAN("extension"))) {
            types.extension = true;
        } else {
            return false;
        }
    } while (value.len > 0);
    *(struct shipped_types *)setting_field(setting, config) = types;
    return true;
}

static bool parse_format(const struct setting *setting, struct span value, void *config) {
    const struct format *format = format_by_name(value);
    if (format == NULL) {
        return false;
    }
    *(const struct format **)setting_field(setting, config) = format;
    return true;
}

static bool parse_role(const struct setting *setting, struct span value, void *config) {
    if (!role_is_arn(value)) {
        return false;
    }
    *(struct span *)setting_field(setting, config) = value;
    return true;
}

static bool parse_external_id(const struct setting *setting, struct span value, void *config) {
    if (!role_is_external_id(value)) {
        return false;
    }
    *(struct span *)setting_field(setting, config) = value;
    return true;
}

static bool parse_tags(const struct setting *setting, struct span value, void *config) {
    struct config *into = config;
    (void)setting;
    return tags_parse(value, into->tags, &into->tag_count);
}

/* --- the environment --- */

static void read_settings(char *const *environment, struct config *ret,
                          struct config_report *report) {
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const struct setting *setting = &settings[i];
        struct span value = span_trim(variable(environment, setting->name));
        if (setting->preset != NULL) {
            (void)setting->parse(setting, span_of_text(setting->preset), ret);
        }
        if (value.len == 0 && setting->required) {
            buf_append_format(&report->errors, "%s is not set; it must be a %s\n", setting->name,
                              setting->allowed);
        } else if (value.len > 0 && !setting->parse(setting, value, ret)) {
            setting_append_mistake(setting, value, &report->errors);
        }
    }
}

static void check_compression(struct config *config, struct config_report *report) {
    if (config->compression == COMPRESSION_GZIP &&
        config->format->compression == COMPRESSION_REFUSED) {
        buf_append_format(&report->errors,
                          "EXTENSION_LOG_COMPRESSION=gzip is not allowed with "
                          "EXTENSION_LOG_FORMAT=%s; it is for `ndjson` and `batch`\n",
                          config->format->name);
        config->compression = COMPRESSION_NONE;
    }
    if (config->format->compression == COMPRESSION_ALWAYS) {
        config->compression = COMPRESSION_GZIP;
    }
}

/* What CloudWatch Logs writes has no place for them. */
static void warn_of_unused_tags(const struct config *config, struct config_report *report) {
    if (config->tag_count > 0 && config->format == &format_cloudwatch) {
        buf_append(&report->warnings, SPAN("EXTENSION_LOG_TAGS is without effect with "
                                           "EXTENSION_LOG_FORMAT=cloudwatch\n"));
    }
}

/* A size that was set is kept to. What a compressed record will be billed is not known while it is
 * filled. */
static void choose_record_bytes(struct config *config) {
    if (config->record_bytes != 0) {
        return;
    }
    if (config->compression == COMPRESSION_NONE) {
        config->record_bytes = RECORD_BYTES_PLAIN;
        config->stretched_bytes = RECORD_BYTES_STRETCHED;
    } else {
        config->record_bytes = RECORD_BYTES_COMPRESSED;
    }
}

static void warn_of_unknown_names(char *const *environment, struct config_report *report) {
    for (; *environment != NULL; environment++) {
        struct span rest = span_of_text(*environment);
        struct span name = span_cut(&rest, '=');
        if (!span_starts_with(name, SPAN("EXTENSION_LOG_"))) {
            continue;
        }
        const struct setting *nearest = setting_nearest(settings, SETTING_COUNT, name);
        if (!span_equals(name, span_of_text(nearest->name))) {
            buf_append_format(&report->warnings, "%.*s is not a setting; did you mean %s?\n",
                              SPAN_ARGS(name), nearest->name);
        }
    }
}

static void read_platform(char *const *environment, struct config *ret) {
    ret->environment = environment_kind_of(variable(environment, "AWS_LAMBDA_INITIALIZATION_TYPE"));
    ret->runtime_api = variable(environment, "AWS_LAMBDA_RUNTIME_API");
    ret->function_name = variable(environment, "AWS_LAMBDA_FUNCTION_NAME");
    ret->function_version = variable(environment, "AWS_LAMBDA_FUNCTION_VERSION");
    ret->temporary_directory = variable(environment, "TMPDIR");
    if (ret->temporary_directory.len == 0) {
        ret->temporary_directory = SPAN("/tmp");
    }
}

/* --- what the program calls --- */

enum { REPORT_CEILING = 64 * 1024 };

struct config_report config_report_empty(void) {
    return (struct config_report){
        .errors = buf_with_ceiling(REPORT_CEILING),
        .warnings = buf_with_ceiling(REPORT_CEILING),
    };
}

void config_report_done(struct config_report *report) {
    buf_done(&report->errors);
    buf_done(&report->warnings);
}

bool config_read(char *const *environment, struct config *ret, struct config_report *report) {
    *ret = (struct config){0};
    read_settings(environment, ret, report);
    check_compression(ret, report);
    choose_record_bytes(ret);
    warn_of_unused_tags(ret, report);
    warn_of_unknown_names(environment, report);
    config_read_aws(environment, ret, report);
    read_platform(environment, ret);
    return report->errors.len == 0 && !buf_failed(&report->errors);
}

void config_print_values(char *const *environment, FILE *out) {
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const struct setting *setting = &settings[i];
        struct config scratch = {0};
        struct span given = span_trim(variable(environment, setting->name));
        bool allowed = given.len > 0 && setting->parse(setting, given, &scratch);
        setting_print_value(setting, given, allowed, out);
    }
}

void config_print_settings(FILE *out) {
    (void)fputs("| Variable | Default | Allowed | What it does |\n|---|---|---|---|\n", out);
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        setting_print_row(&settings[i], out);
    }
}

void config_print_help(FILE *out) {
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        setting_print_paragraph(&settings[i], out);
    }
}
