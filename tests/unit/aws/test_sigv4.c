// SPDX-License-Identifier: MIT
#include "aws/sigv4.h"

#include "sigv4_vector.h"
#include "vector_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static int initialise(void **state) {
    (void)state;
    return crypto_init(NULL) ? 0 : -1;
}

/* ---- vectors of our own requests, and the examples of the S3 API reference ---- */

/* Undoes the encoding that a path has on the wire. */
static struct span decode_path(struct span path, struct buf *memory) {
    while (path.len > 0) {
        if (path.ptr[0] == '%') {
            char digits[] = {path.ptr[1], path.ptr[2], '\0'};
            buf_append_char(memory, (char)strtol(digits, NULL, 16));
            path = span_skip(path, 3);
        } else {
            buf_append_char(memory, path.ptr[0]);
            path = span_skip(path, 1);
        }
    }
    return buf_span(memory);
}

static void take_credentials(struct sigv4_vector *vector, const cJSON *credentials) {
    vector->credentials = (struct credentials){
        .access_key_id = span_of_text(vector_text(credentials, "access_key_id")),
        .secret_access_key = span_of_text(vector_text(credentials, "secret_access_key")),
    };
}

static void take_stages(struct sigv4_vector *vector, const cJSON *json) {
    vector->canonical_request = span_of_text(vector_text(json, "canonical_request"));
    vector->string_to_sign = span_of_text(vector_text(json, "string_to_sign"));
    vector->signature = span_of_text(vector_text(json, "signature"));
    vector->authorization = span_of_text(vector_text(json, "authorization"));
}

static void take_headers(struct sigv4_vector *vector, const cJSON *headers) {
    const cJSON *header = NULL;
    cJSON_ArrayForEach(header, headers) {
        struct span name = span_of_text(header->string);
        sigv4_vector_add_header(vector, name, span_of_text(header->valuestring));
        if (span_equals_ignoring_case(name, SPAN("x-amz-content-sha256"))) {
            vector->payload_hash = header->valuestring;
        }
    }
}

static void take_url(struct sigv4_vector *vector, const char *url, bool is_s3,
                     struct buf *path_memory) {
    struct span rest = span_of_text(url);
    (void)span_cut(&rest, '/');
    (void)span_cut(&rest, '/');
    struct span host = span_cut(&rest, '/');
    struct span path = span_of(rest.ptr - 1, rest.len + 1);
    vector->request.path = is_s3 ? decode_path(path, path_memory) : path;
    vector->request.path_style = is_s3 ? SIGV4_PATH_AS_SENT : SIGV4_PATH_NORMALIZED;
    sigv4_vector_add_header(vector, SPAN("Host"), host);
}

static void assert_signing_key(const struct sigv4_vector *vector, const char *expected) {
    struct sigv4_key_cache cache = {0};
    uint8_t key[SHA256_BYTES];
    char text[SHA256_HEX_BYTES + 1] = {0};
    assert_true(sigv4_signing_key(&cache, vector->credentials.secret_access_key, &vector->scope,
                                  key, NULL));
    crypto_hex(key, sizeof key, text);
    assert_string_equal(text, expected);
}

static void signs_our_own_requests_as_botocore_does(void **state) {
    (void)state;
    cJSON *file = read_vector_json("tests/data/sigv4/generated-vectors.json");
    int count = 0;
    const cJSON *json = NULL;
    cJSON_ArrayForEach(json, cJSON_GetObjectItem(file, "vectors")) {
        const cJSON *request = cJSON_GetObjectItem(json, "request");
        CLEANUP(buf_done) struct buf path = buf_with_ceiling(1024);
        struct sigv4_vector vector = {
            .name = vector_text(json, "name"),
            .request.method = span_of_text(vector_text(request, "method")),
            .body = span_of_text(vector_text(request, "body_utf8")),
            .scope.region = span_of_text(vector_text(json, "region")),
            .scope.service = span_of_text(vector_text(json, "service")),
        };
        bool is_s3 = span_equals(vector.scope.service, SPAN("s3"));
        take_credentials(&vector, cJSON_GetObjectItem(json, "credentials"));
        take_url(&vector, vector_text(request, "url"), is_s3, &path);
        take_headers(&vector, cJSON_GetObjectItem(json, "signed_headers"));
        take_stages(&vector, json);
        sigv4_vector_set_time(&vector, vector_text(json, "timestamp"));
        assert_sigv4_vector(&vector);
        assert_signing_key(&vector, vector_text(json, "signing_key_hex"));
        count++;
    }
    cJSON_Delete(file);
    assert_int_equal(count, 10);
}

/* The S3 pages print the header without blanks behind its commas. */
static struct span with_blanks(const char *authorization, struct buf *memory) {
    struct span rest = span_of_text(authorization);
    buf_append(memory, span_cut(&rest, ','));
    while (rest.len > 0) {
        buf_append(memory, SPAN(", "));
        buf_append(memory, span_cut(&rest, ','));
    }
    return buf_span(memory);
}

static void signs_the_examples_of_the_s3_reference(void **state) {
    (void)state;
    cJSON *file = read_vector_json("tests/data/sigv4/s3-doc-examples.json");
    int count = 0;
    const cJSON *json = NULL;
    cJSON_ArrayForEach(json, cJSON_GetObjectItem(file, "vectors")) {
        CLEANUP(buf_done) struct buf path = buf_with_ceiling(1024);
        CLEANUP(buf_done) struct buf authorization = buf_with_ceiling(1024);
        struct sigv4_vector vector = {
            .name = vector_text(json, "name"),
            .request.method = span_of_text(vector_text(json, "method")),
            .request.path = decode_path(span_of_text(vector_text(json, "canonical_uri")), &path),
            .request.path_style = SIGV4_PATH_AS_SENT,
            .request.query = span_of_text(vector_text(json, "canonical_query")),
            .scope.region = SPAN("us-east-1"),
            .scope.service = SPAN("s3"),
        };
        take_credentials(&vector, cJSON_GetObjectItem(file, "credentials"));
        take_headers(&vector, cJSON_GetObjectItem(json, "headers"));
        take_stages(&vector, json);
        vector.authorization = with_blanks(vector_text(json, "authorization"), &authorization);
        sigv4_vector_set_time(&vector, "20130524T000000Z");
        assert_sigv4_vector(&vector);
        count++;
    }
    cJSON_Delete(file);
    assert_int_equal(count, 4);
}

/* ---- the key cache ---- */

static const struct sigv4_scope some_scope = {
    .region = {"eu-west-1", 9}, .service = {"kinesis", 7}, .timestamp = "20260314T150926Z"};

static void key_of(struct sigv4_key_cache *cache, struct span secret, struct sigv4_scope scope,
                   uint8_t ret[SHA256_BYTES]) {
    assert_true(sigv4_signing_key(cache, secret, &scope, ret, NULL));
}

static void the_same_day_uses_the_cached_key(void **state) {
    (void)state;
    struct sigv4_key_cache cache = {0};
    uint8_t key[SHA256_BYTES];
    key_of(&cache, SPAN("secret"), some_scope, key);
    memset(cache.key, 0x5a, sizeof cache.key); /* shows whether it is derived again */

    struct sigv4_scope later = some_scope;
    memcpy(later.timestamp, "20260314T235959Z", SIGV4_DATE_BYTES);
    key_of(&cache, SPAN("secret"), later, key);
    assert_memory_equal(key, cache.key, SHA256_BYTES);
    assert_int_equal(key[0], 0x5a);
}

static void whatever_the_key_depends_on_makes_a_new_one(void **state) {
    (void)state;
    struct sigv4_scope next_day = some_scope;
    memcpy(next_day.timestamp, "20260315T000000Z", SIGV4_DATE_BYTES);
    struct sigv4_scope other_region = some_scope;
    other_region.region = SPAN("eu-west-2");
    struct sigv4_scope other_service = some_scope;
    other_service.service = SPAN("s3");
    const struct {
        struct span secret;
        struct sigv4_scope scope;
    } cases[] = {
        {SPAN("secret"), next_day},
        {SPAN("secret"), other_region},
        {SPAN("secret"), other_service},
        {SPAN("renewed"), some_scope},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sigv4_key_cache warm = {0};
        struct sigv4_key_cache cold = {0};
        uint8_t first[SHA256_BYTES];
        uint8_t key[SHA256_BYTES];
        uint8_t expected[SHA256_BYTES];
        key_of(&warm, SPAN("secret"), some_scope, first);
        key_of(&warm, cases[i].secret, cases[i].scope, key);
        key_of(&cold, cases[i].secret, cases[i].scope, expected);
        assert_memory_equal(key, expected, SHA256_BYTES);
        assert_memory_not_equal(key, first, SHA256_BYTES);
    }
}

/* ---- refusals ---- */

static bool sign_with(struct span access_key_id, size_t ceiling, struct error *err) {
    const struct sigv4_header host = {SPAN("host"), SPAN("example.amazonaws.com")};
    const struct sigv4_request request = {
        .method = SPAN("GET"), .path = SPAN("/"), .headers = &host, .header_count = 1};
    const struct credentials credentials = {.access_key_id = access_key_id,
                                            .secret_access_key = SPAN("secret")};
    struct sigv4_key_cache cache = {0};
    CLEANUP(buf_done) struct buf authorization = buf_with_ceiling(ceiling);
    return sigv4_sign(&request, &some_scope, &credentials, &cache, &authorization, err);
}

static void refuses_an_access_key_id_that_no_header_can_hold(void **state) {
    (void)state;
    static const char *const ids[] = {"", "AKID EXAMPLE", "AKID\r\nX-Evil: 1", "AKID\n",
                                      "\xC3\xA4"};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        struct error err = {0};
        assert_false(sign_with(span_of_text(ids[i]), 1024, &err));
        assert_int_equal(err.code, ERR_INVALID);
        assert_true(ids[i][0] == '\0' || strstr(err.message, ids[i]) == NULL);
    }
}

static void says_when_there_is_no_room_for_the_header(void **state) {
    (void)state;
    struct error err = {0};
    assert_true(sign_with(SPAN("AKID"), 1024, &err));
    assert_false(sign_with(SPAN("AKID"), 64, &err));
    assert_int_equal(err.code, ERR_MEMORY);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signs_our_own_requests_as_botocore_does),
        cmocka_unit_test(signs_the_examples_of_the_s3_reference),
        cmocka_unit_test(the_same_day_uses_the_cached_key),
        cmocka_unit_test(whatever_the_key_depends_on_makes_a_new_one),
        cmocka_unit_test(refuses_an_access_key_id_that_no_header_can_hold),
        cmocka_unit_test(says_when_there_is_no_room_for_the_header),
    };
    return cmocka_run_group_tests(tests, initialise, NULL);
}
