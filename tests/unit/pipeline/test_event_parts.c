// SPDX-License-Identifier: MIT
#include "pipeline/event_parts.h"

#include "../test_data.h"
#include "base/base64.h"
#include "base/json_writer.h"
#include "pipeline/event_reader.h"
#include "pipeline/json_scanner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define ENVELOPE "{\"time\":\"t\",\"type\":\"function\",\"record\":"

static struct enricher enricher_with(bool enabled) {
    static const struct tag tags[] = {{SPAN("team"), SPAN("payments")}};
    const struct enricher_settings settings = {
        .enabled = enabled,
        .function_name = SPAN("orders"),
        .environment_id = "5f3c9a7e12d4",
        .tags = tags,
        .tag_count = 1,
    };
    struct enricher enricher;
    assert_true(enricher_init(&enricher, &settings, NULL));
    return enricher;
}

/* An event and what its spans point to. */
struct sample {
    struct event_reader reader;
    struct event event;
};

static struct sample sample_of_body(struct span bytes) {
    struct sample sample = {.reader = event_reader_empty()};
    struct buf body = buf_with_ceiling(SSIZE_MAX);
    buf_append(&body, bytes);
    event_reader_open(&sample.reader, &body);
    enum reader_item item = event_reader_next(&sample.reader, &sample.event);
    assert_true(item == READER_EVENT || item == READER_UNPARSED);
    return sample;
}

static struct sample sample_of_record(struct span record) {
    struct buf body = buf_with_ceiling(SSIZE_MAX);
    buf_append(&body, SPAN("[" ENVELOPE));
    buf_append(&body, record);
    buf_append(&body, SPAN("}]"));
    struct sample sample = sample_of_body(buf_span(&body));
    assert_int_equal(sample.event.record.len, record.len);
    buf_done(&body);
    return sample;
}

/* What all parts say alike, taken from one of them. */
struct said {
    char *event_id;
    int count;
    const char *of;
    size_t piece_max;
};

/* Checks one line and appends its piece as the bytes that the JSON string stands for. */
static void take_part(const struct line *line, int index, struct said *said, struct buf *joined) {
    struct buf text = buf_with_ceiling(SSIZE_MAX);
    buf_append(&text, line->head);
    buf_append(&text, line->tail);
    assert_null(memchr(text.ptr, '\n', text.len));
    struct event_splitter splitter;
    struct event part;
    struct buf body = buf_with_ceiling(SSIZE_MAX);
    buf_append_format(&body, "[%s]", buf_text(&text));
    event_splitter_init(&splitter, buf_span(&body));
    assert_int_equal(event_splitter_next(&splitter, &part), SPLITTER_EVENT);
    assert_int_equal(part.record.ptr[0], '"');
    assert_true(part.record.len - 2 <= said->piece_max);
    buf_append(joined, span_of(part.record.ptr + 1, part.record.len - 2));

    cJSON *parsed = cJSON_Parse(buf_text(&text));
    assert_non_null(parsed);
    const cJSON *member = cJSON_GetObjectItem(parsed, "part");
    assert_int_equal(cJSON_GetObjectItem(member, "index")->valueint, index);
    assert_int_equal(cJSON_GetObjectItem(member, "count")->valueint, said->count);
    if (said->of == NULL) {
        assert_null(cJSON_GetObjectItem(member, "of"));
    } else {
        assert_string_equal(json_text(member, "of"), said->of);
    }
    cJSON *event_id = cJSON_GetObjectItem(parsed, "eventId");
    if (said->event_id == NULL && event_id != NULL) {
        said->event_id = event_id->valuestring;
        event_id->valuestring = NULL;
    } else if (event_id != NULL) {
        assert_string_equal(event_id->valuestring, said->event_id);
    }
    cJSON_Delete(parsed);
    buf_done(&body);
    buf_done(&text);
}

/* Cuts the event for lines of `line_max` bytes; returns the joined string content of all parts, or
 * an empty buffer when it cannot be cut. */
static struct buf cut_and_join(const struct event *event, size_t line_max, bool enrich,
                               const char *of) {
    struct enricher enricher = enricher_with(enrich);
    struct buf joined = buf_with_ceiling(SSIZE_MAX);
    struct line line;
    struct event_parts parts;
    struct error err = {.code = ERR_NONE};
    assert_true(enricher_line(&enricher, event, &line, NULL));
    if (event_parts_cut(&enricher, event, line_max, &parts, &err)) {
        struct said said = {.count = (int)parts.count, .of = of, .piece_max = parts.piece_max};
        assert_true(parts.piece_max >= EVENT_PIECE_BYTES_MIN);
        int index = 0;
        while (event_parts_next(&parts, &enricher, &line, &err)) {
            assert_true(line_length(&line) <= line_max);
            take_part(&line, index++, &said, &joined);
        }
        assert_int_equal(index, said.count);
        assert_int_equal(err.code, ERR_NONE);
        free(said.event_id);
    } else {
        assert_int_equal(err.code, ERR_INVALID);
    }
    enricher_done(&enricher);
    return joined;
}

/* Line lengths from where it can just be cut, so that every piece length occurs. */
static void assert_joined_for_many_lengths(const struct event *event, struct span expected,
                                           const char *of) {
    int cuts = 0;
    for (int enrich = 0; enrich <= 1; enrich++) {
        for (size_t line_max = 0; line_max < 600; line_max++) {
            struct buf joined = cut_and_join(event, line_max, enrich, of);
            if (joined.len > 0) {
                assert_true(span_equals(buf_span(&joined), expected));
                cuts++;
            }
            buf_done(&joined);
        }
    }
    assert_true(cuts > 400);
}

#define MANY_KINDS                                                                                 \
    "plain \\\"quoted\\\" \\\\ \\/ \\b\\f\\n\\r\\t \\u0000\\u00e9\\uABCD \\ud83d\\ude80"           \
    "\xc3\xa9\xe2\x82\xac\xf0\x9f\x9a\x80 \x7f"

static struct buf repeated(const char *text, size_t times) {
    struct buf all = buf_with_ceiling(SSIZE_MAX);
    for (size_t i = 0; i < times; i++) {
        buf_append_text(&all, text);
    }
    return all;
}

static void the_strings_of_all_parts_are_the_string(void **state) {
    (void)state;
    struct buf content = repeated(MANY_KINDS, 8);
    struct buf record = buf_with_ceiling(SSIZE_MAX);
    buf_append_format(&record, "\"%s\"", buf_text(&content));
    struct sample sample = sample_of_record(buf_span(&record));
    assert_joined_for_many_lengths(&sample.event, buf_span(&content), NULL);
    event_reader_done(&sample.reader);
    buf_done(&record);
    buf_done(&content);
}

static void the_strings_of_all_parts_are_the_json_text(void **state) {
    (void)state;
    static const char *const starts[] = {"{ \"a\" :\n[-1.5e+7,true],\"s\":\"", "[[[[\""};
    static const char *const ends[] = {"\"}", "\"]]]]"};
    for (size_t i = 0; i < 2; i++) {
        struct buf content = repeated(MANY_KINDS, 8);
        struct buf record = buf_with_ceiling(SSIZE_MAX);
        struct buf expected = buf_with_ceiling(SSIZE_MAX);
        buf_append_format(&record, "%s%s%s", starts[i], buf_text(&content), ends[i]);
        json_append_escaped(&expected, buf_span(&record));
        struct sample sample = sample_of_record(buf_span(&record));
        assert_joined_for_many_lengths(&sample.event, buf_span(&expected), "json");
        event_reader_done(&sample.reader);
        buf_done(&expected);
        buf_done(&record);
        buf_done(&content);
    }
}

static void unparsed_bytes_are_cut_too(void **state) {
    (void)state;
    struct buf body = repeated("no JSON, \"but\" \\ a log\n", 30);
    struct buf expected = buf_with_ceiling(SSIZE_MAX);
    json_append_escaped(&expected, buf_span(&body));
    struct sample sample = sample_of_body(buf_span(&body));
    assert_joined_for_many_lengths(&sample.event, buf_span(&expected), NULL);
    event_reader_done(&sample.reader);
    buf_done(&expected);
    buf_done(&body);
}

static void unparsed_bytes_that_are_no_text_are_cut_as_base64(void **state) {
    (void)state;
    struct buf body = repeated("\xff\xfe\n no text", 40);
    struct buf expected = buf_with_ceiling(SSIZE_MAX);
    base64_append(&expected, buf_span(&body));
    struct sample sample = sample_of_body(buf_span(&body));
    assert_joined_for_many_lengths(&sample.event, buf_span(&expected), "base64");
    event_reader_done(&sample.reader);
    buf_done(&expected);
    buf_done(&body);
}

static void a_large_record_gives_as_few_parts_as_it_must(void **state) {
    (void)state;
    static const char *const files[] = {"logs-12-line-250k-multibyte.json",
                                        "telemetry-14-structured-250k.json"};
    static const char *const of[] = {NULL, "json"};
    enum { DEFAULT_RECORD_BYTES = 25000 };
    for (size_t i = 0; i < 2; i++) {
        struct buf body = read_data_file(BATCHES, files[i]);
        struct sample sample = sample_of_body(buf_span(&body));
        struct enricher enricher = enricher_with(true);
        struct event_parts parts;
        struct line line;
        assert_true(enricher_line(&enricher, &sample.event, &line, NULL));
        assert_true(event_parts_cut(&enricher, &sample.event, DEFAULT_RECORD_BYTES, &parts, NULL));
        assert_int_equal(parts.count, 11);
        struct buf joined = cut_and_join(&sample.event, DEFAULT_RECORD_BYTES, true, of[i]);
        struct buf expected = buf_with_ceiling(SSIZE_MAX);
        if (of[i] == NULL) {
            buf_append(&expected, json_string_content(sample.event.record));
        } else {
            json_append_escaped(&expected, sample.event.record);
        }
        assert_true(span_equals(buf_span(&joined), buf_span(&expected)));
        buf_done(&expected);
        buf_done(&joined);
        enricher_done(&enricher);
        event_reader_done(&sample.reader);
        buf_done(&body);
    }
}

static void other_members_are_in_every_part(void **state) {
    (void)state;
    struct buf body = buf_with_ceiling(SSIZE_MAX);
    struct buf content = repeated("x", 500);
    buf_append_format(&body, "[{\"a\":\n1,\"record\" : \"%s\" ,\"b\":\r2 }]", buf_text(&content));
    struct sample sample = sample_of_body(buf_span(&body));
    struct enricher enricher = enricher_with(false);
    struct event_parts parts;
    struct line line;
    assert_true(enricher_line(&enricher, &sample.event, &line, NULL));
    assert_true(event_parts_cut(&enricher, &sample.event, 400, &parts, NULL));
    assert_int_equal(parts.count, 2);
    for (int i = 0; i < 2; i++) {
        assert_true(event_parts_next(&parts, &enricher, &line, NULL));
        assert_true(span_starts_with(line.head, SPAN("{\"a\": 1,\"record\" : \"xxx")));
        char end[64];
        (void)snprintf(end, sizeof end, "x\" ,\"b\": 2 ,\"part\":{\"index\":%d,\"count\":2}", i);
        assert_true(span_ends_with(line.head, span_of_text(end)));
        assert_true(span_equals(line.tail, SPAN("}")));
    }
    enricher_done(&enricher);
    event_reader_done(&sample.reader);
    buf_done(&content);
    buf_done(&body);
}

static void parts_keep_the_request_of_a_report_that_closed_it(void **state) {
    (void)state;
    struct sample start =
        sample_of_body(SPAN("[{\"type\":\"platform.start\",\"record\":{\"requestId\":\"8b1f\"}}]"));
    struct buf body = buf_with_ceiling(SSIZE_MAX);
    struct buf content = repeated("x", 500);
    buf_append_format(
        &body, "[{\"type\":\"platform.report\",\"record\":{\"requestId\":\"8b1f\",\"x\":\"%s\"}}]",
        buf_text(&content));
    struct sample report = sample_of_body(buf_span(&body));
    struct enricher enricher = enricher_with(true);
    struct event_parts parts;
    struct line line;
    assert_true(enricher_line(&enricher, &start.event, &line, NULL));
    assert_true(enricher_line(&enricher, &report.event, &line, NULL));
    assert_true(event_parts_cut(&enricher, &report.event, 500, &parts, NULL));
    while (event_parts_next(&parts, &enricher, &line, NULL)) {
        assert_true(span_equals(line.request_id, SPAN("8b1f")));
        assert_true(span_starts_with(line.tail, SPAN(",\"requestId\":\"8b1f\"")));
    }
    enricher_done(&enricher);
    event_reader_done(&report.reader);
    event_reader_done(&start.reader);
    buf_done(&content);
    buf_done(&body);
}

static void parts_are_numbered_where_that_is_wanted(void **state) {
    (void)state;
    static char text[2000];
    memset(text, 'x', sizeof text);
    struct enricher enricher = enricher_with(false);
    struct buf body = buf_with_ceiling(SSIZE_MAX);
    buf_append(&body, SPAN("[{\"id\":\"700000000\",\"record\":\""));
    buf_append(&body, span_of(text, sizeof text));
    buf_append(&body, SPAN("\"}]"));
    struct sample sample = sample_of_body(buf_span(&body));
    struct event_parts parts;
    struct line line;
    assert_true(event_parts_cut(&enricher, &sample.event, 200, &parts, NULL));
    assert_true(parts.count > 10);
    parts.number_at = sizeof "{\"id\":\"7" - 1;
    for (unsigned i = 0; event_parts_next(&parts, &enricher, &line, NULL); i++) {
        char start[40];
        (void)snprintf(start, sizeof start, "{\"id\":\"7%08u\",\"record\":\"xxx", i);
        assert_true(span_starts_with(line.head, span_of_text(start)));
    }
    assert_int_equal(parts.index, parts.count);
    event_reader_done(&sample.reader);
    buf_done(&body);
    enricher_done(&enricher);
}

static void what_has_no_record_or_too_much_else_cannot_be_cut(void **state) {
    (void)state;
    struct buf body = buf_with_ceiling(SSIZE_MAX);
    struct buf content = repeated("x", 1000);
    buf_append_format(&body, "[{\"record\":\"y\",\"other\":\"%s\"}]", buf_text(&content));
    const struct span bodies[] = {buf_span(&body), SPAN("[{\"time\":\"t\"}]")};
    for (size_t i = 0; i < 2; i++) {
        struct sample sample = sample_of_body(bodies[i]);
        struct buf joined = cut_and_join(&sample.event, 1000, true, NULL);
        assert_int_equal(joined.len, 0);
        buf_done(&joined);
        event_reader_done(&sample.reader);
    }
    buf_done(&content);
    buf_done(&body);
}

static void without_memory_the_same_part_comes_again(void **state) {
    (void)state;
    struct buf content = repeated("x", 500);
    struct buf record = buf_with_ceiling(SSIZE_MAX);
    buf_append_format(&record, "\"%s\"", buf_text(&content));
    struct sample sample = sample_of_record(buf_span(&record));
    struct enricher enricher = enricher_with(true);
    struct event_parts parts;
    struct line line;
    struct error err = {.code = ERR_NONE};
    assert_true(enricher_line(&enricher, &sample.event, &line, NULL));
    assert_true(event_parts_cut(&enricher, &sample.event, 500, &parts, NULL));
    enricher.head.ceiling = 10;
    assert_false(event_parts_next(&parts, &enricher, &line, &err));
    assert_int_equal(err.code, ERR_MEMORY);
    enricher.head.ceiling = SSIZE_MAX;
    assert_true(event_parts_next(&parts, &enricher, &line, NULL));
    assert_non_null(span_find(line.head, SPAN("\"index\":0,")));
    enricher_done(&enricher);
    event_reader_done(&sample.reader);
    buf_done(&record);
    buf_done(&content);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_strings_of_all_parts_are_the_string),
        cmocka_unit_test(the_strings_of_all_parts_are_the_json_text),
        cmocka_unit_test(unparsed_bytes_are_cut_too),
        cmocka_unit_test(unparsed_bytes_that_are_no_text_are_cut_as_base64),
        cmocka_unit_test(a_large_record_gives_as_few_parts_as_it_must),
        cmocka_unit_test(other_members_are_in_every_part),
        cmocka_unit_test(parts_keep_the_request_of_a_report_that_closed_it),
        cmocka_unit_test(parts_are_numbered_where_that_is_wanted),
        cmocka_unit_test(what_has_no_record_or_too_much_else_cannot_be_cut),
        cmocka_unit_test(without_memory_the_same_part_comes_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
