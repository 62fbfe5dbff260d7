// SPDX-License-Identifier: MIT
#include "vector_files.h"

#include "../test_data.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

const char *shared_data_folder(void) {
    const char *folder = getenv("SHARED_DATA");
    if (folder == NULL) {
        folder = "../shared/data";
    }
    if (access(folder, R_OK) != 0) {
        print_message("no third-party suites in %s: only our own vectors were run\n", folder);
        return NULL;
    }
    return folder;
}

PRINTF_LIKE(2, 0)
static void format_path(char path[PATH_MAX], const char *path_format, va_list arguments) {
    int length = vsnprintf(path, PATH_MAX, path_format, arguments);
    assert_in_range(length, 1, PATH_MAX - 1);
}

struct buf read_vector_file(const char *path_format, ...) {
    char path[PATH_MAX];
    va_list arguments;
    va_start(arguments, path_format);
    format_path(path, path_format, arguments);
    va_end(arguments);
    return read_data_file("", path);
}

cJSON *read_vector_json(const char *path_format, ...) {
    char path[PATH_MAX];
    va_list arguments;
    va_start(arguments, path_format);
    format_path(path, path_format, arguments);
    va_end(arguments);
    return read_json_file("", path);
}

const char *vector_text(const cJSON *object, const char *name) {
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
    return text == NULL ? "" : text;
}
