// SPDX-License-Identifier: MIT
/* caller_identity with a fake in the place of aws_call. Every program here is linked with the real
 * one, so the module is compiled into this one again, under names of its own. */
#define aws_call_start fake_aws_call_start
#define aws_call_cancel fake_aws_call_cancel
#define caller_identity_ask tested_caller_identity_ask
#define caller_identity_cancel tested_caller_identity_cancel
#include "../../../src/aws/caller_identity.c" // NOLINT(bugprone-suspicious-include)

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct {
    bool refuses;
    struct aws_request request;
    aws_done_fn done;
    void *context;
    int cancels;
    int answers;
    char arn[128];
    struct error error;
} f;

bool aws_call_start(struct aws_client *client, const struct aws_request *request,
                    struct aws_call *call, aws_done_fn done, void *context, struct error *err) {
    (void)client;
    (void)call;
    f.request = *request;
    f.done = done;
    f.context = context;
    return !f.refuses || error_set(err, ERR_INVALID, "AWS_ACCESS_KEY_ID is not set");
}

void aws_call_cancel(struct aws_call *call) {
    (void)call;
    f.cancels++;
}

static void on_identity(void *context, struct span arn, const struct error *err) {
    assert_ptr_equal(context, &f);
    f.answers++;
    f.error = *err;
    (void)snprintf(f.arn, sizeof f.arn, "%.*s", SPAN_ARGS(arn));
}

static void answer_with(struct aws_answer answer) {
    struct caller_identity identity;
    f.answers = 0;
    assert_true(caller_identity_ask(&identity, NULL, on_identity, &f, NULL));
    f.done(f.context, &answer);
    assert_int_equal(f.answers, 1);
}

static int set_up(void **state) {
    (void)state;
    memset(&f, 0, sizeof f);
    return 0;
}

static void the_arn_in_the_answer_is_told(void **state) {
    (void)state;
    answer_with((struct aws_answer){
        .verdict = AWS_OK,
        .status = 200,
        .was_sent = true,
        .body = SPAN("<GetCallerIdentityResponse><GetCallerIdentityResult>"
                     "<Arn>arn:aws:sts::123456789012:assumed-role/orders/orders</Arn>"
                     "<UserId>AROA:orders</UserId><Account>123456789012</Account>"
                     "</GetCallerIdentityResult></GetCallerIdentityResponse>"),
    });
    assert_string_equal(f.arn, "arn:aws:sts::123456789012:assumed-role/orders/orders");
    assert_true(span_equals(f.request.body, SPAN("Action=GetCallerIdentity&Version=2011-06-15")));
}

static void why_it_was_not_learnt_is_told(void **state) {
    (void)state;
    static const struct {
        struct aws_answer answer;
        enum error_code code;
        const char *said;
    } cases[] = {
        {{.verdict = AWS_CREDENTIALS,
          .status = 403,
          .was_sent = true,
          .error_code = "InvalidClientTokenId",
          .error_message = "The security token is invalid"},
         ERR_REFUSED,
         "HTTP status 403 InvalidClientTokenId: The security token is invalid"},
        {{.verdict = AWS_TRANSIENT, .was_sent = true, .error_message = "connection refused"},
         ERR_UNAVAILABLE,
         "no answer from STS: connection refused"},
        {{.verdict = AWS_MISCONFIGURED, .error_message = "AWS_ACCESS_KEY_ID is not set"},
         ERR_INVALID,
         "AWS_ACCESS_KEY_ID is not set"},
        {{.verdict = AWS_THROTTLED, .status = 400, .was_sent = true, .error_code = "Throttling"},
         ERR_UNAVAILABLE,
         "HTTP status 400 Throttling"},
        {{.verdict = AWS_TRANSIENT, .status = 503, .was_sent = true},
         ERR_UNAVAILABLE,
         "HTTP status 503"},
        {{.verdict = AWS_OK, .status = 200, .was_sent = true, .body = {"{}", 2}},
         ERR_UNAVAILABLE,
         "not the XML"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        answer_with(cases[i].answer);
        assert_string_equal(f.arn, "");
        assert_int_equal(f.error.code, cases[i].code);
        if (strstr(f.error.message, cases[i].said) == NULL) {
            fail_msg("%s: %s", cases[i].said, f.error.message);
        }
    }
}

static void a_question_that_cannot_begin_says_why_and_one_that_runs_can_be_cancelled(void **state) {
    (void)state;
    struct caller_identity identity;
    struct error err = {0};
    f.refuses = true;
    assert_false(caller_identity_ask(&identity, NULL, on_identity, &f, &err));
    assert_string_equal(err.message, "AWS_ACCESS_KEY_ID is not set");
    f.refuses = false;
    assert_true(caller_identity_ask(&identity, NULL, on_identity, &f, NULL));
    caller_identity_cancel(&identity);
    assert_int_equal(f.cancels, 1);
    assert_int_equal(f.answers, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_arn_in_the_answer_is_told, set_up),
        cmocka_unit_test_setup(why_it_was_not_learnt_is_told, set_up),
        cmocka_unit_test_setup(
            a_question_that_cannot_begin_says_why_and_one_that_runs_can_be_cancelled, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
