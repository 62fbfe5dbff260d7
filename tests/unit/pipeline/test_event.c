// SPDX-License-Identifier: MIT
#include "pipeline/event.h"

#include "../guarded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define SIXTY_THREE "123456789012345678901234567890123456789012345678901234567890123"

static void types_are_told_apart(void **state) {
    (void)state;
    static const struct {
        const char *type;
        enum event_kind kind;
    } cases[] = {
        {"function", EVENT_FUNCTION},
        {"extension", EVENT_EXTENSION},
        {"platform.start", EVENT_START},
        {"platform.runtimeDone", EVENT_RUNTIME_DONE},
        {"platform.report", EVENT_REPORT},
        {"platform.logsDropped", EVENT_LOGS_DROPPED},
        {"platform.end", EVENT_PLATFORM},
        {"platform.initRuntimeDone", EVENT_PLATFORM},
        {"platform.startled", EVENT_PLATFORM},
        {"platform.restoreStart", EVENT_RESTORE_START},
        {"platform.restoreReport", EVENT_PLATFORM},
        {"platform.", EVENT_PLATFORM},
        {"platform", EVENT_OTHER},
        {"Function", EVENT_OTHER},
        {"extension.unparsed", EVENT_OTHER},
        {"", EVENT_OTHER},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct event event = {.type = span_of_text(cases[i].type)};
        assert_int_equal(event_kind_of(&event), cases[i].kind);
    }
    assert_int_equal(event_kind_of(&(struct event){.has_others = false}), EVENT_OTHER);
}

static void the_request_id_is_a_direct_member_of_the_record(void **state) {
    (void)state;
    static const struct {
        const char *record;
        const char *id;
    } cases[] = {
        {"{\"requestId\":\"8b1f\"}", "8b1f"},
        {"{\"status\":\"success\",\"metrics\":{\"durationMs\":1},\"requestId\":\"8b1f\"}", "8b1f"},
        {"{ \"requestId\" : \"8b1f\" }", "8b1f"},
        {"{\"requestId\":\"" SIXTY_THREE "\"}", SIXTY_THREE},
        {"{\"requestId\":\"" SIXTY_THREE "4\"}", ""},
        {"{\"tracing\":{\"requestId\":\"8b1f\"}}", ""},
        {"{\"RequestId\":\"8b1f\"}", ""},
        {"{\"requestId\":\"a\\u0062\"}", ""},
        {"{\"requestId\":\"\"}", ""},
        {"{\"requestId\":12}", ""},
        {"{\"requestId\":null}", ""},
        {"[\"requestId\"]", ""},
        {"\"RequestId: 8b1f\"", ""},
        {"{}", ""},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct guarded record = guarded_copy(span_of_text(cases[i].record));
        struct event event = {.record = record.text};
        assert_true(span_equals(event_request_id(&event), span_of_text(cases[i].id)));
        guarded_done(&record);
    }
    assert_int_equal(event_request_id(&(struct event){.has_others = false}).len, 0);
}

#define UUID "8b1f6c2e-0a3d-4e5f-9071-a2B3c4D5e6f7"
#define LAYOUT "\"timestamp\":\"t\",\"level\":\"INFO\","

static void a_structured_line_names_the_request_that_logged_it(void **state) {
    (void)state;
    static const struct {
        const char *record;
        const char *id;
    } cases[] = {
        {"{" LAYOUT "\"requestId\":\"" UUID "\",\"message\":\"x\"}", UUID},
        {"{\"timestamp\":\"t\",\"message\":{},\"level\":{},\"AWSRequestId\":\"" UUID "\"}", UUID},
        {"{\"function_request_id\":\"" UUID "\"," LAYOUT "\"message\":1}", UUID},
        {"{" LAYOUT "\"requestId\":\"7\",\"AWSRequestId\":\"" UUID "\"}", UUID},
        /* ids of the function's own */
        {"{\"level\":\"INFO\",\"requestId\":\"" UUID "\"}", ""},
        {"{\"timestamp\":\"t\",\"requestId\":\"" UUID "\"}", ""},
        {"{" LAYOUT "\"message\":{\"requestId\":\"" UUID "\"}}", ""},
        {"{" LAYOUT "\"requestid\":\"" UUID "\"}", ""},
        {"{" LAYOUT "\"requestId\":\"order-1007\"}", ""},
        {"{" LAYOUT "\"requestId\":\"8b1f6c2e-0a3d-4e5f-9071_a2b3c4d5e6f7\"}", ""},
        {"{" LAYOUT "\"requestId\":\"8b1f6c2e00a3d-4e5f-9071-a2b3c4d5e6f7\"}", ""},
        {"{" LAYOUT "\"requestId\":\"8b1f6c2e-0a3d-4e5f-9071-a2b3c4d5e6g7\"}", ""},
        {"{" LAYOUT "\"requestId\":\"" UUID "0\"}", ""},
        {"{" LAYOUT "\"requestId\":null}", ""},
        {"{" LAYOUT "\"message\":\"x\"}", ""},
        {"\"{\\\"requestId\\\":1}\"", ""},
        {"[]", ""},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct guarded record = guarded_copy(span_of_text(cases[i].record));
        struct event event = {.record = record.text};
        assert_true(span_equals(event_logged_request_id(&event), span_of_text(cases[i].id)));
        guarded_done(&record);
    }
}

#define DONE(id)                                                                                   \
    "{\"time\":\"t\",\"type\":\"platform.runtimeDone\",\"record\":{\"requestId\":\"" id "\"}}"

static void finds_the_end_of_an_invocation_in_a_body(void **state) {
    (void)state;
    static const struct {
        const char *body;
        bool found;
    } cases[] = {
        {"[" DONE("8b1f") "]", true},
        {"[{\"a\":1}," DONE("77aa") "," DONE("8b1f") "]", true},
        {"[" DONE("8b1f"), true},
        /* behind the second half of a record that was cut, and behind what is no JSON */
        {"[{\"time\":\"t\",\"type\":\"function\",\"record\":BB\"}}," DONE("8b1f") "]", true},
        {"[nope," DONE("8b1f") "]", true},
        {"[" DONE("8b1") "]", false},
        {"[" DONE("8b1f0") "]", false},
        {"[{\"type\":\"platform.start\",\"record\":{\"requestId\":\"8b1f\"}}]", false},
        {"[{\"type\":\"function\",\"record\":{\"t\":\"platform.runtimeDone\",\"requestId\":"
         "\"8b1f\"}}]",
         false},
        {"platform.runtimeDone 8b1f", false},
        {"[]", false},
        {"", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct guarded body = guarded_copy(span_of_text(cases[i].body));
        assert_int_equal(event_body_has_runtime_done(body.text, SPAN("8b1f")), cases[i].found);
        guarded_done(&body);
    }
}

static void an_unknown_request_is_never_done(void **state) {
    (void)state;
    struct span none = {.ptr = NULL, .len = 0};
    assert_false(event_body_has_runtime_done(SPAN("[" DONE("") "]"), none));
    assert_false(event_body_has_runtime_done(
        SPAN("[{\"type\":\"platform.runtimeDone\",\"record\":{}}]"), none));
    assert_false(event_body_has_runtime_done(none, SPAN("8b1f")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_are_told_apart),
        cmocka_unit_test(the_request_id_is_a_direct_member_of_the_record),
        cmocka_unit_test(a_structured_line_names_the_request_that_logged_it),
        cmocka_unit_test(finds_the_end_of_an_invocation_in_a_body),
        cmocka_unit_test(an_unknown_request_is_never_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
