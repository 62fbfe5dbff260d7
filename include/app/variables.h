// SPDX-License-Identifier: MIT
/* Environment variables, in an environment as execve has it ("NAME=value", NULL-terminated), so
 * that tests can give their own. Values point into it. Pure. */
#pragma once

#include "base/span.h"

#include <stdbool.h>

/* Empty when it is not set. */
struct span variable(char *const *environment, const char *name);

/* The first of the two that is not empty. */
struct span variable_or(char *const *environment, const char *name, const char *other);

/* Whether it is "true", in any case: as the AWS SDKs read their flags. */
bool variable_is_true(char *const *environment, const char *name);
