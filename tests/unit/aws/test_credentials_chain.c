// SPDX-License-Identifier: MIT
/* credentials_chain with fakes in the place of the providers. Every program here is linked with the
 * real ones, so the module is compiled into this one again, under names of its own. */
#define credentials_container_init fake_credentials_container_init
#define credentials_role_init fake_credentials_role_init
#define credentials_role_done fake_credentials_role_done
#define credentials_chain_init tested_credentials_chain_init
#define credentials_chain_source tested_credentials_chain_source
#define credentials_chain_interrupt tested_credentials_chain_interrupt
#define credentials_chain_done tested_credentials_chain_done
#include "../../../src/aws/credentials_chain.c" // NOLINT(bugprone-suspicious-include)

#include "../fake_clock.h"
#include "fake_provider.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { HOUR_MS = 60 * 60 * 1000 };

static struct fake_provider container;
static struct fake_provider role;
static struct credentials_source *signs_for_role;
static struct fake_clock fake_clock;
static struct credentials_chain chain;

static bool container_fetch(struct credentials_provider *self, credentials_granted_fn done,
                            void *context, struct error *err) {
    (void)self;
    return container.provider.fetch(&container.provider, done, context, err);
}

static bool role_fetch(struct credentials_provider *self, credentials_granted_fn done,
                       void *context, struct error *err) {
    (void)self;
    return role.provider.fetch(&role.provider, done, context, err);
}

static void container_cancel(struct credentials_provider *self) {
    (void)self;
    container.provider.cancel(&container.provider);
}

static void role_cancel(struct credentials_provider *self) {
    (void)self;
    role.provider.cancel(&role.provider);
}

void credentials_container_init(struct credentials_container *self,
                                const struct container_settings *settings,
                                struct http_client *http) {
    (void)settings;
    (void)http;
    self->provider = (struct credentials_provider){container_fetch, container_cancel};
}

void credentials_role_init(struct credentials_role *self, const struct role_settings *settings,
                           struct credentials_source *source, struct http_client *http,
                           const struct clock *clock) {
    (void)settings;
    (void)http;
    (void)clock;
    self->provider = (struct credentials_provider){role_fetch, role_cancel};
    signs_for_role = source;
}

void credentials_role_done(struct credentials_role *self) { (void)self; }

static void begin(struct credentials_settings settings) {
    container = fake_provider_of_none();
    role = fake_provider_of_none();
    fake_clock = fake_clock_at(1000, 1773500966000);
    credentials_chain_init(&chain, &settings, NULL, &fake_clock.clock);
}

static int tear_down(void **state) {
    (void)state;
    credentials_chain_done(&chain);
    credentials_chain_done(&chain);
    return 0;
}

static enum credentials_answer ask(struct credentials_source *source, const char *expected_id,
                                   struct error *err) {
    struct credentials got = {0};
    enum credentials_answer answer = credentials_current(source, &got, NULL, err);
    if (answer == CREDENTIALS_READY && !span_equals(got.access_key_id, span_of_text(expected_id))) {
        fail_msg("%.*s instead of %s", SPAN_ARGS(got.access_key_id), expected_id);
    }
    return answer;
}

#define VARIABLES                                                                                  \
    { SPAN("VARIABLE"), SPAN("secret"), SPAN("token") }
#define ENDPOINT                                                                                   \
    { .full_uri = SPAN("http://localhost/") }
#define ROLE                                                                                       \
    { .arn = SPAN("arn:aws:iam::123456789012:role/logs") }

static void without_an_endpoint_the_variables_sign(void **state) {
    (void)state;
    begin((struct credentials_settings){.environment = VARIABLES});
    struct credentials_source *source = credentials_chain_source(&chain);
    assert_int_equal(ask(source, "VARIABLE", NULL), CREDENTIALS_READY);
    credentials_renew(source);
    assert_int_equal(ask(source, "VARIABLE", NULL), CREDENTIALS_READY);
    assert_int_equal(container.fetches, 0);
}

static void the_endpoint_goes_before_the_variables(void **state) {
    (void)state;
    begin((struct credentials_settings){.environment = VARIABLES, .container = ENDPOINT});
    struct credentials_source *source = credentials_chain_source(&chain);
    assert_int_equal(container.fetches, 0);
    assert_int_equal(ask(source, NULL, NULL), CREDENTIALS_PENDING);
    fake_provider_grant(&container, "ENDPOINT", INT64_MAX);
    assert_int_equal(ask(source, "ENDPOINT", NULL), CREDENTIALS_READY);
    fake_clock_pass(&fake_clock, HOUR_MS);
    credentials_renew(source);
    assert_int_equal(ask(source, NULL, NULL), CREDENTIALS_PENDING);
}

static void the_variables_are_better_than_nothing(void **state) {
    (void)state;
    begin((struct credentials_settings){.environment = VARIABLES, .container = ENDPOINT});
    struct credentials_source *source = credentials_chain_source(&chain);
    assert_int_equal(ask(source, NULL, NULL), CREDENTIALS_PENDING);
    fake_provider_fail(&container, ERR_UNAVAILABLE, "the endpoint is down");
    assert_int_equal(ask(source, "VARIABLE", NULL), CREDENTIALS_READY);
}

static void what_is_wrong_with_the_endpoint_is_told_when_there_is_nothing_else(void **state) {
    (void)state;
    struct error err = {0};
    begin((struct credentials_settings){.container = ENDPOINT});
    struct credentials_source *source = credentials_chain_source(&chain);
    assert_int_equal(ask(source, NULL, NULL), CREDENTIALS_PENDING);
    fake_provider_fail(&container, ERR_UNAVAILABLE, "the endpoint is down");
    assert_int_equal(ask(source, NULL, &err), CREDENTIALS_NONE);
    assert_string_equal(err.message, "the endpoint is down");
}

static void a_role_signs_and_is_assumed_with_what_there_is(void **state) {
    (void)state;
    begin((struct credentials_settings){.environment = VARIABLES, .role = ROLE});
    struct credentials_source *source = credentials_chain_source(&chain);
    assert_int_equal(ask(source, NULL, NULL), CREDENTIALS_PENDING);
    assert_int_equal(ask(signs_for_role, "VARIABLE", NULL), CREDENTIALS_READY);
    fake_provider_grant(&role, "ROLE", fake_clock.wall_ms + HOUR_MS);
    assert_int_equal(ask(source, "ROLE", NULL), CREDENTIALS_READY);
    assert_int_equal(ask(signs_for_role, "VARIABLE", NULL), CREDENTIALS_READY);
}

static void a_role_that_cannot_be_assumed_is_not_replaced_by_what_there_is(void **state) {
    (void)state;
    struct error err = {0};
    begin((struct credentials_settings){.environment = VARIABLES, .role = ROLE});
    struct credentials_source *source = credentials_chain_source(&chain);
    assert_int_equal(ask(source, NULL, NULL), CREDENTIALS_PENDING);
    fake_provider_fail(&role, ERR_REFUSED, "no");
    assert_int_equal(ask(source, NULL, &err), CREDENTIALS_NONE);
    assert_int_equal(err.code, ERR_REFUSED);
}

static void interrupted_whatever_is_being_fetched_is_fetched_anew(void **state) {
    (void)state;
    begin((struct credentials_settings){.container = ENDPOINT, .role = ROLE});
    struct credentials_source *source = credentials_chain_source(&chain);
    assert_int_equal(ask(source, NULL, NULL), CREDENTIALS_PENDING);
    assert_int_equal(ask(signs_for_role, NULL, NULL), CREDENTIALS_PENDING);
    credentials_chain_interrupt(&chain);
    assert_int_equal(container.cancels, 1);
    assert_int_equal(role.cancels, 1);
    assert_int_equal(ask(source, NULL, NULL), CREDENTIALS_PENDING);
    assert_int_equal(role.fetches, 2);
}

#define TEST(name) cmocka_unit_test_teardown(name, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(without_an_endpoint_the_variables_sign),
        TEST(the_endpoint_goes_before_the_variables),
        TEST(the_variables_are_better_than_nothing),
        TEST(what_is_wrong_with_the_endpoint_is_told_when_there_is_nothing_else),
        TEST(a_role_signs_and_is_assumed_with_what_there_is),
        TEST(a_role_that_cannot_be_assumed_is_not_replaced_by_what_there_is),
        TEST(interrupted_whatever_is_being_fetched_is_fetched_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
