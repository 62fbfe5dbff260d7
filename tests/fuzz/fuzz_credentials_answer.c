// SPDX-License-Identifier: MIT
/* Answers with credentials: those of STS in XML, those of a container endpoint in JSON, and errors.
 * What is read must be complete and lie within the text that was made of it. */
#include "aws/aws_error.h"
#include "aws/credentials_container.h"
#include "aws/credentials_role.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(struct span part, const struct buf *text) {
    if (part.len > 0 && (part.ptr < text->ptr || part.ptr + part.len > text->ptr + text->len)) {
        abort();
    }
}

static void check(const struct credentials_grant *grant, const struct buf *text) {
    check_inside(grant->credentials.access_key_id, text);
    check_inside(grant->credentials.secret_access_key, text);
    check_inside(grant->credentials.session_token, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct span body = span_of((const char *)data, size);
    struct credentials_grant grant = {0};
    CLEANUP(buf_done) struct buf of_role = buf_with_ceiling(CREDENTIALS_BYTES_MAX);
    CLEANUP(buf_done) struct buf of_container = buf_with_ceiling(CREDENTIALS_BYTES_MAX);
    if (role_read_answer(body, &grant, &of_role, NULL)) {
        check(&grant, &of_role);
    }
    if (container_read_answer(body, &grant, &of_container, NULL)) {
        check(&grant, &of_container);
    }
    struct aws_error error;
    aws_error_read(body, AWS_JSON, span_of(NULL, 0), &error);
    return 0;
}
