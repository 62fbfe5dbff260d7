// SPDX-License-Identifier: MIT
// An environment, one variable a line: whatever it holds, every setting ends up within its bounds,
// and a mistake is said in words.
#include "app/config.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>

enum { VARIABLES_MAX = 200 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds) {
    if (!holds) {
        abort();
    }
}

/* Cuts the text at its newlines. */
static void split(char *text, char *environment[VARIABLES_MAX + 1]) {
    size_t count = 0;
    for (char *line = text; line != NULL && count < VARIABLES_MAX;) {
        char *end = strchr(line, '\n');
        environment[count++] = line;
        if (end != NULL) {
            *end++ = '\0';
        }
        line = end;
    }
    environment[count] = NULL;
}

static void require_bounds(const struct config *config) {
    require(config->listener_port >= 1 && config->listener_port <= 65535);
    require(config->listener_port != 9001);
    require(config->max_items >= 1000 && config->max_items <= 10000);
    require(config->max_bytes >= 262144 && config->max_bytes <= 1048576);
    require(config->timeout_ms >= 25 && config->timeout_ms <= 30000);
    require(config->flush <= FLUSH_ADAPTIVE);
    require(config->hold_ms <= 60000);
    require(config->format != NULL);
    require(config->record_bytes >= 1000 && config->record_bytes <= 10485760);
    require(config->partition_key <= PARTITION_KEY_REQUEST);
    require(config->tag_count <= TAGS_MAX);
    require(config->queue_bytes >= 1048576 && config->queue_bytes <= 268435456);
    require(config->on_config_error <= ON_CONFIG_ERROR_FAIL);
    require(config->log_level <= LOG_DEBUG);
}

static void require_tags(const struct config *config) {
    for (size_t i = 0; i < config->tag_count; i++) {
        require(config->tags[i].key.len > 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *environment[VARIABLES_MAX + 1];
    struct buf text = buf_with_ceiling(SSIZE_MAX);
    buf_append(&text, span_of((const char *)data, size));
    buf_append_char(&text, '\0');
    split(text.ptr, environment);

    struct config config;
    struct config_report report = config_report_empty();
    bool good = config_read(environment, &config, &report);
    require(good == (report.errors.len == 0 && !buf_failed(&report.errors)));
    require(!good || (config.stream.len > 0 && config.endpoint.url[0] != '\0'));
    require_bounds(&config);
    require_tags(&config);
    config_report_done(&report);
    buf_done(&text);
    return 0;
}
