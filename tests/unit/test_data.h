// SPDX-License-Identifier: MIT
/* The files below tests/data; programs run in the top folder of the repository. */
#pragma once

#include "base/buf.h"

#include <assert.h>
#include <cjson/cJSON.h>
#include <limits.h>
#include <stdio.h>

#define BATCHES "tests/data/batches/"

/* Dies when there is no such file: a test without its data has failed. */
static inline struct buf read_data_file(const char *folder, const char *name) {
    struct buf path = buf_with_ceiling(PATH_MAX);
    struct buf content = buf_with_ceiling(SSIZE_MAX);
    buf_append_format(&path, "%s%s", folder, name);
    FILE *file = fopen(buf_text(&path), "rb");
    if (file == NULL) {
        perror(buf_text(&path));
    }
    assert(file != NULL);
    size_t got = 0;
    do {
        char *to = buf_reserve(&content, 65536);
        assert(to != NULL);
        got = fread(to, 1, 65536, file);
        buf_commit(&content, got);
    } while (got > 0);
    (void)fclose(file);
    buf_done(&path);
    return content;
}

/* Free with cJSON_Delete. */
static inline cJSON *read_json_file(const char *folder, const char *name) {
    struct buf content = read_data_file(folder, name);
    cJSON *json = cJSON_Parse(buf_text(&content));
    assert(json != NULL);
    buf_done(&content);
    return json;
}

static inline const char *json_text(const cJSON *object, const char *name) {
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    assert(text != NULL);
    return text;
}
