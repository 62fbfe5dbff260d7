// SPDX-License-Identifier: MIT
#include "pipeline/event_splitter.h"

#include "../guarded.h"
#include "../test_data.h"
#include "pipeline/json_scanner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* An envelope and its event, and another event, in as few letters as possible. */
#define ENVELOPE "{\"time\":\"t\",\"type\":\"f\",\"record\":"
#define A ENVELOPE "\"a\"}"
#define B ENVELOPE "\"b\"}"

static bool is_punctuation(char c) { return memchr(" \t\r\n,[]", c, 8) != NULL; }

/* Writes every item as its kind and its text, each ended by a newline, and checks that what lies
 * between them is the array's punctuation. */
static void split(struct span body, struct buf *items) {
    static const char kinds[] = {
        [SPLITTER_EVENT] = 'E', [SPLITTER_UNPARSED] = 'U', [SPLITTER_CUT] = 'C'};
    struct event_splitter splitter;
    struct event event;
    enum splitter_item item;
    const char *covered = body.ptr;
    const char *end = body.ptr + body.len;
    event_splitter_init(&splitter, body);
    while ((item = event_splitter_next(&splitter, &event)) != SPLITTER_END) {
        buf_append_char(items, kinds[item]);
        buf_append(items, event.text);
        buf_append_char(items, '\n');
        if (event.text.len == 0) {
            assert_int_equal(body.len, 0);
            continue;
        }
        for (; covered < event.text.ptr; covered++) {
            assert_true(is_punctuation(*covered));
        }
        assert_ptr_equal(covered, event.text.ptr);
        covered += event.text.len;
        if (item == SPLITTER_CUT) {
            assert_memory_equal(covered, "}]", 2);
            covered += 2;
        }
    }
    for (; covered < end; covered++) {
        assert_true(is_punctuation(*covered));
    }
    assert_int_equal(event_splitter_next(&splitter, &event), SPLITTER_END);
}

static void assert_items(struct span body, struct span expected) {
    struct buf items = buf_with_ceiling(SSIZE_MAX);
    struct guarded guarded = guarded_copy(body);
    split(guarded.text, &items);
    if (!span_equals(buf_span(&items), expected)) {
        print_error("body:\n%.*s\nitems:\n%.*sexpected:\n%.*s", SPAN_ARGS(body),
                    SPAN_ARGS(buf_span(&items)), SPAN_ARGS(expected));
        fail();
    }
    guarded_done(&guarded);
    buf_done(&items);
}

static void slices_bodies_of_every_shape(void **state) {
    (void)state;
    static const struct {
        const char *body;
        const char *items;
    } cases[] = {
        {"[]", ""},
        {" [ ] \n", ""},
        {"[" A "]", "E" A "\n"},
        {"[" A "," B "]", "E" A "\nE" B "\n"},
        {" [\n " A " ,\r\n\t" B " ] ", "E" A "\nE" B "\n"},
        {"[{}]", "E{}\n"},
        {"[ {\n} ]", "E{\n}\n"},
        /* no array */
        {"", "U\n"},
        {" \n", "U \n\n"},
        {"hello", "Uhello\n"},
        {A "\n" B, "U" A "\n" B "\n"},
        {"\xEF\xBB\xBF[" A "]", "U\xEF\xBB\xBF[" A "]\n"},
        /* elements that are no events */
        {"[1]", "U1\n"},
        {"[null,\"x\", [1,2] ," A "]", "Unull\nU\"x\"\nU[1,2]\nE" A "\n"},
        {"[1 2," A "]", "U1 2\nE" A "\n"},
        {"[," A ",]", "E" A "\n"},
        /* invalid elements, and what follows them */
        {"[nope," A "]", "Unope\nE" A "\n"},
        {"[{\"a\":01}," A "]", "U{\"a\":01}\nE" A "\n"},
        {"[" ENVELOPE "nope}," A "]", "U" ENVELOPE "nope}\nE" A "\n"},
        {"[" ENVELOPE "\"\n\"}," A "," B "]", "U" ENVELOPE "\"\n\"}\nE" A "\nE" B "\n"},
        {"[" ENVELOPE "\"\xff\"}]", "U" ENVELOPE "\"\xff\"}\n"},
        {"[" ENVELOPE "\"\\x\"}]", "U" ENVELOPE "\"\\x\"}\n"},
        {"[" ENVELOPE "\"\\ud83d\"}]", "U" ENVELOPE "\"\\ud83d\"}\n"},
        {"[" ENVELOPE "1}}," B "]", "U" ENVELOPE "1}}\nE" B "\n"},
        {"[" ENVELOPE "1} x," B "]", "U" ENVELOPE "1} x\nE" B "\n"},
        /* the end of the array is missing, or not the end */
        {"[", ""},
        {"[" A, "E" A "\n"},
        {"[" A ",", "E" A "\n"},
        {"[" A "," ENVELOPE "\"cut in the mid", "E" A "\nU" ENVELOPE "\"cut in the mid\n"},
        {"[]]]", "U]]\n"},
        {"[" A "] x", "E" A "\nUx\n"},
        {"[" A "]," B "]", "E" A "\nE" B "\n"},
        {"[" A "]" B, "E" A "\nE" B "\n"},
        {"[" A "][" B "]", "E" A "\nU[" B "]\n"},
        {"[" A "]x," B "]", "E" A "\nUx\nE" B "\n"},
        /* cut by the platform */
        {"[" ENVELOPE "\"AAAA}]", "C" ENVELOPE "\"AAAA\n"},
        {"[" A "," ENVELOPE "{\"m\":\"AAAA}]", "E" A "\nC" ENVELOPE "{\"m\":\"AAAA\n"},
        {"[" ENVELOPE "\"AAAA}] \n", "C" ENVELOPE "\"AAAA\n"},
        {"[" ENVELOPE "}]", "C" ENVELOPE "\n"},
        {"[" ENVELOPE "[1,{\"a\":{\"b\":2}]", "C" ENVELOPE "[1,{\"a\":{\"b\":2\n"},
        {"[" ENVELOPE "{\"a\":[{\"b\":1}]", "C" ENVELOPE "{\"a\":[{\"b\":1\n"},
        {"[" ENVELOPE "{\"a\":-}]", "C" ENVELOPE "{\"a\":-\n"},
        {"[" ENVELOPE "{\"a\":1.}]", "C" ENVELOPE "{\"a\":1.\n"},
        {"[" ENVELOPE "{\"a\":1e}]", "C" ENVELOPE "{\"a\":1e\n"},
        {"[" ENVELOPE "{\"a\":fal}]", "C" ENVELOPE "{\"a\":fal\n"},
        {"[" ENVELOPE "\"\\}]", "C" ENVELOPE "\"\\\n"},
        {"[" ENVELOPE "\"\\u00}]", "C" ENVELOPE "\"\\u00\n"},
        {"[" ENVELOPE "\"\\ud83d}]", "C" ENVELOPE "\"\\ud83d\n"},
        {"[" ENVELOPE "\"\\ud83d\\ud}]", "C" ENVELOPE "\"\\ud83d\\ud\n"},
        {"[" ENVELOPE "\"\xf0\x9f}]", "C" ENVELOPE "\"\xf0\x9f\n"},
        /* a nested list of events is no reason to take the head apart */
        {"[" ENVELOPE "{\"l\":[" A "," B ",\"x}]", "C" ENVELOPE "{\"l\":[" A "," B ",\"x\n"},
        /* almost cut, but wrong before its end, or no envelope */
        {"[{\"time\":\"t\",\"record\":\"AAAA}]", "U{\"time\":\"t\",\"record\":\"AAAA}\n"},
        {"[" ENVELOPE "[1}2}]", "U" ENVELOPE "[1}2}\n"},
        {"[" ENVELOPE "\"\\u0}0}]", "U" ENVELOPE "\"\\u0}0}\n"},
        {"[" ENVELOPE "\"AAAA}", "U" ENVELOPE "\"AAAA}\n"},
        /* the other half of one, alone */
        {"[" ENVELOPE "BBBB\"}}," B "]", "U" ENVELOPE "BBBB\"}}\nE" B "\n"},
        {"[" ENVELOPE "\"}}," B "]", "U" ENVELOPE "\"}}\nE" B "\n"},
        {"[" ENVELOPE "}," B "]", "U" ENVELOPE "}\nE" B "\n"},
        {"[" ENVELOPE "1]," A "],\"m\":2}}," B "]",
         "U" ENVELOPE "1]\nE" A "\nU\"m\":2}}\nE" B "\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_items(span_of_text(cases[i].body), span_of_text(cases[i].items));
    }
}

static void a_nul_byte_is_no_end_of_text(void **state) {
    (void)state;
    assert_items(SPAN("[" ENVELOPE "\"\0\"}," B "]"), SPAN("U" ENVELOPE "\"\0\"}\nE" B "\n"));
    assert_items(SPAN("\0"), SPAN("U\0\n"));
    assert_items(SPAN("[" A "]\0"), SPAN("E" A "\nU\0\n"));
}

static void the_members_of_an_event_are_spans_of_the_body(void **state) {
    (void)state;
    static const struct {
        const char *text, *time, *type, *record;
        bool has_others;
    } cases[] = {
        {"{\"time\":\"t\",\"type\":\"f\",\"record\":\"x\\n\"}", "t", "f", "\"x\\n\"", false},
        {"{ \"record\" : { \"a\" : 1 } , \"type\" : \"f\" }", "", "f", "{ \"a\" : 1 }", false},
        {"{\"time\":12,\"type\":null}", "", "", "", false},
        {"{\"time\":\"t\",\"type\":\"f\",\"record\":1,\"x\":{}}", "t", "f", "1", true},
        {"{\"record\":1,\"record\":12}", "", "", "12", true},
        {"{\"a\":{\"time\":\"t\"}}", "", "", "", true},
        {"{}", "", "", "", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf body = buf_with_ceiling(4096);
        buf_append_format(&body, "[%s]", cases[i].text);
        struct event_splitter splitter;
        struct event event;
        event_splitter_init(&splitter, buf_span(&body));
        assert_int_equal(event_splitter_next(&splitter, &event), SPLITTER_EVENT);
        assert_true(span_equals(event.text, span_of_text(cases[i].text)));
        assert_true(span_equals(event.time, span_of_text(cases[i].time)));
        assert_true(span_equals(event.type, span_of_text(cases[i].type)));
        assert_true(span_equals(event.record, span_of_text(cases[i].record)));
        assert_int_equal(event.has_others, cases[i].has_others);
        buf_done(&body);
    }
}

static void knows_an_envelope_when_it_sees_one(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t length;
    } cases[] = {
        {ENVELOPE "123}", strlen(ENVELOPE)},
        {ENVELOPE, strlen(ENVELOPE)},
        {"{\"time\":\"t\",\"type\":\"f\",\"record\"", 0},
        {"{\"time\":\"t\",\"type\":\"f", 0},
        {"{\"time\":\"t\", \"type\":\"f\",\"record\":1", 0},
        {"{\"type\":\"f\",\"time\":\"t\",\"record\":1", 0},
        {"{\"time\":1,\"type\":\"f\",\"record\":1", 0},
        {"", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct guarded guarded = guarded_copy(span_of_text(cases[i].text));
        assert_int_equal(event_envelope(guarded.text).len, cases[i].length);
        guarded_done(&guarded);
    }
}

/* What the manifest counts, found by the splitter; the events between commas must be the body. */
static void assert_as_in_manifest(const cJSON *entry) {
    struct buf body = read_data_file(BATCHES, json_text(entry, "file"));
    struct guarded guarded = guarded_copy(buf_span(&body));
    struct buf joined = buf_with_ceiling(SSIZE_MAX);
    cJSON *types = cJSON_Duplicate(cJSON_GetObjectItem(entry, "types"), true);
    struct event_splitter splitter;
    struct event event;
    enum splitter_item item;
    int events = 0;
    event_splitter_init(&splitter, guarded.text);
    while ((item = event_splitter_next(&splitter, &event)) != SPLITTER_END) {
        assert_int_equal(item, SPLITTER_EVENT);
        assert_false(event.has_others);
        buf_append(&joined, events++ == 0 ? SPAN("[") : SPAN(","));
        buf_append_format(&joined,
                          "{\"time\":\"%.*s\",\"type\":\"%.*s\",\"record\":", SPAN_ARGS(event.time),
                          SPAN_ARGS(event.type));
        buf_append(&joined, event.record);
        buf_append_char(&joined, '}');
        char type[64];
        (void)snprintf(type, sizeof type, "%.*s", SPAN_ARGS(event.type));
        cJSON *count = cJSON_GetObjectItemCaseSensitive(types, type);
        assert_non_null(count);
        cJSON_SetNumberValue(count, count->valuedouble - 1);
    }
    buf_append(&joined, events == 0 ? SPAN("[]") : SPAN("]"));
    assert_true(span_equals(buf_span(&joined), buf_span(&body)));
    assert_int_equal(events, cJSON_GetObjectItem(entry, "events")->valueint);
    const cJSON *left;
    cJSON_ArrayForEach(left, types) { assert_int_equal(left->valueint, 0); }
    cJSON_Delete(types);
    buf_done(&joined);
    guarded_done(&guarded);
    buf_done(&body);
}

static void every_sample_body_gives_its_events_byte_for_byte(void **state) {
    (void)state;
    cJSON *manifest = read_json_file(BATCHES, "manifest.json");
    const cJSON *entry;
    int files = 0;
    cJSON_ArrayForEach(entry, cJSON_GetObjectItem(manifest, "files")) {
        assert_as_in_manifest(entry);
        files++;
    }
    assert_true(files > 0);
    cJSON_Delete(manifest);
}

/* The body cut off at every byte, or with one byte replaced; splitting checks the covering. */
static void no_byte_is_lost_however_a_body_is_damaged(void **state) {
    (void)state;
    static const char *const files[] = {"logs-02-runtime-done.json",
                                        "logs-07-quotes-and-unicode.json"};
    for (size_t f = 0; f < sizeof files / sizeof *files; f++) {
        struct buf body = read_data_file(BATCHES, files[f]);
        struct buf items = buf_with_ceiling(SSIZE_MAX);
        for (size_t i = 0; i <= body.len; i++) {
            struct guarded part = guarded_copy(span_first(buf_span(&body), i));
            buf_clear(&items);
            split(part.text, &items);
            guarded_done(&part);
        }
        for (size_t i = 0; i < body.len; i++) {
            static const char damage[] = "\"\\{}[],\n\xff";
            char whole = body.ptr[i];
            for (size_t d = 0; d < sizeof damage; d++) {
                body.ptr[i] = damage[d];
                buf_clear(&items);
                split(buf_span(&body), &items);
            }
            body.ptr[i] = whole;
        }
        buf_done(&items);
        buf_done(&body);
    }
}

static void deep_nesting_is_bounded(void **state) {
    (void)state;
    for (size_t depth = JSON_DEPTH_MAX - 1; depth <= JSON_DEPTH_MAX + 1; depth++) {
        struct buf event = buf_with_ceiling(SSIZE_MAX);
        buf_append(&event, SPAN(ENVELOPE));
        for (size_t i = 0; i < depth; i++) {
            buf_append(&event, i % 3 == 0 ? SPAN("{\"a\":") : SPAN("["));
        }
        buf_append(&event, SPAN("0"));
        for (size_t i = depth; i-- > 0;) {
            buf_append_char(&event, i % 3 == 0 ? '}' : ']');
        }
        buf_append_char(&event, '}');
        struct buf body = buf_with_ceiling(SSIZE_MAX);
        struct buf expected = buf_with_ceiling(SSIZE_MAX);
        buf_append_format(&body, "[%s," B "]", buf_text(&event));
        buf_append_format(&expected, "%c%s\nE" B "\n", depth <= JSON_DEPTH_MAX ? 'E' : 'U',
                          buf_text(&event));
        assert_items(buf_span(&body), buf_span(&expected));
        buf_done(&event);
        buf_done(&body);
        buf_done(&expected);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slices_bodies_of_every_shape),
        cmocka_unit_test(a_nul_byte_is_no_end_of_text),
        cmocka_unit_test(the_members_of_an_event_are_spans_of_the_body),
        cmocka_unit_test(knows_an_envelope_when_it_sees_one),
        cmocka_unit_test(every_sample_body_gives_its_events_byte_for_byte),
        cmocka_unit_test(no_byte_is_lost_however_a_body_is_damaged),
        cmocka_unit_test(deep_nesting_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
