// SPDX-License-Identifier: MIT
#include "sigv4_vector.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { TEXT_BYTES_MAX = 64 * 1024 };

void sigv4_vector_add_header(struct sigv4_vector *vector, struct span name, struct span value) {
    assert_true(vector->request.header_count < SIGV4_HEADERS_MAX);
    vector->headers[vector->request.header_count++] = (struct sigv4_header){name, value};
}

void sigv4_vector_set_time(struct sigv4_vector *vector, const char *timestamp) {
    assert_int_equal(strlen(timestamp), SIGV4_DATE_BYTES - 1);
    memcpy(vector->scope.timestamp, timestamp, SIGV4_DATE_BYTES);
}

static void assert_stage(const struct sigv4_vector *vector, const char *stage, struct span got,
                         struct span expected) {
    if (!span_equals(got, expected)) {
        fail_msg("%s, %s:\ngot      <%.*s>\nexpected <%.*s>", vector->name, stage, SPAN_ARGS(got),
                 SPAN_ARGS(expected));
    }
}

static void set_payload_hash(struct sigv4_vector *vector, char hash[SHA256_HEX_BYTES]) {
    uint8_t digest[SHA256_BYTES];
    assert_true(crypto_sha256(vector->body, digest, NULL));
    crypto_hex(digest, sizeof digest, hash);
    vector->request.payload_hash = vector->payload_hash == NULL
                                       ? span_of(hash, SHA256_HEX_BYTES)
                                       : span_of_text(vector->payload_hash);
}

void assert_sigv4_vector(struct sigv4_vector *vector) {
    char hash[SHA256_HEX_BYTES];
    set_payload_hash(vector, hash);
    vector->request.headers = vector->headers;

    struct error err = {0};
    CLEANUP(buf_done) struct buf canonical = buf_with_ceiling(TEXT_BYTES_MAX);
    CLEANUP(buf_done) struct buf names = buf_with_ceiling(TEXT_BYTES_MAX);
    assert_true(sigv4_canonical_request(&vector->request, &canonical, &names, &err));
    assert_stage(vector, "canonical request", buf_span(&canonical), vector->canonical_request);

    CLEANUP(buf_done) struct buf to_sign = buf_with_ceiling(TEXT_BYTES_MAX);
    assert_true(sigv4_string_to_sign(buf_span(&canonical), &vector->scope, &to_sign, &err));
    assert_stage(vector, "string to sign", buf_span(&to_sign), vector->string_to_sign);

    struct sigv4_key_cache cache = {0};
    uint8_t key[SHA256_BYTES];
    char signature[SHA256_HEX_BYTES];
    assert_true(sigv4_signing_key(&cache, vector->credentials.secret_access_key, &vector->scope,
                                  key, &err));
    assert_true(sigv4_signature(key, buf_span(&to_sign), signature, &err));
    assert_stage(vector, "signature", span_of(signature, sizeof signature), vector->signature);

    CLEANUP(buf_done) struct buf authorization = buf_with_ceiling(TEXT_BYTES_MAX);
    assert_true(sigv4_sign(&vector->request, &vector->scope, &vector->credentials, &cache,
                           &authorization, &err));
    assert_stage(vector, "authorization", buf_span(&authorization), vector->authorization);
}
