// SPDX-License-Identifier: MIT
/* The pure parts of the Kinesis destination: answers in JSON (and that CBOR means the same), names
 * and ARNs. */
#include "../guarded.h"
#include "../test_data.h"
#include "destinations/kinesis.h"
#include "destinations/kinesis_answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define OK(number) "{\"SequenceNumber\":\"" number "\",\"ShardId\":\"shardId-000000000000\"}"
#define FAILED(code) "{\"ErrorCode\":\"" code "\",\"ErrorMessage\":\"words\"}"
#define ANSWER(records) "{\"FailedRecordCount\":0,\"Records\":[" records "]}"

static enum record_fate fates[KINESIS_RECORDS_MAX];
static enum retry_pace pace;
static char reason[DELIVERY_REASON_BYTES];

static bool read_answer(struct span body, size_t count) {
    struct guarded guarded = guarded_copy(body);
    bool good = kinesis_read_answer(guarded.text, AWS_JSON, count, fates, &pace, reason, NULL);
    guarded_done(&guarded);
    return good;
}

static bool read_file(const char *name, size_t count) {
    struct buf body = read_data_file("tests/data/kinesis-api/", name);
    bool good = read_answer(buf_span(&body), count);
    buf_done(&body);
    return good;
}

static void a_good_answer_delivers_every_record(void **state) {
    (void)state;
    assert_true(read_file("putrecords-200-ok.json", 2));
    assert_int_equal(fates[0], RECORD_DELIVERED);
    assert_int_equal(fates[1], RECORD_DELIVERED);
    assert_string_equal(reason, "");
}

static void only_the_records_with_an_error_are_to_be_sent_again(void **state) {
    (void)state;
    assert_true(read_file("putrecords-200-partial.json", 3));
    assert_int_equal(fates[0], RECORD_DELIVERED);
    assert_int_equal(fates[1], RECORD_RETRY);
    assert_int_equal(fates[2], RECORD_RETRY);
    assert_int_equal(pace, PACE_THROTTLED);
    assert_string_equal(reason, "2 of 3 records failed, the last with InternalFailure: Internal "
                                "service failure.");
}

static void all_records_of_an_answer_may_fail(void **state) {
    (void)state;
    assert_true(read_file("putrecords-200-all-failed.json", 2));
    assert_int_equal(fates[0], RECORD_RETRY);
    assert_int_equal(fates[1], RECORD_RETRY);
    assert_int_equal(pace, PACE_THROTTLED);
    assert_non_null(strstr(reason, "Rate exceeded for shard"));
}

static void each_error_code_has_its_fate_and_pace(void **state) {
    (void)state;
    static const struct {
        const char *body;
        enum record_fate fate;
        enum retry_pace pace;
    } cases[] = {
        {ANSWER(FAILED("ProvisionedThroughputExceededException")), RECORD_RETRY, PACE_THROTTLED},
        {ANSWER(FAILED("KMSThrottlingException")), RECORD_RETRY, PACE_THROTTLED},
        {ANSWER(FAILED("InternalFailure")), RECORD_RETRY, PACE_TRANSIENT},
        {ANSWER(FAILED("ServiceUnavailable")), RECORD_RETRY, PACE_TRANSIENT},
        {ANSWER(FAILED("KMSDisabledException")), RECORD_RETRY, PACE_MISCONFIGURED},
        {ANSWER(FAILED("AccessDeniedException")), RECORD_RETRY, PACE_MISCONFIGURED},
        {ANSWER(FAILED("SomethingNew")), RECORD_RETRY, PACE_MISCONFIGURED},
        {ANSWER(FAILED("ValidationException")), RECORD_NEVER, PACE_TRANSIENT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(read_answer(span_of_text(cases[i].body), 1));
        assert_int_equal(fates[0], cases[i].fate);
        assert_int_equal(pace, cases[i].pace);
        assert_non_null(strstr(reason, "1 of 1 records failed"));
    }
}

static void the_slowest_pace_that_any_record_asks_for_counts(void **state) {
    (void)state;
    assert_true(read_answer(SPAN(ANSWER(FAILED("ProvisionedThroughputExceededException") "," FAILED(
                                "KMSDisabledException") "," FAILED("InternalFailure"))),
                            3));
    assert_int_equal(pace, PACE_THROTTLED);
    assert_true(read_answer(SPAN(ANSWER(FAILED("InternalFailure") "," FAILED(
                                "KMSDisabledException") "," FAILED("InternalFailure"))),
                            3));
    assert_int_equal(pace, PACE_MISCONFIGURED);
}

static void the_count_of_failures_is_not_believed(void **state) {
    (void)state;
    assert_true(read_answer(
        SPAN("{\"FailedRecordCount\":0,\"Records\":[" OK("1") "," FAILED("InternalFailure") "]}"),
        2));
    assert_int_equal(fates[0], RECORD_DELIVERED);
    assert_int_equal(fates[1], RECORD_RETRY);
    assert_true(read_answer(SPAN("{\"FailedRecordCount\":-7,\"Records\":[" OK("1") "]}"), 1));
    assert_int_equal(fates[0], RECORD_DELIVERED);
    assert_true(read_answer(SPAN("{\"FailedRecordCount\":\"all\",\"Records\":[" OK("1") "]}"), 1));
    assert_int_equal(fates[0], RECORD_DELIVERED);
}

static void a_record_with_a_number_and_an_error_has_failed(void **state) {
    (void)state;
    assert_true(read_answer(
        SPAN(ANSWER("{\"SequenceNumber\":\"1\",\"ErrorCode\":\"InternalFailure\"}")), 1));
    assert_int_equal(fates[0], RECORD_RETRY);
    assert_true(read_answer(SPAN(ANSWER("{\"SequenceNumber\":\"1\",\"ErrorCode\":null}")), 1));
    assert_int_equal(fates[0], RECORD_DELIVERED);
}

static void what_does_not_tell_of_each_record_is_no_answer(void **state) {
    (void)state;
    static const char *const bodies[] = {
        "",
        " ",
        "not JSON",
        "{",
        "null",
        "[]",
        "\"Records\"",
        "{}",
        "{\"records\":[" OK("1") "," OK("2") "]}",
        "{\"Records\":null}",
        "{\"Records\":{}}",
        "{\"Records\":\"two\"}",
        ANSWER(""),
        ANSWER(OK("1")),
        ANSWER(OK("1") "," OK("2") "," OK("3")),
        ANSWER(OK("1") ",null"),
        ANSWER(OK("1") ",{}"),
        ANSWER(OK("1") ",[]"),
        ANSWER(OK("1") ",\"2\""),
        ANSWER(OK("1") ",{\"SequenceNumber\":2}"),
        ANSWER(OK("1") ",{\"SequenceNumber\":\"\"}"),
        ANSWER(OK("1") ",{\"ErrorCode\":\"\"}"),
        ANSWER(OK("1") ",{\"ErrorCode\":5}"),
        ANSWER(OK("1") ",{\"ErrorMessage\":\"words\"}"),
        "{\"Records\":[" OK("1") "," OK("2"),
    };
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct error err = {0};
        assert_false(read_answer(span_of_text(bodies[i]), 2));
        assert_false(
            kinesis_read_answer(span_of_text(bodies[i]), AWS_JSON, 2, fates, &pace, reason, &err));
        assert_int_equal(err.code, ERR_INVALID);
        assert_non_null(strstr(err.message, "each of 2 records"));
    }
    assert_false(read_answer(span_of(NULL, 0), 1));
}

static void an_answer_of_too_many_records_writes_no_fate_beyond_the_request(void **state) {
    (void)state;
    enum record_fate *exact = malloc(2 * sizeof *exact); /* so that the sanitizer sees a third */
    struct span body = SPAN(ANSWER(OK("1") "," OK("2") "," OK("3") "," OK("4")));
    assert_non_null(exact);
    assert_false(kinesis_read_answer(body, AWS_JSON, 2, exact, &pace, reason, NULL));
    free(exact);
}

static void a_long_message_is_cut(void **state) {
    (void)state;
    struct buf body = buf_with_ceiling(10000);
    buf_append_format(&body,
                      ANSWER("{\"ErrorCode\":\"InternalFailure\",\"ErrorMessage\":\"%0900d\"}"), 0);
    assert_true(read_answer(buf_span(&body), 1));
    assert_int_equal(strlen(reason), DELIVERY_REASON_BYTES - 1);
    buf_done(&body);
}

static void an_answer_in_cbor_means_the_same(void **state) {
    (void)state;
    struct error err = {0};
    struct span partial = SPAN("\xa1gRecords\x83"
                               "\xa1nSequenceNumbera1"
                               "\xa1nSequenceNumbera2"
                               "\xa1nSequenceNumbera3");
    assert_false(kinesis_read_answer(partial, AWS_CBOR, 2, fates, &pace, reason, &err));
    assert_int_equal(err.code, ERR_INVALID);
    assert_false(kinesis_read_answer(partial, AWS_JSON, 3, fates, &pace, reason, NULL));
    partial = SPAN("\xa1gRecords\x82"
                   "\xa1nSequenceNumbera1"
                   "\xa2iErrorCodesThrottlingException\x6c"
                   "ErrorMessageewords");
    assert_true(kinesis_read_answer(partial, AWS_CBOR, 2, fates, &pace, reason, &err));
    assert_int_equal(fates[0], RECORD_DELIVERED);
    assert_int_equal(fates[1], RECORD_RETRY);
    assert_int_equal(pace, PACE_THROTTLED);
    assert_string_equal(reason, "1 of 2 records failed, the last with ThrottlingException: words");
    assert_false(
        kinesis_read_answer(SPAN("\xa1gRecords\x81\xa0"), AWS_CBOR, 1, fates, &pace, reason, NULL));
}

static void deep_nesting_does_no_harm(void **state) {
    (void)state;
    struct buf body = buf_with_ceiling(1 << 20);
    buf_append(&body, SPAN("{\"Records\":"));
    for (int i = 0; i < 100000; i++) {
        buf_append_char(&body, '[');
    }
    assert_false(read_answer(buf_span(&body), 1));
    buf_done(&body);
}

/* ---- names and ARNs ---------------------------------------------------------------------------
 */

static char long_text[200];

static struct span long_name(size_t length) {
    memset(long_text, 'n', sizeof long_text);
    return span_of(long_text, length);
}

static void stream_names_have_1_to_128_of_their_characters(void **state) {
    (void)state;
    static const char *const good[] = {"s", "lambda-logs", "A_b.C-9", ".", "-"};
    static const char *const bad[] = {"",    "a b", "a/b",        "a:b", "name\n", "n\xc3\xa4me",
                                      "a,b", "a\"", "stream/name"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(kinesis_is_stream_name(span_of_text(good[i])));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(kinesis_is_stream_name(span_of_text(bad[i])));
    }
    assert_false(kinesis_is_stream_name(span_of("a\0b", 3)));
    assert_true(kinesis_is_stream_name(long_name(128)));
    assert_false(kinesis_is_stream_name(long_name(129)));
}

static void arns_name_a_stream_of_an_account_in_a_region(void **state) {
    (void)state;
    static const char *const good[] = {
        "arn:aws:kinesis:eu-west-1:123456789012:stream/lambda-logs",
        "arn:aws-cn:kinesis:cn-north-1:000000000000:stream/s",
        "arn:aws-us-gov:kinesis:us-gov-west-1:123456789012:stream/A_b.c-1",
    };
    static const char *const bad[] = {
        "",
        "lambda-logs",
        "arn",
        "arn:aws:kinesis:eu-west-1:123456789012",
        "arn:aws:kinesis:eu-west-1:123456789012:stream/",
        "arn:aws:kinesis:eu-west-1:123456789012:stream",
        "arn:aws:kinesis:eu-west-1:123456789012:stream/a/b",
        "arn:aws:kinesis:eu-west-1:123456789012:stream/a:b",
        "arn:aws:kinesis:eu-west-1:123456789012:table/a",
        "arn:aws:kinesis:eu-west-1:12345678901:stream/a",
        "arn:aws:kinesis:eu-west-1:1234567890123:stream/a",
        "arn:aws:kinesis:eu-west-1:12345678901x:stream/a",
        "arn:aws:kinesis::123456789012:stream/a",
        "arn:aws:firehose:eu-west-1:123456789012:stream/a",
        "arn:gcp:kinesis:eu-west-1:123456789012:stream/a",
        "ARN:aws:kinesis:eu-west-1:123456789012:stream/a",
        " arn:aws:kinesis:eu-west-1:123456789012:stream/a",
        "arn:aws:kinesis:eu-west-1:123456789012:stream/a ",
        "arn:aws:kinesis:eu-west-1:123456789012:stream/a/consumer/b:1",
    };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        assert_true(kinesis_is_stream_arn(span_of_text(good[i])));
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct guarded guarded = guarded_copy(span_of_text(bad[i]));
        assert_false(kinesis_is_stream_arn(guarded.text));
        guarded_done(&guarded);
    }
}

static void the_region_of_an_arn_is_its_fourth_part(void **state) {
    (void)state;
    struct span region =
        kinesis_arn_region(SPAN("arn:aws:kinesis:eu-west-1:123456789012:stream/lambda-logs"));
    assert_true(span_equals(region, SPAN("eu-west-1")));
    assert_int_equal(kinesis_arn_region(SPAN("no ARN")).len, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_answer_delivers_every_record),
        cmocka_unit_test(only_the_records_with_an_error_are_to_be_sent_again),
        cmocka_unit_test(all_records_of_an_answer_may_fail),
        cmocka_unit_test(each_error_code_has_its_fate_and_pace),
        cmocka_unit_test(the_slowest_pace_that_any_record_asks_for_counts),
        cmocka_unit_test(the_count_of_failures_is_not_believed),
        cmocka_unit_test(a_record_with_a_number_and_an_error_has_failed),
        cmocka_unit_test(what_does_not_tell_of_each_record_is_no_answer),
        cmocka_unit_test(an_answer_of_too_many_records_writes_no_fate_beyond_the_request),
        cmocka_unit_test(a_long_message_is_cut),
        cmocka_unit_test(an_answer_in_cbor_means_the_same),
        cmocka_unit_test(deep_nesting_does_no_harm),
        cmocka_unit_test(stream_names_have_1_to_128_of_their_characters),
        cmocka_unit_test(arns_name_a_stream_of_an_account_in_a_region),
        cmocka_unit_test(the_region_of_an_arn_is_its_fourth_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
