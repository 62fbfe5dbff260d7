// SPDX-License-Identifier: MIT
#include "aws/sigv4_canonical_request.h"

#include "../guarded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct buf canonical_of(struct sigv4_request request, struct buf *names) {
    struct buf canonical = buf_with_ceiling(64 * 1024);
    struct error err = {0};
    assert_true(sigv4_canonical_request(&request, &canonical, names, &err));
    return canonical;
}

static void assert_line(struct sigv4_request request, int index, const char *expected) {
    CLEANUP(buf_done) struct buf names = buf_with_ceiling(1024);
    CLEANUP(buf_done) struct buf canonical = canonical_of(request, &names);
    struct span rest = buf_span(&canonical);
    struct span line = span_cut(&rest, '\n');
    for (int i = 0; i < index; i++) {
        line = span_cut(&rest, '\n');
    }
    if (!span_equals(line, span_of_text(expected))) {
        fail_msg("got <%.*s>, expected <%s>", SPAN_ARGS(line), expected);
    }
}

static void paths_are_normalized_for_all_but_s3(void **state) {
    (void)state;
    static const struct {
        const char *path;
        const char *normalized;
        const char *as_sent;
    } cases[] = {
        {"", "/", "/"},
        {"/", "/", "/"},
        {"//", "/", "//"},
        {"/a//b", "/a/b", "/a//b"},
        {"/a/./b/", "/a/b/", "/a/./b/"},
        {"/a/b/..", "/a", "/a/b/.."},
        {"/../../a", "/a", "/../../a"},
        {"/..a/b..", "/..a/b..", "/..a/b.."},
        {"/a b+c", "/a%20b%2Bc", "/a%20b%2Bc"},
        {"/a%20b", "/a%2520b", "/a%2520b"}, /* what is encoded is encoded again */
        {"/\xC3\xA4~-_.", "/%C3%A4~-_.", "/%C3%A4~-_."},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sigv4_request request = {.path = span_of_text(cases[i].path)};
        request.path_style = SIGV4_PATH_NORMALIZED;
        assert_line(request, 1, cases[i].normalized);
        request.path_style = SIGV4_PATH_AS_SENT;
        assert_line(request, 1, cases[i].as_sent);
    }
}

static void queries_are_encoded_and_sorted(void **state) {
    (void)state;
    static const struct {
        const char *query;
        const char *canonical;
    } cases[] = {
        {"", ""},
        {"lifecycle", "lifecycle="},
        {"b=2&a=1", "a=1&b=2"},
        {"a=2&a=1&a", "a=&a=1&a=2"},
        {"a-b=1&a=2", "a=2&a-b=1"}, /* by name, not by text: "-" comes before "=" */
        {"a=b=c", "a=b%3Dc"},
        {"a=%7e%2f", "a=~%2F"},
        {"a=%zz&b=%4", "a=%25zz&b=%254"},
        {"a=x+y z", "a=x%2By%20z"},
        {"&&a=1&", "a=1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct sigv4_request request = {.query = span_of_text(cases[i].query)};
        assert_line(request, 2, cases[i].canonical);
    }
}

static void headers_are_lower_case_sorted_trimmed_and_joined(void **state) {
    (void)state;
    static const struct sigv4_header headers[] = {
        {{"X-Amz-Date", 10}, {"20260314T150926Z", 16}},
        {{"My-List", 7}, {"  b \t c  ", 9}},
        {{"HOST", 4}, {"h", 1}},
        {{"my-list", 7}, {"a", 1}},
        {{"Empty", 5}, {NULL, 0}},
    };
    const struct sigv4_request request = {.method = SPAN("POST"),
                                          .headers = headers,
                                          .header_count = 5,
                                          .payload_hash = SPAN("UNSIGNED-PAYLOAD")};
    CLEANUP(buf_done) struct buf names = buf_with_ceiling(1024);
    CLEANUP(buf_done) struct buf canonical = canonical_of(request, &names);
    assert_string_equal(buf_text(&canonical), "POST\n/\n\n"
                                              "empty:\n"
                                              "host:h\n"
                                              "my-list:b c,a\n"
                                              "x-amz-date:20260314T150926Z\n"
                                              "\n"
                                              "empty;host;my-list;x-amz-date\n"
                                              "UNSIGNED-PAYLOAD");
    assert_string_equal(buf_text(&names), "empty;host;my-list;x-amz-date");
}

static void headers_that_change_on_the_way_are_left_out(void **state) {
    (void)state;
    static const char *const names[] = {
        "Connection", "User-Agent",    "X-Amzn-Trace-Id",  "Transfer-Encoding",
        "TE",         "Trailer",       "Upgrade",          "Keep-Alive",
        "Expect",     "Authorization", "Proxy-Connection",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct sigv4_header headers[] = {{span_of_text(names[i]), SPAN("x")},
                                               {SPAN("host"), SPAN("h")}};
        const struct sigv4_request request = {.headers = headers, .header_count = 2};
        CLEANUP(buf_done) struct buf signed_names = buf_with_ceiling(1024);
        CLEANUP(buf_done) struct buf canonical = canonical_of(request, &signed_names);
        assert_string_equal(buf_text(&signed_names), "host");
        assert_string_equal(buf_text(&canonical), "\n/\n\nhost:h\n\nhost\n");
    }
}

static bool refuses(struct sigv4_request request) {
    CLEANUP(buf_done) struct buf canonical = buf_with_ceiling(64 * 1024);
    CLEANUP(buf_done) struct buf names = buf_with_ceiling(1024);
    struct error err = {0};
    return !sigv4_canonical_request(&request, &canonical, &names, &err) && err.code == ERR_INVALID;
}

static void refuses_headers_that_could_pose_as_others(void **state) {
    (void)state;
    static const struct sigv4_header cases[] = {
        {{"a", 1}, {"x\nhost:evil", 11}}, {{"a", 1}, {"x\r", 2}}, {{"a", 1}, {"x\0y", 3}},
        {{"a", 1}, {"\x7f", 1}},          {{"", 0}, {"x", 1}},    {{"a b", 3}, {"x", 1}},
        {{"a:b", 3}, {"x", 1}},           {{"a\n", 2}, {"x", 1}}, {{"\xC3\xA4", 2}, {"x", 1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_true(refuses((struct sigv4_request){.headers = &cases[i], .header_count = 1}));
    }
}

static void refuses_more_than_its_limits(void **state) {
    (void)state;
    struct sigv4_header headers[SIGV4_HEADERS_MAX + 1];
    for (size_t i = 0; i <= SIGV4_HEADERS_MAX; i++) {
        headers[i] = (struct sigv4_header){SPAN("x-amz-meta"), SPAN("v")};
    }
    struct sigv4_request request = {.headers = headers, .header_count = SIGV4_HEADERS_MAX};
    assert_false(refuses(request));
    request.header_count++;
    assert_true(refuses(request));

    static char path[2 * (SIGV4_PATH_SEGMENTS_MAX + 1)];
    static char query[2 * (SIGV4_QUERY_PARAMETERS_MAX + 1)];
    for (size_t i = 0; i < sizeof path; i += 2) {
        memcpy(path + i, "/a", 2);
    }
    for (size_t i = 0; i < sizeof query; i += 2) {
        memcpy(query + i, "a&", 2);
    }
    assert_false(refuses((struct sigv4_request){.path = span_of(path, sizeof path - 2)}));
    assert_true(refuses((struct sigv4_request){.path = span_of(path, sizeof path)}));
    assert_false(refuses((struct sigv4_request){.query = span_of(query, sizeof query - 2)}));
    assert_true(refuses((struct sigv4_request){.query = span_of(query, sizeof query)}));
}

static void reads_no_byte_behind_its_input(void **state) {
    (void)state;
    static const char *const texts[] = {"/a/..", "/a/.", "a=%4", "a=%41", "a=%", "a&", "x  ", ""};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct guarded text = guarded_copy(span_of_text(texts[i]));
        const struct sigv4_header header = {SPAN("host"), text.text};
        const struct sigv4_request request = {
            .path = text.text, .query = text.text, .headers = &header, .header_count = 1};
        CLEANUP(buf_done) struct buf names = buf_with_ceiling(1024);
        CLEANUP(buf_done) struct buf canonical = canonical_of(request, &names);
        assert_string_equal(buf_text(&names), "host");
        assert_false(buf_failed(&canonical));
        guarded_done(&text);
    }
}

static void says_when_there_is_no_room(void **state) {
    (void)state;
    const struct sigv4_request request = {.method = SPAN("POST"), .path = SPAN("/path")};
    CLEANUP(buf_done) struct buf canonical = buf_with_ceiling(8);
    CLEANUP(buf_done) struct buf names = buf_with_ceiling(8);
    struct error err = {0};
    assert_false(sigv4_canonical_request(&request, &canonical, &names, &err));
    assert_int_equal(err.code, ERR_MEMORY);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_normalized_for_all_but_s3),
        cmocka_unit_test(queries_are_encoded_and_sorted),
        cmocka_unit_test(headers_are_lower_case_sorted_trimmed_and_joined),
        cmocka_unit_test(headers_that_change_on_the_way_are_left_out),
        cmocka_unit_test(refuses_headers_that_could_pose_as_others),
        cmocka_unit_test(refuses_more_than_its_limits),
        cmocka_unit_test(reads_no_byte_behind_its_input),
        cmocka_unit_test(says_when_there_is_no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
