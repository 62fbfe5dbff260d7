// SPDX-License-Identifier: MIT
#include "aws/aws_error.h"

#include "vector_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- every error that Kinesis is known to answer with ---- */

/* "permanent" in the file is two things to us: what an administrator may mend, and what will never
 * be taken. */
static enum aws_verdict permanent_verdict(const char *code) {
    static const char *const refused[] = {"InvalidArgumentException", "ValidationException",
                                          "SerializationException"};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        if (strcmp(code, refused[i]) == 0) {
            return AWS_REFUSED;
        }
    }
    return AWS_MISCONFIGURED;
}

static enum aws_verdict expected_verdict(const char *class, const char *code) {
    static const struct {
        const char *prefix;
        enum aws_verdict verdict;
    } classes[] = {
        {"throttling", AWS_THROTTLED},
        {"transient", AWS_TRANSIENT},
        {"refresh credentials", AWS_CREDENTIALS},
        {"clock skew", AWS_CLOCK_SKEW},
        {"split and retry", AWS_TOO_LARGE},
    };
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        if (strncmp(class, classes[i].prefix, strlen(classes[i].prefix)) == 0) {
            return classes[i].verdict;
        }
    }
    assert_string_equal(class, "permanent");
    return permanent_verdict(code);
}

static void assert_verdict(const cJSON *test_case, const struct aws_error *error) {
    const char *code = vector_text(test_case, "type");
    int status = cJSON_GetObjectItem(test_case, "status")->valueint;
    enum aws_verdict verdict =
        aws_classify(status, span_of_text(error->code), span_of_text(error->message));
    assert_string_equal(error->code, code);
    if (verdict != expected_verdict(vector_text(test_case, "cls"), code)) {
        fail_msg("%d %s was taken for %d", status, code, (int)verdict);
    }
}

static void every_answer_of_kinesis_is_of_its_class(void **state) {
    (void)state;
    cJSON *file = read_vector_json("tests/data/kinesis-api/errors.json");
    int count = 0;
    const cJSON *test_case = NULL;
    cJSON_ArrayForEach(test_case, cJSON_GetObjectItem(file, "cases")) {
        struct aws_error error;
        aws_error_read(span_of_text(vector_text(test_case, "body")), AWS_JSON, SPAN(""), &error);
        assert_verdict(test_case, &error);
        count++;
    }
    cJSON_Delete(file);
    assert_int_equal(count, 30);
}

static void every_way_to_write_a_code_means_the_same(void **state) {
    (void)state;
    cJSON *file = read_vector_json("tests/data/kinesis-api/errors.json");
    int count = 0;
    const cJSON *variant = NULL;
    cJSON_ArrayForEach(variant, cJSON_GetObjectItem(file, "type_variants")) {
        struct aws_error error;
        aws_error_read(SPAN("<html>"), AWS_JSON, span_of_text(variant->valuestring), &error);
        assert_string_equal(error.code, "ProvisionedThroughputExceededException");
        count++;
    }
    cJSON_Delete(file);
    assert_int_equal(count, 3);
}

/* ---- classes beyond that file ---- */

static void a_code_counts_more_than_the_status(void **state) {
    (void)state;
    static const struct {
        int status;
        const char *code;
        enum aws_verdict verdict;
    } cases[] = {
        {200, "", AWS_OK},
        {200, "InternalFailure", AWS_TRANSIENT},
        {200, "ProvisionedThroughputExceededException", AWS_THROTTLED},
        {200, "NeverHeardOfException", AWS_TRANSIENT},
        {500, "AccessDeniedException", AWS_MISCONFIGURED},
        {503, "SlowDown", AWS_THROTTLED},
        {400, "NeverHeardOfException", AWS_MISCONFIGURED},
        {500, "NeverHeardOfException", AWS_TRANSIENT},
        {429, "NeverHeardOfException", AWS_THROTTLED},
        {413, "", AWS_TOO_LARGE},
        {408, "", AWS_TRANSIENT},
        {403, "", AWS_MISCONFIGURED},
        {404, "", AWS_MISCONFIGURED},
        {301, "", AWS_MISCONFIGURED},
        {599, "", AWS_TRANSIENT},
        {0, "", AWS_TRANSIENT},
        {400, "RequestAbortedException", AWS_TRANSIENT},
        {400, "UnknownOperationException", AWS_REFUSED},
        {400, "MalformedHttpRequestException", AWS_REFUSED},
        {400, "ValidationError", AWS_REFUSED},
        {403, "NotAuthorized", AWS_MISCONFIGURED},
        {403, "OptInRequired", AWS_MISCONFIGURED},
        {403, "RequestTimeTooSkewed", AWS_CLOCK_SKEW},
        {400, "throttlingexception", AWS_MISCONFIGURED}, /* codes have a case */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum aws_verdict verdict =
            aws_classify(cases[i].status, span_of_text(cases[i].code), SPAN(""));
        if (verdict != cases[i].verdict) {
            fail_msg("%d %s was taken for %d", cases[i].status, cases[i].code, (int)verdict);
        }
    }
}

static void a_bad_signature_is_one_of_time_or_of_secret(void **state) {
    (void)state;
    static const struct {
        const char *code;
        const char *message;
        enum aws_verdict verdict;
    } cases[] = {
        {"InvalidSignatureException",
         "Signature expired: 20260314T150926Z is now earlier than 20260314T152000Z",
         AWS_CLOCK_SKEW},
        {"InvalidSignatureException",
         "Signature not yet current: 20260314T163026Z is still later than 20260314T152500Z",
         AWS_CLOCK_SKEW},
        {"SignatureDoesNotMatch", "Signature expired: 20260314T150926Z", AWS_CLOCK_SKEW},
        {"InvalidSignatureException",
         "The request signature we calculated does not match the signature you provided.",
         AWS_CREDENTIALS},
        {"InvalidSignatureException", "", AWS_CREDENTIALS},
        {"ExpiredTokenException", "The security token included in the request is expired",
         AWS_CREDENTIALS},
        {"AccessDeniedException", "Signature expired", AWS_MISCONFIGURED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(
            aws_classify(403, span_of_text(cases[i].code), span_of_text(cases[i].message)),
            cases[i].verdict);
    }
}

/* ---- reading ---- */

static void reads_code_and_message_wherever_they_are(void **state) {
    (void)state;
    static const struct {
        const char *body;
        const char *header;
        const char *code;
        const char *message;
    } cases[] = {
        {"{\"__type\":\"A\",\"message\":\"m\"}", "B", "A", "m"},
        {"{\"__type\":\"x.y#A\",\"Message\":\"m\"}", "", "A", "m"},
        {"{\"message\":\"m\"}", "B:http://internal/", "B", "m"},
        {"{\"Message\":\"m\"}", "", "", "m"},
        {"", "B", "B", ""},
        {"<html>", "", "", ""},
        {"<ErrorResponse xmlns=\"u\">\n<Error><Type>Sender</Type><Code>A</Code>"
         "<Message>m &lt;1&gt;</Message></Error><RequestId>1</RequestId></ErrorResponse>",
         "B", "A", "m <1>"},
        {" <ErrorResponse><Errors><Error><Code>A</Code><Message>m</Message></Error></Errors>"
         "</ErrorResponse>",
         "", "A", "m"},
        {"<ErrorResponse><Error><Code/></Error></ErrorResponse>", "B", "B", ""},
        {"{\"__type\":7,\"message\":[]}", "", "", ""},
        {"[\"__type\"]", "", "", ""},
        {"null", "B", "B", ""},
        {"{\"__type\":\"A\"", "", "", ""}, /* cut off */
        {"{\"__type\":\"A\xC3\xA4\\u0000B\",\"message\":\"tab\\there\"}", "", "A", "tab"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct aws_error error;
        aws_error_read(span_of_text(cases[i].body), AWS_JSON, span_of_text(cases[i].header),
                       &error);
        assert_string_equal(error.code, cases[i].code);
        assert_string_equal(error.message, cases[i].message);
    }
}

static void a_message_never_shows_the_canonical_request_behind_it(void **state) {
    (void)state;
    struct aws_error error;
    aws_error_read(SPAN("{\"__type\":\"InvalidSignatureException\",\"message\":\"The request "
                        "signature we calculated does not match.\\n\\nThe Canonical String for "
                        "this request should have been\\n'POST\\n/\\n\\n"
                        "x-amz-security-token:s3cr3t\"}"),
                   AWS_JSON, SPAN(""), &error);
    assert_string_equal(error.message, "The request signature we calculated does not match.");
}

#define BYTES(literal) ((struct span){literal, sizeof(literal) - 1})
#define TYPE                                                                                       \
    "\x66"                                                                                         \
    "__type"

static void an_error_in_cbor_is_read_like_one_in_json(void **state) {
    (void)state;
    static const struct {
        struct span body;
        const char *code, *message;
    } cases[] = {
        {BYTES("\xa2" TYPE "\x78\x19ResourceNotFoundExceptiongmessageewords"),
         "ResourceNotFoundException", "words"},
        {BYTES("\xbfgMessage\x7f"
               "bwocrds\xff" TYPE "ca#b\xff"),
         "b", "words"},
        {BYTES("\xa3" TYPE "aXgmessageaogMessageawb"), "X", "o"},
        {BYTES("\xa2qmessage_of_no_usee12345" TYPE "\xf6"), "Header", ""},
        {BYTES("\xa2" TYPE "aX"), "Header", ""},
        {BYTES("\xa1" TYPE "eX"), "Header", ""},
        {BYTES("{\"__type\":\"X\"}"), "Header", ""},
        {BYTES(""), "Header", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct aws_error error;
        aws_error_read(cases[i].body, AWS_CBOR, SPAN("Header"), &error);
        assert_string_equal(error.code, cases[i].code);
        assert_string_equal(error.message, cases[i].message);
    }
}

static void long_texts_are_cut(void **state) {
    (void)state;
    char body[2048];
    (void)snprintf(body, sizeof body, "{\"__type\":\"%0*d\",\"message\":\"%0*d\"}", 500, 1, 900, 1);
    struct aws_error error;
    aws_error_read(span_of_text(body), AWS_JSON, SPAN(""), &error);
    assert_int_equal(strlen(error.code), AWS_ERROR_CODE_BYTES - 1);
    assert_int_equal(strlen(error.message), AWS_ERROR_MESSAGE_BYTES - 1);
}

static void finds_the_bare_code(void **state) {
    (void)state;
    static const struct {
        const char *type;
        const char *code;
    } cases[] = {
        {"A", "A"},   {"p.q#A", "A"}, {"A:http://x/#y", "A"}, {"p#A:http://x", "A"},
        {" A ", "A"}, {"", ""},       {"A#", "A#"},           {":x", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(span_equals(aws_bare_error_code(span_of_text(cases[i].type)),
                                span_of_text(cases[i].code)));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_answer_of_kinesis_is_of_its_class),
        cmocka_unit_test(every_way_to_write_a_code_means_the_same),
        cmocka_unit_test(a_code_counts_more_than_the_status),
        cmocka_unit_test(a_bad_signature_is_one_of_time_or_of_secret),
        cmocka_unit_test(reads_code_and_message_wherever_they_are),
        cmocka_unit_test(a_message_never_shows_the_canonical_request_behind_it),
        cmocka_unit_test(an_error_in_cbor_is_read_like_one_in_json),
        cmocka_unit_test(long_texts_are_cut),
        cmocka_unit_test(finds_the_bare_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
