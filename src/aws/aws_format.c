// SPDX-License-Identifier: MIT
#include "aws/aws_format.h"

enum aws_format aws_format_of(struct span content_type, struct span body) {
    static const struct span names[] = {
        {AWS_CBOR_CONTENT_TYPE, sizeof AWS_CBOR_CONTENT_TYPE - 1},
        {"application/cbor", sizeof "application/cbor" - 1},
    };
    struct span type = span_trim(span_cut(&content_type, ';'));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (span_equals_ignoring_case(type, names[i])) {
            return span_starts_with(body, SPAN("{")) ? AWS_JSON : AWS_CBOR;
        }
    }
    return AWS_JSON;
}
