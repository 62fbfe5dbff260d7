// SPDX-License-Identifier: MIT
#include "destinations/kinesis.h"

#include "../fake_clock.h"
#include "base/base64.h"

#include <cjson/cJSON.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- in place of aws_call.c -------------------------------------------------------------------
 */

static struct {
    bool fails;
    size_t starts;
    size_t cancels;
    struct aws_request request;
    char body[4096];
    aws_done_fn done;
    void *context;
} call;

bool aws_call_start(struct aws_client *client, const struct aws_request *request,
                    struct aws_call *aws_call, aws_done_fn done, void *context, struct error *err) {
    (void)client;
    (void)aws_call;
    if (call.fails) {
        return error_set(err, ERR_UNAVAILABLE, "no credentials");
    }
    call.starts++;
    call.request = *request;
    assert_in_range(request->body.len, 1, sizeof call.body - 1);
    memcpy(call.body, request->body.ptr, request->body.len);
    call.body[request->body.len] = '\0';
    call.done = done;
    call.context = context;
    return true;
}

void aws_call_cancel(struct aws_call *aws_call) {
    (void)aws_call;
    call.cancels++;
}

/* ---- the fixture ------------------------------------------------------------------------------
 */

#define ARN "arn:aws:kinesis:eu-west-1:123456789012:stream/lambda-logs"

struct fake_credentials {
    struct credentials_source source; /* first, so that a pointer to it is a pointer to this */
    int renewals;
};

static void renew(struct credentials_source *self) {
    ((struct fake_credentials *)self)->renewals++;
}

static struct fake_credentials credentials;
static struct fake_clock fake_clock;
static struct aws_client client;
static struct kinesis *kinesis;
static struct record_group group;
static struct delivery delivery;
static enum record_fate fates[KINESIS_RECORDS_MAX];
static size_t record_count;
static int deliveries;

static void on_delivery(void *context, const struct delivery *answer) {
    assert_ptr_equal(context, &delivery);
    delivery = *answer;
    memcpy(fates, answer->fates, record_count * sizeof fates[0]);
    deliveries++;
}

static struct {
    int times;
    int status;
    char code[32];
} fall_back;

static void on_fall_back(void *context, int status, const char *error_code) {
    assert_ptr_equal(context, &fall_back);
    fall_back.times++;
    fall_back.status = status;
    (void)snprintf(fall_back.code, sizeof fall_back.code, "%s", error_code);
}

static void start_in(enum aws_format format, struct span stream) {
    const struct kinesis_settings settings = {
        .client = &client,
        .stream = stream,
        .format = format,
        .observer = {&fall_back, on_fall_back},
    };
    memset(&fall_back, 0, sizeof fall_back);
    memset(&call, 0, sizeof call);
    deliveries = 0;
    fake_clock = fake_clock_at(5000, 1000000);
    credentials = (struct fake_credentials){.source = {.renew = renew}};
    client = (struct aws_client){.clock = &fake_clock.clock, .credentials = &credentials.source};
    kinesis = kinesis_create(&settings, NULL);
    assert_non_null(kinesis);
    group = record_group_empty(100000);
}

static void start_with(struct span stream) { start_in(AWS_JSON, stream); }

static int set_up(void **state) {
    (void)state;
    start_with(SPAN("lambda-logs"));
    return 0;
}

static int set_up_cbor(void **state) {
    (void)state;
    start_in(AWS_CBOR, SPAN("lambda-logs"));
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    kinesis_destroy(kinesis);
    record_group_done(&group);
    return 0;
}

static void add(struct span data, struct span key) {
    size_t offset = group.data.len;
    buf_append(&group.data, data);
    assert_true(record_group_add(&group, offset, key, 1, data.len, NULL));
}

static bool send(size_t count, bool fresh, struct error *err) {
    struct destination *destination = kinesis_destination(kinesis);
    record_count = count;
    return destination->send(destination, 1, &group, count, fresh, on_delivery, &delivery, err);
}

static void send_records(size_t count) {
    for (size_t i = 0; i < count; i++) {
        add(SPAN("data"), SPAN("key"));
    }
    assert_true(send(count, false, NULL));
}

/* ---- the request ------------------------------------------------------------------------------
 */

static void the_body_is_written_byte_for_byte(void **state) {
    (void)state;
    add(SPAN("{\"a\":1}\n"), SPAN("0123456789abcdef"));
    add(SPAN("x"), SPAN("k\"\\\x01\xc3\xa9"));
    add(SPAN("not sent"), SPAN("k"));
    assert_true(send(2, false, NULL));
    assert_string_equal(call.body,
                        "{\"Records\":["
                        "{\"Data\":\"eyJhIjoxfQo=\",\"PartitionKey\":\"0123456789abcdef\"},"
                        "{\"Data\":\"eA==\",\"PartitionKey\":\"k\\\"\\\\\\u0001\xc3\xa9\"}"
                        "],\"StreamName\":\"lambda-logs\"}");
}

static void an_arn_is_sent_as_such(void **state) {
    (void)state;
    start_with(SPAN(ARN));
    add(SPAN("x"), SPAN("k"));
    assert_true(send(1, false, NULL));
    assert_string_equal(call.body, "{\"Records\":[{\"Data\":\"eA==\",\"PartitionKey\":\"k\"}],"
                                   "\"StreamARN\":\"" ARN "\"}");
}

static unsigned char sextet(char c) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = strchr(digits, c);
    return c == '=' ? 0 : (unsigned char)(at - digits);
}

static size_t decode(const char *text, char *to) {
    size_t length = strlen(text) / 4 * 3;
    for (size_t i = 0; text[i] != '\0'; i += 4) {
        unsigned bits = (unsigned)(sextet(text[i]) << 18 | sextet(text[i + 1]) << 12 |
                                   sextet(text[i + 2]) << 6 | sextet(text[i + 3]));
        *to++ = (char)(bits >> 16);
        *to++ = (char)(bits >> 8 & 0xff);
        *to++ = (char)(bits & 0xff);
    }
    return length - (strchr(text, '=') == NULL ? 0 : strlen(strchr(text, '=')));
}

static void every_byte_value_survives_the_request(void **state) {
    (void)state;
    char all[256];
    char decoded[300];
    for (size_t i = 0; i < sizeof all; i++) {
        all[i] = (char)i;
    }
    for (size_t i = 0; i < 4; i++) {
        add(span_of(all + i, sizeof all - i), SPAN("key"));
    }
    assert_true(send(4, false, NULL));
    cJSON *body = cJSON_Parse(call.body);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(body, "Records")), 4);
    for (size_t i = 0; i < 4; i++) {
        const cJSON *record = cJSON_GetArrayItem(cJSON_GetObjectItem(body, "Records"), (int)i);
        const char *data = cJSON_GetStringValue(cJSON_GetObjectItem(record, "Data"));
        assert_int_equal(decode(data, decoded), sizeof all - i);
        assert_memory_equal(decoded, all + i, sizeof all - i);
    }
    cJSON_Delete(body);
}

static void asks_for_putrecords_with_a_time_limit(void **state) {
    (void)state;
    add(SPAN("x"), SPAN("k"));
    assert_true(send(1, false, NULL));
    assert_string_equal(call.request.target, "Kinesis_20131202.PutRecords");
    assert_string_equal(call.request.content_type, "application/x-amz-json-1.1");
    assert_int_equal(call.request.time_limit_ms, KINESIS_REQUEST_LIMIT_MS);
    assert_false(call.request.fresh_connection);
    assert_true(send(1, true, NULL));
    assert_true(call.request.fresh_connection);
}

static void a_call_that_cannot_start_is_an_error_and_no_delivery(void **state) {
    (void)state;
    struct error err = {0};
    call.fails = true;
    add(SPAN("x"), SPAN("k"));
    assert_false(send(1, false, &err));
    assert_int_equal(err.code, ERR_UNAVAILABLE);
    assert_int_equal(deliveries, 0);
}

static void cancelling_cancels_the_call(void **state) {
    (void)state;
    send_records(1);
    kinesis_destination(kinesis)->cancel(kinesis_destination(kinesis), 1);
    assert_int_equal(call.cancels, 1);
    assert_int_equal(deliveries, 0);
}

static void limits_are_the_services_and_grow_only_when_asked(void **state) {
    (void)state;
    struct destination_limits limits = kinesis_limits(0);
    assert_int_equal(limits.max_records, 500);
    assert_int_equal(limits.max_record_bytes, 1048576);
    assert_int_equal(limits.max_request_bytes, 5242880);
    assert_int_equal(limits.billing_unit_bytes, 25000);
    assert_int_equal(kinesis_limits(25000).max_record_bytes, 1048576);
    assert_int_equal(kinesis_limits(1048577).max_record_bytes, 1048577);
    assert_int_equal(kinesis_limits(1048577).max_request_bytes, 5242880);
    assert_int_equal(kinesis_limits(10485760).max_record_bytes, 10485760);
    assert_int_equal(kinesis_limits(10485760).max_request_bytes, 10485760);
    assert_int_equal(kinesis_destination(kinesis)->limits.max_record_bytes, 1048576);
}

/* ---- what an answer means for the records -----------------------------------------------------
 */

static struct aws_answer answer_of(enum aws_verdict verdict, int status, const char *body) {
    return (struct aws_answer){
        .verdict = verdict,
        .status = status,
        .body = span_of_text(body),
        .error_code = "SomeException",
        .error_message = "some words",
        .was_sent = true,
    };
}

static void expect_fates(size_t count, enum record_fate fate) {
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(fates[i], fate);
    }
}

static void every_verdict_has_its_fate_and_pace(void **state) {
    (void)state;
    static const struct {
        enum aws_verdict verdict;
        int status;
        bool reused;
        enum record_fate one, many;
        enum retry_pace pace;
    } cases[] = {
        {AWS_TRANSIENT, 500, false, RECORD_RETRY, RECORD_RETRY, PACE_TRANSIENT},
        {AWS_TRANSIENT, 503, true, RECORD_RETRY, RECORD_RETRY, PACE_TRANSIENT},
        {AWS_TRANSIENT, 0, false, RECORD_RETRY, RECORD_RETRY, PACE_TRANSIENT},
        {AWS_TRANSIENT, 0, true, RECORD_RETRY, RECORD_RETRY, PACE_NOW},
        {AWS_THROTTLED, 400, true, RECORD_RETRY, RECORD_RETRY, PACE_THROTTLED},
        {AWS_CREDENTIALS, 400, false, RECORD_RETRY, RECORD_RETRY, PACE_NOW},
        {AWS_CLOCK_SKEW, 400, false, RECORD_RETRY, RECORD_RETRY, PACE_NOW},
        {AWS_MISCONFIGURED, 400, true, RECORD_RETRY, RECORD_RETRY, PACE_MISCONFIGURED},
        {AWS_TOO_LARGE, 413, false, RECORD_NEVER, RECORD_RETRY, PACE_SMALLER},
        {AWS_REFUSED, 400, true, RECORD_RETRY, RECORD_RETRY, PACE_SMALLER},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        for (size_t count = 1; count <= 3; count += 2) {
            struct aws_answer answer = answer_of(cases[i].verdict, cases[i].status, "");
            answer.connection_was_reused = cases[i].reused;
            answer.retry_after_ms = 77;
            record_group_clear(&group);
            send_records(count);
            call.done(call.context, &answer);
            expect_fates(count, count == 1 ? cases[i].one : cases[i].many);
            bool is_last = cases[i].pace == PACE_SMALLER && count == 1; /* it cannot be smaller */
            enum retry_pace alone = cases[i].one == RECORD_NEVER ? PACE_NEVER : PACE_MISCONFIGURED;
            assert_int_equal(delivery.pace, is_last ? alone : cases[i].pace);
            assert_int_equal(delivery.retry_after_ms, 77);
            assert_non_null(strstr(delivery.reason, "some words"));
        }
    }
}

/* Until then the fault may lie in what all requests have in common, such as the stream's name. */
static void a_record_that_is_refused_is_given_up_only_once_others_were_taken(void **state) {
    (void)state;
    send_records(1);
    struct aws_answer answer = answer_of(AWS_REFUSED, 400, "");
    call.done(call.context, &answer);
    expect_fates(1, RECORD_RETRY);
    send_records(1);
    answer = answer_of(AWS_OK, 200, "{\"Records\":[{\"SequenceNumber\":\"1\"}]}");
    call.done(call.context, &answer);
    expect_fates(1, RECORD_DELIVERED);
    send_records(1);
    answer = answer_of(AWS_REFUSED, 400, "");
    call.done(call.context, &answer);
    expect_fates(1, RECORD_NEVER);
    send_records(2);
    call.done(call.context, &answer);
    expect_fates(2, RECORD_RETRY);
    assert_int_equal(delivery.pace, PACE_SMALLER);
}

static void the_reason_names_status_and_code_or_the_lack_of_an_answer(void **state) {
    (void)state;
    send_records(1);
    struct aws_answer answer = answer_of(AWS_MISCONFIGURED, 400, "");
    call.done(call.context, &answer);
    assert_string_equal(delivery.reason, "HTTP status 400 SomeException: some words");
    send_records(1);
    answer = answer_of(AWS_TRANSIENT, 0, "");
    call.done(call.context, &answer);
    assert_string_equal(delivery.reason, "no answer: some words");
}

static void bad_credentials_are_renewed_before_the_next_try(void **state) {
    (void)state;
    send_records(1);
    struct aws_answer answer = answer_of(AWS_CREDENTIALS, 400, "");
    call.done(call.context, &answer);
    assert_int_equal(credentials.renewals, 1);
    send_records(1);
    answer = answer_of(AWS_TRANSIENT, 500, "");
    call.done(call.context, &answer);
    assert_int_equal(credentials.renewals, 1);
}

static void a_wrong_clock_is_set_right_by_the_answers_date(void **state) {
    (void)state;
    send_records(1);
    struct aws_answer answer = answer_of(AWS_CLOCK_SKEW, 400, "");
    call.done(call.context, &answer);
    assert_int_equal(client.clock_offset_ms, 0);
    send_records(1);
    answer.server_wall_ms = 1300000;
    call.done(call.context, &answer);
    assert_int_equal(client.clock_offset_ms, 300000);
}

static void a_good_answer_delivers_all_without_a_word(void **state) {
    (void)state;
    send_records(2);
    struct aws_answer answer =
        answer_of(AWS_OK, 200,
                  "{\"FailedRecordCount\":0,\"Records\":[{\"SequenceNumber\":\"1\"},"
                  "{\"SequenceNumber\":\"2\",\"ErrorCode\":null,\"ErrorMessage\":null}]}");
    call.done(call.context, &answer);
    expect_fates(2, RECORD_DELIVERED);
    assert_string_equal(delivery.reason, "");
    assert_int_equal(deliveries, 1);
}

static void an_answer_of_200_that_says_nothing_of_the_records_is_tried_again(void **state) {
    (void)state;
    send_records(3);
    struct aws_answer answer = answer_of(AWS_OK, 200, "<html>");
    answer.connection_was_reused = true;
    call.done(call.context, &answer);
    expect_fates(3, RECORD_RETRY);
    assert_int_equal(delivery.pace, PACE_TRANSIENT);
    assert_non_null(strstr(delivery.reason, "HTTP status 200, but"));
}

/* ---- CBOR --------------------------------------------------------------------------------------
 */

static void cbor_is_asked_for_and_sent(void **state) {
    (void)state;
    add(SPAN("\xff"), SPAN("k"));
    assert_true(send(1, false, NULL));
    struct span expected = SPAN("\xa2"
                                "gRecords\x81\xa2"
                                "dData\x41\xff"
                                "lPartitionKeyak"
                                "jStreamNameklambda-logs");
    assert_string_equal(call.request.content_type, "application/x-amz-cbor-1.1");
    assert_int_equal(call.request.body.len, expected.len);
    assert_memory_equal(call.body, expected.ptr, expected.len);
}

static void an_answer_is_read_in_its_own_format(void **state) {
    (void)state;
    send_records(1);
    struct aws_answer answer = answer_of(AWS_OK, 200, "{\"Records\":[{\"SequenceNumber\":\"1\"}]}");
    call.done(call.context, &answer);
    expect_fates(1, RECORD_DELIVERED);
    send_records(1);
    answer.body = SPAN("\xa1gRecords\x81\xa1nSequenceNumbera1");
    answer.format = AWS_CBOR;
    call.done(call.context, &answer);
    expect_fates(1, RECORD_DELIVERED);
    assert_string_equal(delivery.reason, "");
}

static struct aws_answer refusal(int status, const char *code) {
    struct aws_answer answer = answer_of(AWS_MISCONFIGURED, status, "");
    (void)snprintf(answer.error_code, sizeof answer.error_code, "%s", code);
    return answer;
}

static void where_cbor_is_not_understood_everything_goes_again_in_json(void **state) {
    static const struct {
        int status;
        const char *code;
    } cases[] = {
        {415, ""},
        {415, "UnsupportedMediaType"},
        {404, "UnknownOperationException"},
        {400, "SerializationException"},
        {404, ""},
        {500, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        (void)set_up_cbor(state);
        send_records(3);
        struct aws_answer answer = refusal(cases[i].status, cases[i].code);
        call.done(call.context, &answer);
        expect_fates(3, RECORD_RETRY);
        assert_int_equal(delivery.pace, PACE_NOW);
        assert_string_equal(delivery.reason, "");
        assert_int_equal(fall_back.times, 1);
        assert_int_equal(fall_back.status, cases[i].status);
        assert_string_equal(fall_back.code, cases[i].code);
        assert_true(send(3, true, NULL));
        assert_string_equal(call.request.content_type, "application/x-amz-json-1.1");
        assert_int_equal(call.body[0], '{');
        (void)tear_down(state);
    }
}

static void other_faults_do_not_end_cbor(void **state) {
    static const struct {
        int status;
        const char *code;
    } cases[] = {
        {0, ""},
        {400, "ResourceNotFoundException"},
        {400, "AccessDeniedException"},
        {413, ""},
        {403, ""},
        {500, "InternalFailure"},
        {502, ""},
        {503, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        (void)set_up_cbor(state);
        send_records(2);
        struct aws_answer answer = refusal(cases[i].status, cases[i].code);
        call.done(call.context, &answer);
        assert_int_equal(fall_back.times, 0);
        assert_true(send(2, false, NULL));
        assert_string_equal(call.request.content_type, "application/x-amz-cbor-1.1");
        (void)tear_down(state);
    }
}

static void a_bare_fault_of_a_service_that_has_taken_cbor_is_a_fault(void **state) {
    (void)state;
    send_records(1);
    struct aws_answer answer = answer_of(AWS_OK, 200, "{\"Records\":[{\"SequenceNumber\":\"1\"}]}");
    call.done(call.context, &answer);
    send_records(1);
    answer = refusal(500, "");
    call.done(call.context, &answer);
    assert_int_equal(fall_back.times, 0);
    answer = refusal(415, "");
    call.done(call.context, &answer);
    assert_int_equal(fall_back.times, 1);
}

static void the_requests_in_flight_meanwhile_follow_without_a_word(void **state) {
    (void)state;
    struct destination *destination = kinesis_destination(kinesis);
    send_records(1);
    aws_done_fn first_done = call.done;
    void *first_lane = call.context;
    assert_true(destination->send(destination, 2, &group, 1, false, on_delivery, &delivery, NULL));
    struct aws_answer answer = refusal(415, "");
    first_done(first_lane, &answer);
    call.done(call.context, &answer);
    expect_fates(1, RECORD_RETRY);
    assert_int_equal(delivery.pace, PACE_NOW);
    assert_int_equal(fall_back.times, 1);
}

static void json_that_is_refused_has_nothing_to_fall_back_to(void **state) {
    (void)state;
    send_records(2);
    struct aws_answer answer = refusal(400, "SerializationException");
    answer.verdict = AWS_REFUSED;
    call.done(call.context, &answer);
    assert_int_equal(fall_back.times, 0);
    assert_int_equal(delivery.pace, PACE_SMALLER);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(the_body_is_written_byte_for_byte),
        cmocka_unit_test_teardown(an_arn_is_sent_as_such, tear_down),
        TEST(every_byte_value_survives_the_request),
        TEST(asks_for_putrecords_with_a_time_limit),
        TEST(a_call_that_cannot_start_is_an_error_and_no_delivery),
        TEST(cancelling_cancels_the_call),
        TEST(limits_are_the_services_and_grow_only_when_asked),
        TEST(every_verdict_has_its_fate_and_pace),
        TEST(a_record_that_is_refused_is_given_up_only_once_others_were_taken),
        TEST(the_reason_names_status_and_code_or_the_lack_of_an_answer),
        TEST(bad_credentials_are_renewed_before_the_next_try),
        TEST(a_wrong_clock_is_set_right_by_the_answers_date),
        TEST(a_good_answer_delivers_all_without_a_word),
        TEST(an_answer_of_200_that_says_nothing_of_the_records_is_tried_again),
        cmocka_unit_test_setup_teardown(cbor_is_asked_for_and_sent, set_up_cbor, tear_down),
        cmocka_unit_test_setup_teardown(an_answer_is_read_in_its_own_format, set_up_cbor,
                                        tear_down),
        cmocka_unit_test(where_cbor_is_not_understood_everything_goes_again_in_json),
        cmocka_unit_test(other_faults_do_not_end_cbor),
        cmocka_unit_test_setup_teardown(a_bare_fault_of_a_service_that_has_taken_cbor_is_a_fault,
                                        set_up_cbor, tear_down),
        cmocka_unit_test_setup_teardown(the_requests_in_flight_meanwhile_follow_without_a_word,
                                        set_up_cbor, tear_down),
        TEST(json_that_is_refused_has_nothing_to_fall_back_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
