// SPDX-License-Identifier: MIT
#include "aws/credentials_environment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void gives_what_it_was_given_also_after_a_renewal(void **state) {
    (void)state;
    struct credentials_environment environment;
    credentials_environment_init(&environment,
                                 (struct credentials){SPAN("AKID"), SPAN("secret"), SPAN("token")});
    for (int i = 0; i < 2; i++) {
        struct credentials got = {0};
        assert_int_equal(credentials_current(&environment.source, &got, NULL, NULL),
                         CREDENTIALS_READY);
        assert_true(span_equals(got.access_key_id, SPAN("AKID")));
        assert_true(span_equals(got.secret_access_key, SPAN("secret")));
        assert_true(span_equals(got.session_token, SPAN("token")));
        credentials_renew(&environment.source);
    }
}

static void a_token_is_not_needed(void **state) {
    (void)state;
    struct credentials_environment environment;
    credentials_environment_init(&environment,
                                 (struct credentials){SPAN("AKID"), SPAN("secret"), {0}});
    struct credentials got = {0};
    assert_int_equal(credentials_current(&environment.source, &got, NULL, NULL), CREDENTIALS_READY);
    assert_int_equal(got.session_token.len, 0);
}

static void names_the_variable_that_is_missing_and_no_value(void **state) {
    (void)state;
    static const struct {
        struct credentials given;
        const char *missing;
    } cases[] = {
        {{{0}, {"s3cr3t", 6}, {"t0k3n", 5}}, "AWS_ACCESS_KEY_ID"},
        {{{"AKID", 4}, {0}, {"t0k3n", 5}}, "AWS_SECRET_ACCESS_KEY"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct credentials_environment environment;
        credentials_environment_init(&environment, cases[i].given);
        struct credentials got = {0};
        struct error err = {0};
        assert_int_equal(credentials_current(&environment.source, &got, NULL, &err),
                         CREDENTIALS_NONE);
        assert_int_equal(err.code, ERR_INVALID);
        assert_non_null(strstr(err.message, cases[i].missing));
        assert_null(strstr(err.message, "s3cr3t"));
        assert_null(strstr(err.message, "t0k3n"));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_what_it_was_given_also_after_a_renewal),
        cmocka_unit_test(a_token_is_not_needed),
        cmocka_unit_test(names_the_variable_that_is_missing_and_no_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
