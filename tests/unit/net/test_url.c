// SPDX-License-Identifier: MIT
#include "net/url.h"

#include "../guarded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static bool is(struct span found, const char *expected) {
    return span_equals(found, span_of_text(expected)) && (found.ptr == NULL) == (expected == NULL);
}

static void takes_urls_apart(void **state) {
    (void)state;
    static const struct {
        const char *text, *scheme, *user_info, *host, *port, *path, *query;
    } cases[] = {
        {"https://example.com", "https", NULL, "example.com", NULL, NULL, NULL},
        {"HTTP://[::1]:80/a/b?c=d", "HTTP", NULL, "[::1]", "80", "/a/b", "c=d"},
        {"http://user:p@ss@host:3128/", "http", "user:p@ss", "host", "3128", "/", NULL},
        {"http://@host", "http", "", "host", NULL, NULL, NULL},
        {"host:3128", NULL, NULL, "host", "3128", NULL, NULL},
        {"user:pass@host", NULL, "user:pass", "host", NULL, NULL, NULL},
        {"host?", NULL, NULL, "host", NULL, NULL, ""},
        {"host/x://y@z", NULL, NULL, "host", NULL, "/x://y@z", NULL},
        {"https://host/a@b:c", "https", NULL, "host", NULL, "/a@b:c", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct url url = {0};
        bool right = url_split(span_of_text(cases[i].text), &url) &&
                     is(url.scheme, cases[i].scheme) && is(url.user_info, cases[i].user_info) &&
                     is(url.host, cases[i].host) && is(url.port, cases[i].port) &&
                     is(url.path, cases[i].path) && is(url.query, cases[i].query);
        if (!right) {
            fail_msg("%s", cases[i].text);
        }
    }
}

static void refuses_what_is_none(void **state) {
    (void)state;
    static const char *const texts[] = {
        "",          "https://",      "https:///path", "https://:443", "https://host:",
        "host:0",    "host:65536",    "host:44x",      "ho st",        "host/a b",
        "host/#top", "\xC3\xA4.com",  "http://[::1",   "http://[]",    "http://[::1]x",
        "[::g]",     "http://a[::1]", "http://::1:80", "http://user@", "http://[::1%25eth0]",
        "host\n",    "host/\x7f",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct url url = {.host = SPAN("untouched")};
        if (url_split(span_of_text(texts[i]), &url)) {
            fail_msg("%s was taken", texts[i]);
        }
        assert_true(is(url.host, "untouched"));
    }
}

static void reads_no_byte_behind_the_text(void **state) {
    (void)state;
    struct span whole = SPAN("https://user:pass@[::1]:4567/path?query");
    for (size_t length = 1; length <= whole.len; length++) {
        struct guarded text = guarded_copy(span_first(whole, length));
        struct url url;
        bool taken = url_split(text.text, &url);
        assert_true(taken || length < whole.len);
        guarded_done(&text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_urls_apart),
        cmocka_unit_test(refuses_what_is_none),
        cmocka_unit_test(reads_no_byte_behind_the_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
