// SPDX-License-Identifier: MIT
#include "aws/aws_format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void the_content_type_names_the_format(void **state) {
    (void)state;
    static const struct {
        const char *content_type;
        enum aws_format format;
    } cases[] = {
        {"application/x-amz-json-1.1", AWS_JSON},
        {"application/x-amz-cbor-1.1", AWS_CBOR},
        {"application/cbor", AWS_CBOR},
        {"Application/X-Amz-CBOR-1.1 ; charset=utf-8", AWS_CBOR},
        {"application/json", AWS_JSON},
        {"text/html", AWS_JSON},
        {"application/x-amz-cbor-1.1-but-not-quite", AWS_JSON},
        {"", AWS_JSON},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(aws_format_of(span_of_text(cases[i].content_type), SPAN("\xa0")),
                         cases[i].format);
    }
}

static void a_json_object_is_json_whatever_its_content_type_says(void **state) {
    (void)state;
    assert_int_equal(aws_format_of(SPAN(AWS_CBOR_CONTENT_TYPE), SPAN("{\"__type\":\"X\"}")),
                     AWS_JSON);
    assert_int_equal(aws_format_of(SPAN(AWS_CBOR_CONTENT_TYPE), SPAN("")), AWS_CBOR);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_content_type_names_the_format),
        cmocka_unit_test(a_json_object_is_json_whatever_its_content_type_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
