// SPDX-License-Identifier: MIT
#include "pipeline/event_reader.h"

#include "../guarded.h"
#include "../test_data.h"
#include "base/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define ENVELOPE "{\"time\":\"t\",\"type\":\"f\",\"record\":"
#define A ENVELOPE "\"a\"}"
#define B ENVELOPE "\"b\"}"
#define UNPARSED "{\"type\":\"extension.unparsed\",\"record\":"
/* An unparsed event of what is behind an envelope, escaped. */
#define LONE(text)                                                                                 \
    UNPARSED "\"{\\\"time\\\":\\\"t\\\",\\\"type\\\":\\\"f\\\",\\\"record\\\":" text "\"}\n"
#define DONE                                                                                       \
    "{\"time\":\"t\",\"type\":\"platform.runtimeDone\",\"record\":{\"requestId\":\"8b1f\"}}"

static struct buf copy_of(struct span bytes) {
    struct buf copy = buf_with_ceiling(SSIZE_MAX);
    buf_append(&copy, bytes);
    assert_false(buf_failed(&copy));
    return copy;
}

/* Gives the reader a body and takes all events, one a line. */
static void read_all(struct event_reader *reader, struct buf *events) {
    struct event event;
    enum reader_item item;
    while ((item = event_reader_next(reader, &event)) != READER_END) {
        assert_int_not_equal(item, READER_NO_MEMORY);
        buf_append(events, event.text);
        buf_append_char(events, '\n');
    }
}

static void read_body(struct event_reader *reader, struct span bytes, struct buf *events) {
    struct buf body = copy_of(bytes);
    event_reader_open(reader, &body);
    assert_int_equal(body.len, 0);
    assert_null(body.ptr);
    read_all(reader, events);
}

static void assert_events(const struct buf *events, struct span expected) {
    if (!span_equals(buf_span(events), expected)) {
        print_error("events:\n%.*s\nexpected:\n%.*s\n", SPAN_ARGS(buf_span(events)),
                    SPAN_ARGS(expected));
        fail();
    }
}

/* Reads up to three bodies and then gives up what is held. */
static void assert_bodies_give(const char *const bodies[3], const char *expected) {
    struct event_reader reader = event_reader_empty();
    struct buf events = buf_with_ceiling(SSIZE_MAX);
    for (size_t i = 0; i < 3 && bodies[i] != NULL; i++) {
        read_body(&reader, span_of_text(bodies[i]), &events);
    }
    event_reader_give_up_held(&reader);
    read_all(&reader, &events);
    assert_int_equal(event_reader_held(&reader), 0);
    assert_events(&events, span_of_text(expected));
    buf_done(&events);
    event_reader_done(&reader);
}

static void joins_what_belongs_together_and_nothing_else(void **state) {
    (void)state;
    static const struct {
        const char *bodies[3];
        const char *events;
    } cases[] = {
        {{"[" A "]", "[" B "]"}, A "\n" B "\n"},
        {{"[" ENVELOPE "\"AA}]", "[" ENVELOPE "BB\"}," DONE "]"}, ENVELOPE "\"AABB\"}\n" DONE "\n"},
        {{"[" A "," ENVELOPE "\"AA}]", "[" ENVELOPE "BB\"}]", "[" B "]"},
         A "\n" ENVELOPE "\"AABB\"}\n" B "\n"},
        {{"[" ENVELOPE "{\"m\":\"AA}]", "[" ENVELOPE "B}]", "[" ENVELOPE "CC\"}}]"},
         ENVELOPE "{\"m\":\"AABCC\"}}\n"},
        /* no tail, a tail of something else, a whole event with the same envelope */
        {{"[" ENVELOPE "\"AA}]"}, LONE("\\\"AA")},
        {{"[{\"time\":\"T\",\"type\":\"f\",\"record\":\"AA}]", "[" ENVELOPE "BB\"}]"},
         UNPARSED
         "\"{\\\"time\\\":\\\"T\\\",\\\"type\\\":\\\"f\\\",\\\"record\\\":\\\"AA\"}\n" LONE(
             "BB\\\"}")},
        {{"[" ENVELOPE "\"AA}]", "[" B "," A "]"}, LONE("\\\"AA") B "\n" A "\n"},
        {{"[" ENVELOPE "\"AA}]", "[]", "[" ENVELOPE "BB\"}]"}, LONE("\\\"AA") LONE("BB\\\"}")},
        {{"[" ENVELOPE "\"AA}]", "x" ENVELOPE "BB\"}]", "[" A "]"},
         LONE("\\\"AA") UNPARSED "\"x{\\\"time\\\":\\\"t\\\",\\\"type\\\":\\\"f\\\","
                                 "\\\"record\\\":BB\\\"}]\"}\n" A "\n"},
        /* two heads: the first has lost its tail */
        {{"[" ENVELOPE "{\"m\":{}]", "[" ENVELOPE "{\"m\":\"AA}]", "[" ENVELOPE "BB\"}}]"},
         LONE("{\\\"m\\\":{") ENVELOPE "{\"m\":\"AABB\"}}\n"},
        {{"", "x"}, UNPARSED "\"\"}\n" UNPARSED "\"x\"}\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_bodies_give(cases[i].bodies, cases[i].events);
    }
}

/* One event per line, as the splitter finds them in a body that is whole. */
static struct buf events_of(struct span body) {
    struct buf events = buf_with_ceiling(SSIZE_MAX);
    struct event_splitter splitter;
    struct event event;
    enum splitter_item item;
    event_splitter_init(&splitter, body);
    while ((item = event_splitter_next(&splitter, &event)) != SPLITTER_END) {
        assert_int_equal(item, SPLITTER_EVENT);
        buf_append(&events, event.text);
        buf_append_char(&events, '\n');
    }
    return events;
}

static void the_sample_bodies_of_a_cut_record_give_what_was_cut(void **state) {
    (void)state;
    cJSON *manifest = read_json_file(BATCHES, "split/manifest.json");
    const cJSON *entry;
    int cases = 0;
    cJSON_ArrayForEach(entry, cJSON_GetObjectItem(manifest, "cases")) {
        struct event_reader reader = event_reader_empty();
        struct buf events = buf_with_ceiling(SSIZE_MAX);
        const cJSON *post;
        cJSON_ArrayForEach(post, cJSON_GetObjectItem(entry, "posts")) {
            struct buf body = read_data_file(BATCHES, post->valuestring);
            read_body(&reader, buf_span(&body), &events);
            buf_done(&body);
        }
        struct buf whole = read_data_file(BATCHES, json_text(entry, "expected"));
        struct buf expected = events_of(buf_span(&whole));
        assert_events(&events, buf_span(&expected));
        buf_done(&whole);
        buf_done(&expected);
        buf_done(&events);
        event_reader_done(&reader);
        cases++;
    }
    assert_true(cases > 0);
    cJSON_Delete(manifest);
}

/* Cuts `event` as the platform does, before the record's byte `at`, with `before` and `behind`
 * around it, and expects the event between theirs. */
static void assert_cut_is_healed(const struct event *event, size_t at) {
    struct span envelope = span_first(event->text, (size_t)(event->record.ptr - event->text.ptr));
    struct buf head = buf_with_ceiling(SSIZE_MAX);
    struct buf tail = buf_with_ceiling(SSIZE_MAX);
    buf_append(&head, SPAN("[" A ","));
    buf_append(&head, envelope);
    buf_append(&head, span_first(event->record, at));
    buf_append(&head, SPAN("}]"));
    buf_append_char(&tail, '[');
    buf_append(&tail, envelope);
    buf_append(&tail, span_skip(event->record, at));
    buf_append(&tail, SPAN("}," DONE "]"));
    struct event_reader reader = event_reader_empty();
    struct buf events = buf_with_ceiling(SSIZE_MAX);
    read_body(&reader, buf_span(&head), &events);
    assert_events(&events, SPAN(A "\n"));
    assert_int_equal(event_reader_held(&reader), envelope.len + at);
    read_body(&reader, buf_span(&tail), &events);
    struct span got = span_skip(buf_span(&events), strlen(A "\n"));
    assert_true(span_starts_with(got, event->text));
    assert_true(span_equals(span_skip(got, event->text.len), SPAN("\n" DONE "\n")));
    buf_done(&head);
    buf_done(&tail);
    buf_done(&events);
    event_reader_done(&reader);
}

static void cut_every_event(const char *file, size_t cuts_per_event) {
    struct buf body = read_data_file(BATCHES, file);
    struct event_splitter splitter;
    struct event event;
    event_splitter_init(&splitter, buf_span(&body));
    for (size_t i = 0; event_splitter_next(&splitter, &event) == SPLITTER_EVENT; i++) {
        size_t step = event.record.len / cuts_per_event + 1;
        for (size_t at = step == 1 ? 0 : i % step; at < event.record.len; at += step) {
            assert_cut_is_healed(&event, at);
        }
    }
    buf_done(&body);
}

static void a_record_may_be_cut_anywhere(void **state) {
    (void)state;
    cJSON *manifest = read_json_file(BATCHES, "manifest.json");
    const cJSON *entry;
    cJSON_ArrayForEach(entry, cJSON_GetObjectItem(manifest, "files")) {
        int events = cJSON_GetObjectItem(entry, "events")->valueint;
        double bytes = cJSON_GetObjectItem(entry, "bytes")->valuedouble;
        size_t cuts = events >= 500 ? 3 : bytes > 100000 ? 60 : 1000;
        cut_every_event(json_text(entry, "file"), cuts);
    }
    cJSON_Delete(manifest);
}

/* The same with what is rare in logs: numbers, words, nesting, lists of events, all escapes. */
static void a_structured_record_may_be_cut_anywhere(void **state) {
    (void)state;
    static const char *const records[] = {
        "{\"n\":[0,-1.5e+10,true,false,null,{}],\"e\":[]}",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude80\xf0\x9f\x9a\x80\xe2\x82\xac\xc3\xa9\"",
        "{\"events\":[" A "," B "],\"more\":[[" A "]," B ",{\"l\":" A "}]}",
        "[[[[1]],\"}]\"],{\"}]\":\"}}]\"}]",
        "{ \"a\" : 1 ,\n \"b\" : [ 1 , 2 ] }",
    };
    for (size_t i = 0; i < sizeof records / sizeof *records; i++) {
        struct buf text = buf_with_ceiling(SSIZE_MAX);
        buf_append_format(&text, ENVELOPE "%s}", records[i]);
        struct event event = {.text = buf_span(&text)};
        event.record = span_of(text.ptr + strlen(ENVELOPE), strlen(records[i]));
        for (size_t at = 0; at < event.record.len; at++) {
            assert_cut_is_healed(&event, at);
        }
        buf_done(&text);
    }
}

static void a_record_may_be_cut_twice_anywhere(void **state) {
    (void)state;
    static const char record[] = "{\"m\":\"a\\n\\ud83d\\ude80\xf0\x9f\x9a\x80\",\"n\":[-1.5,true]}";
    size_t length = strlen(record);
    for (size_t first = 0; first < length; first++) {
        for (size_t second = first + 1; second < length; second++) {
            char bodies[3][128];
            (void)snprintf(bodies[0], sizeof bodies[0], "[" ENVELOPE "%.*s}]", (int)first, record);
            (void)snprintf(bodies[1], sizeof bodies[1], "[" ENVELOPE "%.*s}]",
                           (int)(second - first), record + first);
            (void)snprintf(bodies[2], sizeof bodies[2], "[" ENVELOPE "%s}]", record + second);
            char expected[128];
            (void)snprintf(expected, sizeof expected, ENVELOPE "%s}\n", record);
            const char *const posts[] = {bodies[0], bodies[1], bodies[2]};
            assert_bodies_give(posts, expected);
        }
    }
}

static void what_follows_a_lone_half_is_still_found(void **state) {
    (void)state;
    static const char record[] = "{\"m\":\"a\\\"\\n\xc3\xa9 }},{ \",\"n\":[-1.5,true,{\"x\":{}}]}";
    for (size_t at = 1; at < strlen(record); at++) {
        struct event_reader reader = event_reader_empty();
        struct buf events = buf_with_ceiling(SSIZE_MAX);
        struct buf tail = buf_with_ceiling(SSIZE_MAX);
        buf_append_format(&tail, "[" ENVELOPE "%s}," DONE "]", record + at);
        read_body(&reader, buf_span(&tail), &events);
        assert_true(span_ends_with(buf_span(&events), SPAN("\n" DONE "\n")));
        buf_done(&tail);
        buf_done(&events);
        event_reader_done(&reader);
    }
}

static struct event first_event(struct event_reader *reader, struct span bytes) {
    struct event event;
    struct buf body = copy_of(bytes);
    event_reader_open(reader, &body);
    assert_int_equal(event_reader_next(reader, &event), READER_UNPARSED);
    return event;
}

static void invalid_bytes_are_kept_exactly(void **state) {
    (void)state;
    struct event_reader reader = event_reader_empty();
    struct event event = first_event(&reader, SPAN("a\xff\"\n\x01"));
    assert_true(span_equals(event.text, SPAN(UNPARSED "\"a\xEF\xBF\xBD\\\"\\n\\u0001\","
                                                      "\"recordBase64\":\"Yf8iCgE=\"}")));
    assert_true(span_equals(event.type, SPAN("extension.unparsed")));
    assert_true(span_equals(event.record, SPAN("\"a\xEF\xBF\xBD\\\"\\n\\u0001\"")));
    assert_true(event.has_others);
    event_reader_done(&reader);
}

static void every_malformed_sample_is_unparsed_and_whole(void **state) {
    (void)state;
    cJSON *manifest = read_json_file(BATCHES, "manifest.json");
    const cJSON *name;
    cJSON_ArrayForEach(name, cJSON_GetObjectItem(manifest, "malformed")) {
        struct event_reader reader = event_reader_empty();
        struct buf body = read_data_file(BATCHES, name->valuestring);
        struct event event;
        enum reader_item last = READER_END;
        enum reader_item item;
        event_reader_open(&reader, &body);
        while ((item = event_reader_next(&reader, &event)) != READER_END) {
            cJSON *parsed = cJSON_ParseWithLength(event.text.ptr, event.text.len);
            assert_non_null(parsed);
            cJSON_Delete(parsed);
            last = item;
        }
        assert_int_equal(last, READER_UNPARSED);
        assert_int_equal(event_reader_held(&reader), 0);
        event_reader_done(&reader);
    }
    cJSON_Delete(manifest);
}

static void a_head_is_held_only_up_to_a_bound(void **state) {
    (void)state;
    for (int over = 0; over <= 1; over++) {
        struct buf body = copy_of(SPAN("[" ENVELOPE "\""));
        size_t filling = (size_t)EVENT_HELD_BYTES_MAX - (body.len - 1) + (size_t)over;
        memset(buf_reserve(&body, filling), 'x', filling);
        buf_commit(&body, filling);
        buf_append(&body, SPAN("}]"));
        struct event_reader reader = event_reader_empty();
        struct event event;
        event_reader_open(&reader, &body);
        assert_int_equal(event_reader_next(&reader, &event), over ? READER_UNPARSED : READER_END);
        assert_int_equal(event_reader_held(&reader), over ? 0 : EVENT_HELD_BYTES_MAX);
        event_reader_done(&reader);
    }
}

static void without_memory_the_same_event_comes_again(void **state) {
    (void)state;
    struct event_reader reader = event_reader_empty();
    struct buf body = copy_of(SPAN("[nope," A "]"));
    struct event event;
    reader.rendered.ceiling = 10;
    event_reader_open(&reader, &body);
    assert_int_equal(event_reader_next(&reader, &event), READER_NO_MEMORY);
    assert_int_equal(event_reader_next(&reader, &event), READER_NO_MEMORY);
    reader.rendered.ceiling = SSIZE_MAX;
    assert_int_equal(event_reader_next(&reader, &event), READER_UNPARSED);
    assert_true(span_equals(event.record, SPAN("\"nope\"")));
    assert_int_equal(event_reader_next(&reader, &event), READER_EVENT);
    assert_int_equal(event_reader_next(&reader, &event), READER_END);
    event_reader_done(&reader);
}

static void without_memory_an_orphan_stays(void **state) {
    (void)state;
    struct event_reader reader = event_reader_empty();
    struct buf events = buf_with_ceiling(SSIZE_MAX);
    struct event event;
    read_body(&reader, SPAN("[" ENVELOPE "\"AA}]"), &events);
    event_reader_give_up_held(&reader);
    reader.rendered.ceiling = 10;
    assert_int_equal(event_reader_next(&reader, &event), READER_NO_MEMORY);
    reader.rendered.ceiling = SSIZE_MAX;
    assert_int_equal(event_reader_next(&reader, &event), READER_UNPARSED);
    assert_int_equal(event_reader_next(&reader, &event), READER_END);
    assert_int_equal(event_reader_next(&reader, &event), READER_END);
    buf_done(&events);
    event_reader_done(&reader);
}

static void without_memory_a_head_is_yielded_and_a_join_given_up(void **state) {
    (void)state;
    struct event_reader reader = event_reader_empty();
    struct buf events = buf_with_ceiling(SSIZE_MAX);
    reader.held.ceiling = 10;
    read_body(&reader, SPAN("[" ENVELOPE "\"AA}]"), &events);
    assert_int_equal(event_reader_held(&reader), 0);
    assert_true(events.len > 0);
    buf_clear(&events);
    reader.held.ceiling = strlen(ENVELOPE) + 5;
    read_body(&reader, SPAN("[" ENVELOPE "\"AA}]"), &events);
    assert_int_equal(events.len, 0);
    read_body(&reader, SPAN("[" ENVELOPE "BB\"}," B "]"), &events);
    assert_events(&events, SPAN(LONE("\\\"AA") LONE("BB\\\"}") B "\n"));
    buf_done(&events);
    event_reader_done(&reader);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joins_what_belongs_together_and_nothing_else),
        cmocka_unit_test(the_sample_bodies_of_a_cut_record_give_what_was_cut),
        cmocka_unit_test(a_record_may_be_cut_anywhere),
        cmocka_unit_test(a_structured_record_may_be_cut_anywhere),
        cmocka_unit_test(a_record_may_be_cut_twice_anywhere),
        cmocka_unit_test(what_follows_a_lone_half_is_still_found),
        cmocka_unit_test(invalid_bytes_are_kept_exactly),
        cmocka_unit_test(every_malformed_sample_is_unparsed_and_whole),
        cmocka_unit_test(a_head_is_held_only_up_to_a_bound),
        cmocka_unit_test(without_memory_the_same_event_comes_again),
        cmocka_unit_test(without_memory_an_orphan_stays),
        cmocka_unit_test(without_memory_a_head_is_yielded_and_a_join_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
