// SPDX-License-Identifier: MIT
#include "app/setting.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum color { RED, GREEN };

struct example {
    uint64_t number;
    enum color color;
    bool flag;
};

static const char *const colors[] = {"red", "green", NULL};

static const struct setting settings[] = {
    {.name = "THE_NUMBER",
     .preset = "5",
     .help = "A number.",
     .parse = setting_parse_number,
     .min = 5,
     .max = UINT64_MAX,
     .field = offsetof(struct example, number)},
    {.name = "THE_COLOR",
     .help = "A colour.",
     .required = true,
     .parse = setting_parse_choice,
     .choices = colors,
     .field = offsetof(struct example, color)},
    {.name = "THE_FLAG",
     .allowed = "in words",
     .help = "A flag.",
     .parse = setting_parse_bool,
     .choices = setting_bool_choices,
     .field = offsetof(struct example, flag)},
};

static bool parse(size_t index, const char *value, struct example *into) {
    return settings[index].parse(&settings[index], span_of_text(value), into);
}

static void values_go_to_their_fields(void **state) {
    (void)state;
    struct example example = {0};
    assert_true(parse(0, "18446744073709551615", &example));
    assert_true(example.number == UINT64_MAX);
    assert_true(parse(1, "green", &example));
    assert_int_equal(example.color, GREEN);
    assert_true(parse(2, "true", &example));
    assert_true(example.flag);
    assert_true(parse(2, "false", &example));
    assert_false(example.flag);
}

static void what_is_not_allowed_changes_nothing(void **state) {
    (void)state;
    struct example example = {.number = 7, .color = GREEN, .flag = true};
    static const char *const bad[] = {"",     "4", "18446744073709551616", "gre", "greens",
                                      "True", "1x"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        for (size_t j = 0; j < 3; j++) {
            assert_false(parse(j, bad[i], &example));
        }
    }
    assert_int_equal(example.number, 7);
    assert_int_equal(example.color, GREEN);
    assert_true(example.flag);
}

static void expect_mistake(size_t index, const char *value, const char *line) {
    struct buf out = buf_with_ceiling(1000);
    setting_append_mistake(&settings[index], span_of_text(value), &out);
    assert_string_equal(buf_text(&out), line);
    buf_done(&out);
}

static void a_mistake_names_variable_value_and_what_is_allowed(void **state) {
    (void)state;
    expect_mistake(0, "4", "THE_NUMBER=4 is not allowed; allowed: 5-18446744073709551615\n");
    expect_mistake(1, "blue", "THE_COLOR=blue is not allowed; allowed: `red`, `green`\n");
    expect_mistake(2, "maybe", "THE_FLAG=maybe is not allowed; allowed: in words\n");
}

static void the_nearest_name_takes_the_fewest_changes(void **state) {
    (void)state;
    static const struct {
        const char *name;
        size_t nearest;
    } cases[] = {
        {"THE_NUMBER", 0}, {"THE_NUMBRE", 0}, {"NUMBER", 0}, {"THE_COLOUR", 1},
        {"THE_FLAGS", 2},  {"FLAG", 2},       {"", 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_ptr_equal(setting_nearest(settings, 3, span_of_text(cases[i].name)),
                         &settings[cases[i].nearest]);
    }
    static const char longest[5000] = "THE_FLAG";
    assert_non_null(setting_nearest(settings, 3, span_of(longest, sizeof longest)));
}

static void a_row_shows_name_default_allowed_and_help(void **state) {
    (void)state;
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    for (size_t i = 0; i < 3; i++) {
        setting_print_row(&settings[i], out);
    }
    (void)fclose(out);
    assert_string_equal(text, "| `THE_NUMBER` | `5` | 5-18446744073709551615 | A number. |\n"
                              "| `THE_COLOR` | (required) | `red`, `green` | A colour. |\n"
                              "| `THE_FLAG` |  | in words | A flag. |\n");
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_go_to_their_fields),
        cmocka_unit_test(what_is_not_allowed_changes_nothing),
        cmocka_unit_test(a_mistake_names_variable_value_and_what_is_allowed),
        cmocka_unit_test(the_nearest_name_takes_the_fewest_changes),
        cmocka_unit_test(a_row_shows_name_default_allowed_and_help),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
