// SPDX-License-Identifier: MIT
#include "aws/xml_text.h"

#include "../guarded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static bool read_into(const char *document, const char *path, struct buf *out) {
    struct guarded text = guarded_copy(span_of_text(document));
    bool read = xml_text_append(text.text, path, out, NULL);
    guarded_done(&text);
    return read;
}

static void gives_the_text_of_the_first_element_at_the_path(void **state) {
    (void)state;
    static const struct {
        const char *document, *path, *text;
    } cases[] = {
        {"<a>x</a>", "a", "x"},
        {"<?xml version=\"1.0\"?>\n<a xmlns=\"u>v\">\n <b>x</b>\n</a>\n", "a/b", "x"},
        {"<a><c><b>no</b></c><b>yes</b><b>late</b></a>", "a/b", "yes"},
        {"<a><c><b>1</b></c><c><d>2</d></c></a>", "a/c/d", "2"},
        {"<a><b/><c>x</c></a>", "a/c", "x"},
        {"<a><b></b></a>", "a/b", ""},
        {"<a><b/></a>", "a/b", ""},
        {"<a> x&lt;&#65;&#x42;&amp;&quot;&apos;&gt;&#8364; </a>", "a", " x<AB&\"'>? "},
        {"<a><b at='>' />x</a >", "a/b", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CLEANUP(buf_done) struct buf out = buf_with_ceiling(1000);
        if (!read_into(cases[i].document, cases[i].path, &out) ||
            !span_equals(buf_span(&out), span_of_text(cases[i].text))) {
            fail_msg("%s: \"%.*s\"", cases[i].document, SPAN_ARGS(buf_span(&out)));
        }
    }
}

static void refuses_what_is_not_well_formed_or_has_no_such_element(void **state) {
    (void)state;
    static const char *const documents[] = {
        "",
        "x",
        "<a>",
        "<a></b>",
        "<a><b></a></b>",
        "</a>",
        "<a>x</a><a>y</a>",
        "<a>x</a>y",
        "<b>x</b>",
        "<b><a>x</a></b>",
        "<a>x<b>y</b></a>",
        "<a>&nbsp;</a>",
        "<a>&lt</a>",
        "<a>&</a>",
        "<a>&#0;</a>",
        "<a>&#x110000;</a>",
        "<a><!-- x --></a>",
        "<!DOCTYPE a><a>x</a>",
        "<a><![CDATA[x]]></a>",
        "<a x=\"y></a>",
        "<a x=<></a>",
        "<a",
        "<>x</>",
        "<a!>x</a!>",
        "<a><?php ?></a>",
    };
    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++) {
        CLEANUP(buf_done) struct buf out = buf_with_ceiling(1000);
        if (read_into(documents[i], "a", &out)) {
            fail_msg("%s was taken", documents[i]);
        }
    }
}

static void depth_and_length_are_bounded(void **state) {
    (void)state;
    CLEANUP(buf_done) struct buf deep = buf_with_ceiling(10000);
    CLEANUP(buf_done) struct buf out = buf_with_ceiling(3);
    for (int i = 0; i <= XML_DEPTH_MAX; i++) {
        buf_append_text(&deep, "<a>");
    }
    for (int i = 0; i <= XML_DEPTH_MAX; i++) {
        buf_append_text(&deep, "</a>");
    }
    struct error err = {0};
    assert_false(xml_text_append(buf_span(&deep), "a/b", &out, &err));
    assert_int_equal(err.code, ERR_INVALID);
    assert_false(xml_text_append(SPAN("<a>1234</a>"), "a", &out, &err));
    assert_int_equal(err.code, ERR_MEMORY);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_text_of_the_first_element_at_the_path),
        cmocka_unit_test(refuses_what_is_not_well_formed_or_has_no_such_element),
        cmocka_unit_test(depth_and_length_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
