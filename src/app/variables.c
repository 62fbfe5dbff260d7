// SPDX-License-Identifier: MIT
#include "app/variables.h"

struct span variable(char *const *environment, const char *name) {
    size_t length = strlen(name);
    for (; *environment != NULL; environment++) {
        if (strncmp(*environment, name, length) == 0 && (*environment)[length] == '=') {
            return span_of_text(*environment + length + 1);
        }
    }
    return (struct span){0};
}

struct span variable_or(char *const *environment, const char *name, const char *other) {
    struct span value = variable(environment, name);
    return value.len > 0 ? value : variable(environment, other);
}

bool variable_is_true(char *const *environment, const char *name) {
    return span_equals_ignoring_case(variable(environment, name), SPAN("true"));
}
