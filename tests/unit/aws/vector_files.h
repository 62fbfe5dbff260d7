// SPDX-License-Identifier: MIT
/* Files with test vectors: our own under tests/data, and third-party suites in a folder beside the
 * checkout, which are run when they are there. All fail the test when a file cannot be read. */
#pragma once

#include "base/buf.h"

#include <cjson/cJSON.h>

/* The folder of the third-party suites: SHARED_DATA or ../shared/data, or NULL when there is none,
 * with a message that only our own vectors are run. */
const char *shared_data_folder(void);

/* The caller must buf_done() it. The path is a printf format. */
struct buf read_vector_file(const char *path_format, ...) PRINTF_LIKE(1, 2);

/* The caller must cJSON_Delete() it. */
cJSON *read_vector_json(const char *path_format, ...) PRINTF_LIKE(1, 2);

/* A member's text, or "" when it is absent or null. */
const char *vector_text(const cJSON *object, const char *name);
