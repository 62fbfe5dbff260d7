// SPDX-License-Identifier: MIT
/* credentials_role with a fake in the place of aws_call. Every program here is linked with the real
 * one, so the module is compiled into this one again, under names of its own. */
#define aws_call_start fake_aws_call_start
#define aws_call_cancel fake_aws_call_cancel
#define role_is_arn tested_role_is_arn
#define role_is_external_id tested_role_is_external_id
#define role_read_answer tested_role_read_answer
#define credentials_role_init tested_credentials_role_init
#define credentials_role_done tested_credentials_role_done
#include "../../../src/aws/credentials_role.c" // NOLINT(bugprone-suspicious-include)

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define ANSWER(inside)                                                                             \
    "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\n"                   \
    "<AssumeRoleResult><AssumedRoleUser><Arn>arn:x</Arn></AssumedRoleUser>\n"                      \
    "<Credentials>" inside "</Credentials></AssumeRoleResult>"                                     \
    "<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></AssumeRoleResponse>\n"

static void a_role_is_told_from_what_is_none(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool is_role;
    } cases[] = {
        {"arn:aws:iam::123456789012:role/logs", true},
        {"arn:aws-us-gov:iam::123456789012:role/a/path/logs_+=,.@-1", true},
        {"arn:aws:iam::123456789012:role/", false},
        {"arn:aws:iam::12345678901:role/logs", false},
        {"arn:aws:iam:eu-west-1:123456789012:role/logs", false},
        {"arn:aws:iam::123456789012:user/logs", false},
        {"arn:aws:sts::123456789012:role/logs", false},
        {"arn:aws:iam::123456789012:role/lo gs", false},
        {"logs", false},
        {"", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (role_is_arn(span_of_text(cases[i].text)) != cases[i].is_role) {
            fail_msg("%s", cases[i].text);
        }
    }
}

static void an_external_id_has_known_characters_and_lengths(void **state) {
    (void)state;
    char long_one[ROLE_EXTERNAL_ID_BYTES_MAX + 1];
    memset(long_one, 'x', sizeof long_one);
    assert_true(role_is_external_id(SPAN("a1_+=,.@:/-")));
    assert_true(role_is_external_id(span_of(long_one, sizeof long_one - 1)));
    assert_false(role_is_external_id(span_of(long_one, sizeof long_one)));
    assert_false(role_is_external_id(SPAN("a")));
    assert_false(role_is_external_id(SPAN("a b")));
    assert_false(role_is_external_id(span_of("a\0b", 3)));
}

static void an_answer_gives_credentials_and_their_expiry(void **state) {
    (void)state;
    CLEANUP(buf_done) struct buf text = buf_with_ceiling(CREDENTIALS_BYTES_MAX);
    struct credentials_grant grant = {0};
    assert_true(role_read_answer(
        SPAN(ANSWER("<SessionToken>\n  t/+==  \n</SessionToken><SecretAccessKey>s/+&amp;"
                    "</SecretAccessKey><Expiration>2026-03-14T15:09:26Z</Expiration>"
                    "<AccessKeyId>AKID</AccessKeyId>")),
        &grant, &text, NULL));
    assert_true(span_equals(grant.credentials.access_key_id, SPAN("AKID")));
    assert_true(span_equals(grant.credentials.secret_access_key, SPAN("s/+&")));
    assert_true(span_equals(grant.credentials.session_token, SPAN("t/+==")));
    assert_int_equal(grant.expires_wall_ms, 1773500966000);
}

static void an_answer_that_lacks_something_is_refused(void **state) {
    (void)state;
    static const char *const answers[] = {
        "",
        "{}",
        ANSWER(""),
        ANSWER("<AccessKeyId>AKID</AccessKeyId><SecretAccessKey>hush</SecretAccessKey>"
               "<SessionToken>t</SessionToken>"),
        ANSWER("<AccessKeyId>AKID</AccessKeyId><SecretAccessKey>hush</SecretAccessKey>"
               "<SessionToken>t</SessionToken><Expiration>tomorrow</Expiration>"),
        "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>AKID</AccessKeyId>",
    };
    for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
        CLEANUP(buf_done) struct buf text = buf_with_ceiling(CREDENTIALS_BYTES_MAX);
        struct credentials_grant grant;
        struct error err = {0};
        assert_false(role_read_answer(span_of_text(answers[i]), &grant, &text, &err));
        assert_int_equal(err.code, ERR_INVALID);
        assert_null(strstr(err.message, "hush"));
    }
}

/* ---- what is asked, and what comes of the answer ---- */

struct fixture {
    bool refuses;
    struct aws_request request;
    char body[8192];
    aws_done_fn done;
    void *context;
    int cancels;
    int renewals; /* of what signs */
    struct credentials_source source;
    struct credentials_role role;
    int grants;
    char id[64];
    struct error error;
};

static struct fixture f;

bool aws_call_start(struct aws_client *client, const struct aws_request *request,
                    struct aws_call *call, aws_done_fn done, void *context, struct error *err) {
    assert_ptr_equal(client, &f.role.client);
    assert_ptr_equal(call, &f.role.call);
    f.request = *request;
    (void)snprintf(f.body, sizeof f.body, "%.*s", SPAN_ARGS(request->body));
    f.done = done;
    f.context = context;
    return !f.refuses || error_set(err, ERR_INVALID, "AWS_ACCESS_KEY_ID is not set");
}

void aws_call_cancel(struct aws_call *call) {
    assert_ptr_equal(call, &f.role.call);
    f.cancels++;
}

static void renew(struct credentials_source *source) {
    assert_ptr_equal(source, &f.source);
    f.renewals++;
}

static void on_granted(void *context, const struct credentials_grant *grant,
                       const struct error *err) {
    assert_ptr_equal(context, &f);
    f.grants += grant != NULL;
    if (grant != NULL) {
        (void)snprintf(f.id, sizeof f.id, "%.*s", SPAN_ARGS(grant->credentials.access_key_id));
    } else {
        f.error = *err;
    }
}

static int set_up(void **state) {
    (void)state;
    memset(&f, 0, sizeof f);
    f.source.renew = renew;
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    credentials_role_done(&f.role);
    credentials_role_done(&f.role);
    return 0;
}

static bool fetch_as(struct role_settings settings, struct error *err) {
    struct credentials_provider *provider = &f.role.provider;
    credentials_role_done(&f.role);
    credentials_role_init(&f.role, &settings, &f.source, NULL, NULL);
    return provider->fetch(provider, on_granted, &f, err);
}

static const struct role_settings logs_role = {
    .arn = {"arn:aws:iam::123456789012:role/logs", 35},
    .session_name = {"orders", 6},
};

static void sts_is_asked_for_an_hour_with_everything_encoded(void **state) {
    (void)state;
    struct role_settings settings = logs_role;
    settings.external_id = SPAN("a:/+=,.@-_9");
    assert_true(fetch_as(settings, NULL));
    assert_string_equal(f.body, "Action=AssumeRole&Version=2011-06-15&DurationSeconds=3600"
                                "&RoleSessionName=orders"
                                "&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Flogs"
                                "&ExternalId=a%3A%2F%2B%3D%2C.%40-_9");
    assert_string_equal(f.request.content_type, "application/x-www-form-urlencoded; charset=utf-8");
    assert_null(f.request.target);
    assert_string_equal(f.role.client.service, "sts");
    assert_true(f.role.client.single_use);
    assert_true(f.request.time_limit_ms > 0);
}

static void the_longest_settings_have_room(void **state) {
    (void)state;
    static char arn[ROLE_ARN_BYTES_MAX];
    static char external_id[ROLE_EXTERNAL_ID_BYTES_MAX];
    memset(arn, '/', sizeof arn);
    memset(external_id, '/', sizeof external_id);
    assert_true(fetch_as(
        (struct role_settings){
            .arn = span_of(arn, sizeof arn),
            .external_id = span_of(external_id, sizeof external_id),
            .session_name = span_of(arn, sizeof arn),
        },
        NULL));
}

static void a_session_is_named_in_characters_and_lengths_that_sts_takes(void **state) {
    (void)state;
    static const struct {
        const char *wanted, *sent;
    } cases[] = {
        {"", "=kinesis-stream-logs-extension&"},
        {"f", "=kinesis-stream-logs-extension&"},
        {"my_function-1", "=my_function-1&"},
        {"a b\xc3\xa9", "=a-b--&"},
        {"a234567890123456789012345678901234567890123456789012345678901234-not-this",
         "=a234567890123456789012345678901234567890123456789012345678901234&"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct role_settings settings = logs_role;
        settings.session_name = span_of_text(cases[i].wanted);
        assert_true(fetch_as(settings, NULL));
        if (strstr(f.body, cases[i].sent) == NULL) {
            fail_msg("%s: %s", cases[i].wanted, f.body);
        }
    }
}

static void answer_with(struct aws_answer answer) {
    assert_true(fetch_as(logs_role, NULL));
    f.done(f.context, &answer);
}

static void what_sts_gives_is_handed_on(void **state) {
    (void)state;
    answer_with((struct aws_answer){
        .verdict = AWS_OK,
        .status = 200,
        .was_sent = true,
        .body = SPAN(ANSWER("<AccessKeyId>AKID</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
                            "<SessionToken>t</SessionToken>"
                            "<Expiration>2026-03-14T15:09:26Z</Expiration>")),
    });
    assert_int_equal(f.grants, 1);
    assert_string_equal(f.id, "AKID");
}

static void why_there_is_nothing_is_said_in_clear_text(void **state) {
    (void)state;
    static const struct {
        struct aws_answer answer;
        enum error_code code;
        const char *said;
    } cases[] = {
        {{.verdict = AWS_MISCONFIGURED,
          .status = 403,
          .was_sent = true,
          .error_code = "AccessDenied",
          .error_message = "User: me is not authorized"},
         ERR_REFUSED,
         "EXTENSION_LOG_ROLE_ARN cannot be assumed: HTTP status 403 AccessDenied: "
         "User: me is not authorized"},
        {{.verdict = AWS_REFUSED, .status = 400, .was_sent = true, .error_code = "ValidationError"},
         ERR_REFUSED,
         "HTTP status 400 ValidationError"},
        {{.verdict = AWS_THROTTLED, .status = 400, .was_sent = true, .error_code = "Throttling"},
         ERR_UNAVAILABLE,
         "HTTP status 400 Throttling"},
        {{.verdict = AWS_TRANSIENT, .was_sent = true, .error_message = "connection refused"},
         ERR_UNAVAILABLE,
         "no answer from STS: connection refused"},
        {{.verdict = AWS_MISCONFIGURED, .error_message = "AWS_ACCESS_KEY_ID is not set"},
         ERR_REFUSED,
         "AWS_ACCESS_KEY_ID is not set"},
        {{.verdict = AWS_OK, .status = 200, .was_sent = true, .body = {"{}", 2}},
         ERR_INVALID,
         "not the XML"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        answer_with(cases[i].answer);
        assert_int_equal(f.error.code, cases[i].code);
        if (strstr(f.error.message, cases[i].said) == NULL) {
            fail_msg("%s: %s", cases[i].said, f.error.message);
        }
    }
    assert_int_equal(f.grants, 0);
}

static void what_signs_is_renewed_when_sts_says_that_it_has_expired(void **state) {
    (void)state;
    answer_with((struct aws_answer){
        .verdict = AWS_CREDENTIALS, .status = 403, .was_sent = true, .error_code = "ExpiredToken"});
    assert_int_equal(f.renewals, 1);
    assert_int_equal(f.error.code, ERR_UNAVAILABLE);
}

static void a_fetch_that_cannot_begin_says_why_and_one_that_runs_can_be_cancelled(void **state) {
    (void)state;
    struct error err = {0};
    f.refuses = true;
    assert_false(fetch_as(logs_role, &err));
    assert_string_equal(err.message, "AWS_ACCESS_KEY_ID is not set");
    f.refuses = false;
    assert_true(fetch_as(logs_role, NULL));
    f.role.provider.cancel(&f.role.provider);
    assert_int_equal(f.cancels, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_role_is_told_from_what_is_none),
        cmocka_unit_test(an_external_id_has_known_characters_and_lengths),
        cmocka_unit_test(an_answer_gives_credentials_and_their_expiry),
        cmocka_unit_test(an_answer_that_lacks_something_is_refused),
        TEST(sts_is_asked_for_an_hour_with_everything_encoded),
        TEST(the_longest_settings_have_room),
        TEST(a_session_is_named_in_characters_and_lengths_that_sts_takes),
        TEST(what_sts_gives_is_handed_on),
        TEST(why_there_is_nothing_is_said_in_clear_text),
        TEST(what_signs_is_renewed_when_sts_says_that_it_has_expired),
        TEST(a_fetch_that_cannot_begin_says_why_and_one_that_runs_can_be_cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
