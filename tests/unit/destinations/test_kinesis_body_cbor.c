// SPDX-License-Identifier: MIT
#include "../guarded.h"
#include "destinations/kinesis_body.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* Texts and pairs whose lengths the compiler counts. */
#define SHORT(text) ((struct span){text, sizeof(text) - 1})
#define RECORDS "gRecords"
#define NUMBER "\x6eSequenceNumber"
#define CODE                                                                                       \
    "\x69"                                                                                         \
    "ErrorCode"
#define MESSAGE                                                                                    \
    "\x6c"                                                                                         \
    "ErrorMessage"

static struct record_group group;
static struct buf body;

static int set_up(void **state) {
    (void)state;
    group = record_group_empty(100000);
    body = buf_with_ceiling(200000);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    record_group_done(&group);
    buf_done(&body);
    return 0;
}

static void add(struct span data, struct span key) {
    size_t offset = group.data.len;
    buf_append(&group.data, data);
    assert_true(record_group_add(&group, offset, key, 1, data.len, NULL));
}

static void write_request(size_t count, struct span stream, bool is_arn) {
    const struct kinesis_request request = {&group, count, stream, is_arn};
    kinesis_body_cbor.write(&request, &body);
    assert_false(buf_failed(&body));
}

/* --- the request --- */

static void a_request_is_a_map_of_records_as_bytes_and_the_stream(void **state) {
    (void)state;
    add(SPAN("\x00\xff{\n"), SPAN("k1"));
    add(SPAN(""), SPAN("k\xff"));
    add(SPAN("not sent"), SPAN("k3"));
    write_request(2, SPAN("logs"), false);
    struct span expected = SPAN("\xa2"
                                "gRecords\x82"
                                "\xa2"
                                "dData\x44\x00\xff{\n"
                                "lPartitionKeybk1"
                                "\xa2"
                                "dData\x40"
                                "lPartitionKey\x64k\xef\xbf\xbd"
                                "jStreamNamedlogs");
    assert_int_equal(body.len, expected.len);
    assert_memory_equal(body.ptr, expected.ptr, expected.len);
}

static void an_arn_is_sent_as_such(void **state) {
    (void)state;
    add(SPAN("x"), SPAN("k"));
    write_request(1, SPAN("arn:aws:kinesis"), true);
    assert_true(span_ends_with(buf_span(&body), SPAN("iStreamARNoarn:aws:kinesis")));
}

static void room_is_made_once(void **state) {
    (void)state;
    static char data[3000];
    for (int i = 0; i < 20; i++) {
        add(span_of(data, sizeof data), SPAN("0123456789abcdef"));
    }
    write_request(20, SPAN("logs"), false);
    size_t needed = body.len;
    assert_in_range(needed, 20 * 3000, 20 * 3080);
    char *first = body.ptr;
    size_t capacity = body.capacity;
    buf_clear(&body);
    write_request(20, SPAN("logs"), false);
    assert_ptr_equal(body.ptr, first);
    assert_int_equal(body.capacity, capacity);
}

static void without_room_the_buffer_fails(void **state) {
    (void)state;
    struct buf small = buf_with_ceiling(60);
    add(SPAN("0123456789"), SPAN("k"));
    add(SPAN("0123456789"), SPAN("k"));
    const struct kinesis_request request = {&group, 2, SPAN("logs"), false};
    kinesis_body_cbor.write(&request, &small);
    assert_true(buf_failed(&small));
    buf_done(&small);
}

/* --- the answer --- */

static char heard[1024];
static size_t hears_at_most;

static bool on_result(void *context, const struct kinesis_result *result) {
    (void)context;
    size_t length = strlen(heard);
    (void)snprintf(heard + length, sizeof heard - length, "%d,%s,%.40s;", result->has_number,
                   result->code, result->message);
    return hears_at_most-- > 0;
}

static bool read_answer(struct span answer) {
    struct guarded guarded = guarded_copy(answer);
    heard[0] = '\0';
    hears_at_most = 100;
    bool good = kinesis_body_cbor.read(guarded.text, on_result, NULL);
    guarded_done(&guarded);
    return good;
}

static void each_record_is_told_of_in_order(void **state) {
    (void)state;
    assert_true(read_answer(SPAN("\xa3"
                                 "qFailedRecordCount\x01" RECORDS "\x82"
                                 "\xa4" CODE "\xf6" MESSAGE "\xf6" NUMBER "b42"
                                 "gShardIdas"
                                 "\xa2" CODE "cBad" MESSAGE "ewords"
                                 "nEncryptionTypedNONE")));
    assert_string_equal(heard, "1,,;0,Bad,words;");
}

/* The AWS SDK for Java, and what else writes with Jackson, does it so. */
static void lengths_may_be_indefinite(void **state) {
    (void)state;
    assert_true(read_answer(SPAN("\xbf" RECORDS "\x9f"
                                 "\xbf" NUMBER "\x7f"
                                 "a4a2\xff\xff"
                                 "\xbf" CODE "\x7f"
                                 "bBa\x61"
                                 "d\xff\xff"
                                 "\xff"
                                 "qFailedRecordCount\x01\xff")));
    assert_string_equal(heard, "1,,;0,Bad,;");
}

static void tags_floats_and_unknown_members_are_passed_over(void **state) {
    (void)state;
    assert_true(read_answer(SPAN("\xd9\xd9\xf7\xa3"
                                 "aa\xfb\x3f\xf1\x99\x99\x99\x99\x99\x9a"
                                 "\x82\x01\x02\xa1\x01\x80" RECORDS "\x81\xc0"
                                 "\xa3"
                                 "az\xc1\xf9\x3c\x00" NUMBER "\xc0"
                                 "b42\x18\x64\xf5")));
    assert_string_equal(heard, "1,,;");
}

static void a_long_text_is_cut(void **state) {
    (void)state;
    struct buf answer = buf_with_ceiling(10000);
    buf_append(&answer, SPAN("\xa1" RECORDS "\x81\xa2" CODE "\x79\x03\xe8"));
    for (int i = 0; i < 1000; i++) {
        buf_append_char(&answer, 'C');
    }
    buf_append(&answer, SPAN(MESSAGE "ewords"));
    assert_true(read_answer(buf_span(&answer)));
    assert_int_equal(strlen(heard), sizeof "0,," - 1 + 95 + sizeof "words;" - 1);
    buf_done(&answer);
}

static void what_is_no_answer_is_none(void **state) {
    (void)state;
    static const struct span bad[] = {
        SHORT(""),
        SHORT("{\"Records\":[]}"),
        SHORT("<html>"),
        SHORT("\xf6"),
        SHORT("\x80"),
        SHORT("\xa0"),
        SHORT("\xa1" RECORDS "\xf6"),
        SHORT("\xa1" RECORDS "\xa0"),
        SHORT("\xa1"
              "grecords\x80"),
        SHORT("\xa1" RECORDS "\x81\xf6"),
        SHORT("\xa1" RECORDS "\x82\xa1" NUMBER "b42"),
        SHORT("\xa1" RECORDS "\x81\xa1" NUMBER "z42"),
        SHORT("\xa2" RECORDS "\x80" RECORDS "\x80"),
        SHORT("\xa2" RECORDS "\x81\xa1" NUMBER "b42"),
        SHORT("\xa1" RECORDS "\x9b\xff\xff\xff\xff\xff\xff\xff\xff"),
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(read_answer(bad[i]));
    }
}

static void reading_ends_when_the_listener_has_heard_enough(void **state) {
    (void)state;
    struct span answer =
        SPAN("\xa1" RECORDS "\x83\xa1" NUMBER "a1\xa1" NUMBER "a2\xa1" NUMBER "a3");
    heard[0] = '\0';
    hears_at_most = 1;
    assert_false(kinesis_body_cbor.read(answer, on_result, NULL));
    assert_string_equal(heard, "1,,;1,,;");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_request_is_a_map_of_records_as_bytes_and_the_stream),
        TEST(an_arn_is_sent_as_such),
        TEST(room_is_made_once),
        TEST(without_room_the_buffer_fails),
        TEST(each_record_is_told_of_in_order),
        TEST(lengths_may_be_indefinite),
        TEST(tags_floats_and_unknown_members_are_passed_over),
        TEST(a_long_text_is_cut),
        TEST(what_is_no_answer_is_none),
        TEST(reading_ends_when_the_listener_has_heard_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
