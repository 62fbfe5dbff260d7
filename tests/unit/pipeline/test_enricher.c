// SPDX-License-Identifier: MIT
#include "pipeline/enricher.h"

#include "../guarded.h"
#include "../test_data.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define LAMBDA                                                                                     \
    ",\"lambda\":{\"functionName\":\"orders\",\"functionVersion\":\"7\","                          \
    "\"accountId\":\"123456789012\",\"region\":\"eu-west-1\","                                     \
    "\"environmentId\":\"5f3c9a7e12d4\"}"
#define EVENT_ID(number) ",\"eventId\":\"5f3c9a7e12d4-" number "\""
#define FIRST EVENT_ID("000000000001")

static struct enricher_settings usual_settings(void) {
    return (struct enricher_settings){
        .enabled = true,
        .function_name = SPAN("orders"),
        .function_version = SPAN("7"),
        .account_id = SPAN("123456789012"),
        .region = SPAN("eu-west-1"),
        .environment_id = "5f3c9a7e12d4",
    };
}

static struct enricher enricher_with(const struct enricher_settings *settings) {
    struct enricher enricher;
    assert_true(enricher_init(&enricher, settings, NULL));
    return enricher;
}

static struct enricher usual_enricher(void) {
    struct enricher_settings settings = usual_settings();
    return enricher_with(&settings);
}

/* The event that `text` is; the splitter makes it, as in the program. */
static struct event event_of(struct span text) {
    struct event_splitter splitter;
    struct event event;
    struct buf body = buf_with_ceiling(SSIZE_MAX);
    buf_append_char(&body, '[');
    buf_append(&body, text);
    event_splitter_init(&splitter, buf_span(&body));
    assert_int_equal(event_splitter_next(&splitter, &event), SPLITTER_EVENT);
    ptrdiff_t moved = text.ptr - event.text.ptr;
    struct span *spans[] = {&event.text, &event.time, &event.type, &event.record};
    for (size_t i = 0; i < sizeof spans / sizeof *spans; i++) {
        spans[i]->ptr = spans[i]->ptr == NULL ? NULL : spans[i]->ptr + moved;
    }
    buf_done(&body);
    return event;
}

static struct buf whole(const struct line *line) {
    struct buf text = buf_with_ceiling(SSIZE_MAX);
    buf_append(&text, line->head);
    buf_append(&text, line->tail);
    assert_int_equal(text.len, line_length(line));
    return text;
}

static void assert_line(struct enricher *enricher, const char *text, const char *expected) {
    struct event event = event_of(span_of_text(text));
    struct line line;
    assert_true(enricher_line(enricher, &event, &line, NULL));
    struct buf got = whole(&line);
    assert_string_equal(buf_text(&got), expected);
    buf_done(&got);
}

static void an_event_keeps_its_members_first_and_gets_ours(void **state) {
    (void)state;
    static const struct {
        const char *text;
        const char *line;
    } cases[] = {
        {"{\"time\":\"t\",\"type\":\"function\",\"record\":\"x\\n\"}",
         "{\"time\":\"t\",\"type\":\"function\",\"record\":\"x\\n\"" FIRST LAMBDA "}"},
        {"{ \"type\" : \"x\" }", "{ \"type\" : \"x\" " FIRST LAMBDA "}"},
        {"{\"n\":12345678901234567890,\"z\":-0.0e+00,\"u\":\"\\u0000\"}",
         "{\"n\":12345678901234567890,\"z\":-0.0e+00,\"u\":\"\\u0000\"" FIRST LAMBDA "}"},
        /* nothing to put a comma behind */
        {"{}", "{\"eventId\":\"5f3c9a7e12d4-000000000001\"" LAMBDA "}"},
        {"{ }", "{ \"eventId\":\"5f3c9a7e12d4-000000000001\"" LAMBDA "}"},
        /* no member twice */
        {"{\"eventId\":1}", "{\"eventId\":1" LAMBDA "}"},
        {"{\"lambda\":1}", "{\"lambda\":1" FIRST "}"},
        {"{\"a\":{\"lambda\":1}}", "{\"a\":{\"lambda\":1}" FIRST LAMBDA "}"},
        {"{\"type\":\"platform.end\",\"requestId\":1,\"record\":{\"requestId\":\"8b1f\"}}",
         "{\"type\":\"platform.end\",\"requestId\":1,\"record\":{\"requestId\":\"8b1f\"}" FIRST
             LAMBDA "}"},
        {"{\"lambda\":1,\"eventId\":2}", "{\"lambda\":1,\"eventId\":2}"},
        /* pretty-printed */
        {"{\n  \"type\": \"x\",\r\n  \"record\": [\n1\n]\n}",
         "{   \"type\": \"x\",    \"record\": [ 1 ] " FIRST LAMBDA "}"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct enricher enricher = usual_enricher();
        assert_line(&enricher, cases[i].text, cases[i].line);
        enricher_done(&enricher);
    }
}

static void renewed_its_lines_are_of_another_environment(void **state) {
    (void)state;
    static const char event[] = "{\"type\":\"x\"}";
    struct enricher enricher = usual_enricher();
    assert_line(&enricher, event, "{\"type\":\"x\"" FIRST LAMBDA "}");
    enricher_renew(&enricher, "0123456789ab");
    assert_string_equal(enricher.environment_id, "0123456789ab");
    for (int number = 1; number <= 2; number++) {
        char line[512];
        (void)snprintf(line, sizeof line,
                       "{\"type\":\"x\",\"eventId\":\"0123456789ab-%012d\",\"lambda\":{"
                       "\"functionName\":\"orders\",\"functionVersion\":\"7\","
                       "\"accountId\":\"123456789012\",\"region\":\"eu-west-1\","
                       "\"environmentId\":\"0123456789ab\"}}",
                       number);
        assert_line(&enricher, event, line);
    }
    enricher_done(&enricher);
}

static void without_enrichment_lines_are_the_events(void **state) {
    (void)state;
    struct enricher_settings settings = usual_settings();
    settings.enabled = false;
    struct enricher enricher = enricher_with(&settings);
    assert_line(&enricher, "{\"type\":\"x\"}", "{\"type\":\"x\"}");
    assert_line(&enricher, "{}", "{}");
    assert_line(&enricher, "{\n}", "{ }");
    enricher_done(&enricher);
}

static void tags_and_names_are_escaped_and_empty_names_left_out(void **state) {
    (void)state;
    const struct tag tags[] = {{SPAN("team"), SPAN("pay\"ments\"")},
                               {SPAN("back\\slash"), SPAN("")}};
    struct enricher_settings settings = {
        .enabled = true,
        .region = SPAN("a\"b"),
        .environment_id = "5f3c9a7e12d4",
        .tags = tags,
        .tag_count = 2,
    };
    struct enricher enricher = enricher_with(&settings);
    assert_line(&enricher, "{\"a\":1}",
                "{\"a\":1" FIRST ",\"lambda\":{\"region\":\"a\\\"b\","
                "\"environmentId\":\"5f3c9a7e12d4\"},"
                "\"tags\":{\"team\":\"pay\\\"ments\\\"\",\"back\\\\slash\":\"\"}}");
    assert_line(&enricher, "{\"tags\":[]}",
                "{\"tags\":[]" EVENT_ID("000000000002") ",\"lambda\":{\"region\":\"a\\\"b\","
                                                        "\"environmentId\":\"5f3c9a7e12d4\"}}");
    enricher_done(&enricher);
}

static void event_ids_count_up_and_may_outgrow_their_digits(void **state) {
    (void)state;
    struct enricher enricher = usual_enricher();
    assert_line(&enricher, "{\"a\":1}", "{\"a\":1" FIRST LAMBDA "}");
    assert_line(&enricher, "{\"a\":1}", "{\"a\":1" EVENT_ID("000000000002") LAMBDA "}");
    enricher.next_event = 999999999999;
    assert_line(&enricher, "{\"a\":1}", "{\"a\":1" EVENT_ID("999999999999") LAMBDA "}");
    assert_line(&enricher, "{\"a\":1}", "{\"a\":1" EVENT_ID("1000000000000") LAMBDA "}");
    enricher.next_event = UINT64_MAX;
    assert_line(&enricher, "{\"a\":1}", "{\"a\":1" EVENT_ID("18446744073709551615") LAMBDA "}");
    enricher_done(&enricher);
}

#define PLATFORM(type, id) "{\"type\":\"platform." type "\",\"record\":{\"requestId\":\"" id "\"}}"
#define UUID "8b1f6c2e-0a3d-4e5f-9071-a2b3c4d5e6f7"
#define STRUCTURED                                                                                 \
    "{\"timestamp\":\"t\",\"level\":\"INFO\",\"requestId\":\"" UUID "\",\"message\":\"x\"}"
#define LOG "{\"type\":\"function\",\"record\":\"x\"}"

static void every_event_gets_the_request_it_belongs_to(void **state) {
    (void)state;
    static const struct {
        const char *text;
        const char *request_id;
    } events[] = {
        {LOG, ""},
        {PLATFORM("initReport", ""), ""},
        {PLATFORM("start", "aaaa"), "aaaa"},
        {LOG, "aaaa"},
        {"{\"type\":\"extension\",\"record\":\"x\"}", "aaaa"},
        {"{\"type\":\"extension.unparsed\",\"record\":\"x\"}", "aaaa"},
        {"{\"type\":\"platform.fault\",\"record\":\"RequestId: cccc Process exited\"}", "aaaa"},
        /* what a function writes about itself does not decide */
        {"{\"type\":\"function\",\"record\":{\"requestId\":\"dddd\"}}", "aaaa"},
        /* but for the runtime's own layout: work that an earlier invocation left behind */
        {"{\"type\":\"function\",\"record\":" STRUCTURED "}", UUID},
        {"{\"type\":\"extension\",\"record\":" STRUCTURED "}", "aaaa"},
        {PLATFORM("runtimeDone", "aaaa"), "aaaa"},
        {LOG, "aaaa"},
        /* a late report of an earlier one closes nothing */
        {PLATFORM("report", "bbbb"), "bbbb"},
        {LOG, "aaaa"},
        {PLATFORM("report", "aaaa"), "aaaa"},
        {LOG, ""},
        {PLATFORM("end", "aaaa"), "aaaa"},
        {LOG, ""},
        {PLATFORM("start", "bbbb"), "bbbb"},
        {LOG, "bbbb"},
        /* the report was lost; a start without an id opens an unknown one */
        {PLATFORM("start", "cccc"), "cccc"},
        {LOG, "cccc"},
        {"{\"type\":\"platform.start\",\"record\":{}}", ""},
        {LOG, ""},
    };
    for (int enabled = 0; enabled <= 1; enabled++) {
        struct enricher enricher = usual_enricher();
        enricher.enabled = enabled;
        for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
            struct event event = event_of(span_of_text(events[i].text));
            struct line line;
            assert_true(enricher_line(&enricher, &event, &line, NULL));
            assert_true(span_equals(line.request_id, span_of_text(events[i].request_id)));
            struct buf member = buf_with_ceiling(256);
            buf_append_format(&member, ",\"requestId\":\"%s\",\"eventId\":", events[i].request_id);
            bool has_member = span_starts_with(line.tail, buf_span(&member));
            assert_int_equal(has_member, enabled && events[i].request_id[0] != '\0');
            buf_done(&member);
        }
        enricher_done(&enricher);
    }
}

/* Whatever was made for it and could serve again. */
static void a_line_owes_nothing_to_the_one_before(void **state) {
    (void)state;
    static const char *const texts[] = {
        LOG,
        PLATFORM("start", "aaaa"),
        PLATFORM("start", "bbbb"),
        PLATFORM("start", "cc"),
        PLATFORM("report", "aaaa"),
        "{}",
        "{\"requestId\":1}",
        "{\"eventId\":1}",
        "{\"lambda\":1,\"tags\":2}",
        "{\"requestId\":1,\"eventId\":2,\"lambda\":3,\"tags\":4}",
    };
    const size_t count = sizeof texts / sizeof *texts;
    for (size_t i = 0; i < count * count; i++) {
        struct event before = event_of(span_of_text(texts[i / count]));
        struct event event = event_of(span_of_text(texts[i % count]));
        struct enricher used = usual_enricher();
        struct enricher fresh = usual_enricher();
        struct line line;
        assert_true(enricher_line(&used, &before, &line, NULL));
        enricher_observe(&fresh, &before);
        fresh.next_event = 2;
        assert_true(enricher_line(&fresh, &event, &line, NULL));
        struct buf expected = whole(&line);
        assert_line(&used, texts[i % count], buf_text(&expected));
        buf_done(&expected);
        enricher_done(&fresh);
        enricher_done(&used);
    }
}

static void of_many_invocations_at_once_none_is_the_open_one(void **state) {
    (void)state;
    static const struct {
        const char *text;
        const char *request_id;
    } events[] = {
        {PLATFORM("start", "aaaa"), "aaaa"},
        {PLATFORM("start", "bbbb"), "bbbb"},
        {LOG, ""},
        {"{\"type\":\"extension\",\"record\":\"x\"}", ""},
        {"{\"type\":\"platform.extension\",\"record\":{}}", ""},
        {"{\"type\":\"function\",\"record\":" STRUCTURED "}", UUID},
        {"{\"type\":\"extension.functionTerminated\",\"record\":{\"requestId\":\"bbbb\"}}", "bbbb"},
        {PLATFORM("report", "aaaa"), "aaaa"},
        {LOG, ""},
    };
    struct enricher_settings settings = usual_settings();
    settings.concurrent = true;
    struct enricher enricher = enricher_with(&settings);
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        struct event event = event_of(span_of_text(events[i].text));
        struct line line;
        assert_true(enricher_line(&enricher, &event, &line, NULL));
        assert_true(span_equals(line.request_id, span_of_text(events[i].request_id)));
    }
    enricher_done(&enricher);
}

static void an_event_that_is_not_shipped_opens_and_closes_too(void **state) {
    (void)state;
    struct enricher enricher = usual_enricher();
    struct event start = event_of(span_of_text(PLATFORM("start", "aaaa")));
    struct event report = event_of(span_of_text(PLATFORM("report", "aaaa")));
    enricher_observe(&enricher, &start);
    assert_line(&enricher, "{\"a\":1}", "{\"a\":1,\"requestId\":\"aaaa\"" FIRST LAMBDA "}");
    enricher_observe(&enricher, &report);
    assert_line(&enricher, "{\"a\":1}", "{\"a\":1" EVENT_ID("000000000002") LAMBDA "}");
    enricher_done(&enricher);
}

static void without_memory_nothing_has_happened(void **state) {
    (void)state;
    struct enricher enricher = usual_enricher();
    struct event start = event_of(span_of_text(PLATFORM("start", "aaaa")));
    struct event pretty = event_of(SPAN("{\"a\":\n1}"));
    struct line line;
    struct error err = {0};
    enricher.tail.ceiling = 100;
    assert_false(enricher_line(&enricher, &start, &line, &err));
    assert_int_equal(err.code, ERR_MEMORY);
    enricher.tail.ceiling = SSIZE_MAX;
    enricher.head.ceiling = 4;
    assert_false(enricher_line(&enricher, &pretty, &line, &err));
    enricher.head.ceiling = SSIZE_MAX;
    assert_line(&enricher, "{\"a\":\n1}", "{\"a\": 1" FIRST LAMBDA "}");
    enricher_done(&enricher);
}

/* The line starts with the event as it came, and cJSON reads what was added to it. */
static void assert_good_line(const struct line *line, const struct event *event) {
    struct buf text = whole(line);
    assert_true(span_starts_with(buf_span(&text), span_first(event->text, event->text.len - 1)));
    assert_null(memchr(text.ptr, '\n', text.len));
    cJSON *parsed = cJSON_ParseWithLength(text.ptr, text.len);
    assert_non_null(parsed);
    assert_string_equal(json_text(cJSON_GetObjectItem(parsed, "lambda"), "functionName"), "orders");
    assert_int_equal(strlen(json_text(parsed, "eventId")), 12 + 1 + 12);
    struct event again = event_of(buf_span(&text));
    assert_true(span_equals(again.record, event->record));
    assert_int_equal(again.text.len, text.len);
    cJSON_Delete(parsed);
    buf_done(&text);
}

static void every_sample_event_becomes_a_good_line(void **state) {
    (void)state;
    cJSON *manifest = read_json_file(BATCHES, "manifest.json");
    const cJSON *entry;
    cJSON_ArrayForEach(entry, cJSON_GetObjectItem(manifest, "files")) {
        if (cJSON_GetObjectItem(entry, "events")->valueint > 1000) {
            continue; /* ten thousand of one kind, which the smaller files have too */
        }
        struct buf body = read_data_file(BATCHES, json_text(entry, "file"));
        struct guarded guarded = guarded_copy(buf_span(&body));
        struct enricher enricher = usual_enricher();
        struct event_splitter splitter;
        struct event event;
        struct line line;
        event_splitter_init(&splitter, guarded.text);
        while (event_splitter_next(&splitter, &event) == SPLITTER_EVENT) {
            assert_true(enricher_line(&enricher, &event, &line, NULL));
            assert_good_line(&line, &event);
        }
        enricher_done(&enricher);
        guarded_done(&guarded);
        buf_done(&body);
    }
    cJSON_Delete(manifest);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_keeps_its_members_first_and_gets_ours),
        cmocka_unit_test(renewed_its_lines_are_of_another_environment),
        cmocka_unit_test(without_enrichment_lines_are_the_events),
        cmocka_unit_test(tags_and_names_are_escaped_and_empty_names_left_out),
        cmocka_unit_test(event_ids_count_up_and_may_outgrow_their_digits),
        cmocka_unit_test(every_event_gets_the_request_it_belongs_to),
        cmocka_unit_test(a_line_owes_nothing_to_the_one_before),
        cmocka_unit_test(of_many_invocations_at_once_none_is_the_open_one),
        cmocka_unit_test(an_event_that_is_not_shipped_opens_and_closes_too),
        cmocka_unit_test(without_memory_nothing_has_happened),
        cmocka_unit_test(every_sample_event_becomes_a_good_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
