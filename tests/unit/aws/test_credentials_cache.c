// SPDX-License-Identifier: MIT
#include "aws/credentials_cache.h"

#include "../fake_clock.h"
#include "fake_provider.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MINUTE_MS = 60 * 1000, HOUR_MS = 60 * MINUTE_MS };

struct sleeper {
    struct credentials_waiter waiter; /* first */
    int woken;
    int turn; /* among all that were woken */
};

static struct fake_provider provider;
static struct fake_clock fake_clock;
static struct credentials_cache cache;

static int turns;

static void wake(struct credentials_waiter *waiter) {
    struct sleeper *sleeper = (struct sleeper *)waiter;
    sleeper->woken++;
    sleeper->turn = ++turns;
}

static int set_up(void **state) {
    (void)state;
    provider = fake_provider_of_none();
    fake_clock = fake_clock_at(1000, 1773500966000);
    credentials_cache_init(&cache, &provider.provider, &fake_clock.clock);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    credentials_cache_done(&cache);
    credentials_cache_done(&cache);
    return 0;
}

static void grant(const char *id, int64_t lifetime_ms) {
    bool for_ever = lifetime_ms == INT64_MAX;
    fake_provider_grant(&provider, id, for_ever ? INT64_MAX : fake_clock.wall_ms + lifetime_ms);
}

static void fail_with(enum error_code code, const char *why) {
    fake_provider_fail(&provider, code, why);
}

static enum credentials_answer ask(struct sleeper *sleeper, const char *expected_id) {
    struct credentials got = {0};
    struct error err = {0};
    enum credentials_answer answer =
        credentials_current(&cache.source, &got, sleeper == NULL ? NULL : &sleeper->waiter, &err);
    if (answer == CREDENTIALS_READY) {
        assert_non_null(expected_id);
        assert_true(span_equals(got.access_key_id, span_of_text(expected_id)));
        assert_true(span_equals(got.secret_access_key, SPAN("secret")));
        assert_true(span_equals(got.session_token, SPAN("token")));
    }
    return answer;
}

static void fetches_nothing_before_somebody_asks_and_wakes_all_who_wait(void **state) {
    (void)state;
    struct sleeper sleepers[3] = {
        {.waiter.wake = wake}, {.waiter.wake = wake}, {.waiter.wake = wake}};
    assert_int_equal(provider.fetches, 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ask(&sleepers[i], NULL), CREDENTIALS_PENDING);
        assert_int_equal(ask(&sleepers[i], NULL), CREDENTIALS_PENDING);
    }
    credentials_stop_waiting(&sleepers[1].waiter);
    grant("ONE", HOUR_MS);
    assert_int_equal(provider.fetches, 1);
    assert_int_equal(sleepers[0].woken, 1);
    assert_int_equal(sleepers[1].woken, 0);
    assert_int_equal(sleepers[2].woken, 1);
    assert_true(sleepers[0].turn < sleepers[2].turn);
    assert_int_equal(ask(NULL, "ONE"), CREDENTIALS_READY);
}

static void is_refreshed_ahead_of_the_expiry_while_the_old_ones_are_used(void **state) {
    (void)state;
    (void)ask(NULL, NULL);
    grant("ONE", HOUR_MS);
    fake_clock_pass(&fake_clock, HOUR_MS - CREDENTIALS_REFRESH_AHEAD_MS - 1);
    assert_int_equal(ask(NULL, "ONE"), CREDENTIALS_READY);
    assert_int_equal(provider.fetches, 1);
    fake_clock_pass(&fake_clock, 1);
    assert_int_equal(ask(NULL, "ONE"), CREDENTIALS_READY);
    assert_int_equal(provider.fetches, 2);
    fail_with(ERR_UNAVAILABLE, "down"); /* which is tolerated */
    fake_clock_pass(&fake_clock, CREDENTIALS_RETRY_MS);
    assert_int_equal(ask(NULL, "ONE"), CREDENTIALS_READY);
    assert_int_equal(provider.fetches, 3);
    grant("TWO", HOUR_MS);
    assert_int_equal(ask(NULL, "TWO"), CREDENTIALS_READY);
}

static void short_lived_ones_are_not_fetched_for_each_use(void **state) {
    (void)state;
    (void)ask(NULL, NULL);
    grant("ONE", MINUTE_MS);
    fake_clock_pass(&fake_clock, MINUTE_MS / 2 - 1);
    assert_int_equal(ask(NULL, "ONE"), CREDENTIALS_READY);
    assert_int_equal(provider.fetches, 1);
    fake_clock_pass(&fake_clock, 1);
    assert_int_equal(ask(NULL, "ONE"), CREDENTIALS_READY);
    assert_int_equal(provider.fetches, 2);
}

static void expired_ones_are_not_used_also_when_only_the_wall_clock_moved(void **state) {
    (void)state;
    (void)ask(NULL, NULL);
    grant("ONE", HOUR_MS);
    fake_clock.wall_ms += HOUR_MS; /* a snapshot that was restored */
    assert_int_equal(ask(NULL, NULL), CREDENTIALS_PENDING);
    fail_with(ERR_UNAVAILABLE, "down");
    assert_int_equal(ask(NULL, NULL), CREDENTIALS_NONE);
}

static void without_an_expiry_they_are_used_until_a_service_refuses_them(void **state) {
    (void)state;
    (void)ask(NULL, NULL);
    grant("ONE", INT64_MAX);
    fake_clock_pass(&fake_clock, 1000 * (int64_t)HOUR_MS);
    assert_int_equal(ask(NULL, "ONE"), CREDENTIALS_READY);
    credentials_renew(&cache.source);
    assert_int_equal(ask(NULL, NULL), CREDENTIALS_PENDING);
    grant("TWO", HOUR_MS);
    credentials_renew(&cache.source); /* a late answer to what the old ones signed */
    assert_int_equal(ask(NULL, "TWO"), CREDENTIALS_READY);
    fake_clock_pass(&fake_clock, CREDENTIALS_RENEW_AGAIN_MS);
    credentials_renew(&cache.source);
    assert_int_equal(ask(NULL, NULL), CREDENTIALS_PENDING);
}

static void a_failure_is_told_and_the_next_try_waits_longer_each_time(void **state) {
    (void)state;
    int64_t longest_ms = CREDENTIALS_RETRY_MS;
    for (int i = 0; i < 12; i++) {
        struct sleeper sleeper = {.waiter.wake = wake};
        assert_int_equal(ask(&sleeper, NULL), CREDENTIALS_PENDING);
        fail_with(ERR_REFUSED, "the role is not yours");
        assert_int_equal(sleeper.woken, 1);
        struct error err = {0};
        struct credentials got = {0};
        assert_int_equal(credentials_current(&cache.source, &got, NULL, &err), CREDENTIALS_NONE);
        assert_int_equal(err.code, ERR_REFUSED);
        assert_string_equal(err.message, "the role is not yours");
        fake_clock_pass(&fake_clock, longest_ms / 2 - 1);
        assert_int_equal(ask(NULL, NULL), CREDENTIALS_NONE);
        fake_clock_pass(&fake_clock, longest_ms / 2 + 1);
        longest_ms = 2 * longest_ms < CREDENTIALS_RETRY_LONGEST_MS ? 2 * longest_ms
                                                                   : CREDENTIALS_RETRY_LONGEST_MS;
    }
}

static void what_is_expired_or_incomplete_when_it_comes_is_a_failure(void **state) {
    (void)state;
    (void)ask(NULL, NULL);
    grant("ONE", 0);
    assert_int_equal(ask(NULL, NULL), CREDENTIALS_NONE);
    fake_clock_pass(&fake_clock, CREDENTIALS_RETRY_LONGEST_MS);
    assert_int_equal(ask(NULL, NULL), CREDENTIALS_PENDING);
    grant("", HOUR_MS);
    assert_int_equal(ask(NULL, NULL), CREDENTIALS_NONE);
}

static void a_fetch_that_cannot_begin_is_a_failure(void **state) {
    (void)state;
    provider.refuses = true;
    assert_int_equal(ask(NULL, NULL), CREDENTIALS_NONE);
    assert_int_equal(ask(NULL, NULL), CREDENTIALS_NONE);
    assert_int_equal(provider.fetches, 1);
}

static void interrupted_it_fetches_anew_for_who_asks_again(void **state) {
    (void)state;
    struct sleeper sleeper = {.waiter.wake = wake};
    credentials_cache_interrupt(&cache);
    assert_int_equal(ask(&sleeper, NULL), CREDENTIALS_PENDING);
    credentials_cache_interrupt(&cache);
    assert_int_equal(provider.cancels, 1);
    assert_int_equal(sleeper.woken, 1);
    assert_int_equal(ask(&sleeper, NULL), CREDENTIALS_PENDING);
    assert_int_equal(provider.fetches, 2);
    grant("ONE", HOUR_MS);
    assert_int_equal(sleeper.woken, 2);
    credentials_cache_interrupt(&cache);
    assert_int_equal(ask(NULL, "ONE"), CREDENTIALS_READY);
}

static void the_end_cancels_what_runs(void **state) {
    (void)state;
    (void)ask(NULL, NULL);
    credentials_cache_done(&cache);
    assert_int_equal(provider.cancels, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(fetches_nothing_before_somebody_asks_and_wakes_all_who_wait),
        TEST(is_refreshed_ahead_of_the_expiry_while_the_old_ones_are_used),
        TEST(short_lived_ones_are_not_fetched_for_each_use),
        TEST(expired_ones_are_not_used_also_when_only_the_wall_clock_moved),
        TEST(without_an_expiry_they_are_used_until_a_service_refuses_them),
        TEST(a_failure_is_told_and_the_next_try_waits_longer_each_time),
        TEST(what_is_expired_or_incomplete_when_it_comes_is_a_failure),
        TEST(a_fetch_that_cannot_begin_is_a_failure),
        TEST(interrupted_it_fetches_anew_for_who_asks_again),
        TEST(the_end_cancels_what_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
