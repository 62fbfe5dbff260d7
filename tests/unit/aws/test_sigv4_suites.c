// SPDX-License-Identifier: MIT
/* The two published suites for Signature Version 4, where they are at hand: those of aws-c-auth and
 * of botocore. */
#include "aws/sigv4.h"

#include "sigv4_vector.h"
#include "vector_files.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { CASE_NAMES_MAX = 64, NAME_BYTES_MAX = 256 };

static int initialise(void **state) {
    (void)state;
    return crypto_init(NULL) ? 0 : -1;
}

/* ---- requests as text ---- */

/* A line that begins with a blank goes on where the last one ended. */
static void unfold_headers(struct buf *text) {
    for (size_t i = 0; i + 1 < text->len; i++) {
        bool folded = text->ptr[i] == '\n' && (text->ptr[i + 1] == ' ' || text->ptr[i + 1] == '\t');
        if (folded) {
            text->ptr[i] = ' ';
        }
    }
}

/* "GET /example space/?a=b HTTP/1.1": the target may hold blanks. */
static void parse_request_line(struct span line, struct sigv4_request *ret) {
    ret->method = span_cut(&line, ' ');
    assert_true(span_ends_with(line, SPAN(" HTTP/1.1")));
    ret->query = span_first(line, line.len - strlen(" HTTP/1.1"));
    ret->path = span_cut(&ret->query, '?');
}

static void parse_request(struct buf *text, struct sigv4_vector *ret) {
    unfold_headers(text);
    struct span rest = buf_span(text);
    parse_request_line(span_cut(&rest, '\n'), &ret->request);
    while (rest.len > 0) {
        struct span value = span_cut(&rest, '\n');
        if (value.len == 0) {
            break;
        }
        struct span name = span_cut(&value, ':');
        sigv4_vector_add_header(ret, name, value);
    }
    ret->body = rest;
}

static bool has_header(const struct sigv4_vector *vector, struct span name) {
    for (size_t i = 0; i < vector->request.header_count; i++) {
        if (span_equals_ignoring_case(vector->headers[i].name, name)) {
            return true;
        }
    }
    return false;
}

/* ---- the cases of a folder ---- */

struct case_names {
    char names[CASE_NAMES_MAX][NAME_BYTES_MAX];
    int count;
};

/* Names of sub-folders that hold `file`, a printf format of the sub-folder's name. */
static void list_cases(const char *folder, const char *suffix, struct case_names *ret) {
    ret->count = 0;
    DIR *directory = opendir(folder);
    assert_non_null(directory);
    const struct dirent *entry = NULL;
    while ((entry = readdir(directory)) != NULL) {
        char path[2048];
        const char *stem = suffix[0] == '.' ? entry->d_name : "";
        (void)snprintf(path, sizeof path, "%s/%s/%s%s", folder, entry->d_name, stem, suffix);
        FILE *file = fopen(path, "rb");
        if (file != NULL) {
            fclose(file);
            assert_true(ret->count < CASE_NAMES_MAX);
            (void)snprintf(ret->names[ret->count++], NAME_BYTES_MAX, "%.255s", entry->d_name);
        }
    }
    closedir(directory);
}

/* ---- aws-c-auth ---- */

/* "2015-08-30T12:36:00Z" without its punctuation. */
static void set_iso_time(struct sigv4_vector *vector, const char *iso) {
    char basic[SIGV4_DATE_BYTES] = {0};
    size_t length = 0;
    for (; *iso != '\0'; iso++) {
        if (*iso != '-' && *iso != ':') {
            assert_true(length < sizeof basic - 1);
            basic[length++] = *iso;
        }
    }
    sigv4_vector_set_time(vector, basic);
}

static void take_context(struct sigv4_vector *vector, const cJSON *context) {
    const cJSON *credentials = cJSON_GetObjectItem(context, "credentials");
    bool normalize = cJSON_IsTrue(cJSON_GetObjectItem(context, "normalize"));
    vector->request.path_style = normalize ? SIGV4_PATH_NORMALIZED : SIGV4_PATH_AS_SENT;
    vector->scope.region = span_of_text(vector_text(context, "region"));
    vector->scope.service = span_of_text(vector_text(context, "service"));
    set_iso_time(vector, vector_text(context, "timestamp"));
    vector->credentials = (struct credentials){
        .access_key_id = span_of_text(vector_text(credentials, "access_key_id")),
        .secret_access_key = span_of_text(vector_text(credentials, "secret_access_key")),
        .session_token = span_of_text(vector_text(credentials, "token")),
    };
}

/* What the suite's signer adds to a request before it signs. */
static void add_signer_s_headers(struct sigv4_vector *vector, const cJSON *context,
                                 char hash[SHA256_HEX_BYTES]) {
    sigv4_vector_add_header(vector, SPAN("X-Amz-Date"), span_of_text(vector->scope.timestamp));
    bool omits_token = cJSON_IsTrue(cJSON_GetObjectItem(context, "omit_session_token"));
    if (vector->credentials.session_token.len > 0 && !omits_token) {
        sigv4_vector_add_header(vector, SPAN("X-Amz-Security-Token"),
                                vector->credentials.session_token);
    }
    if (cJSON_IsTrue(cJSON_GetObjectItem(context, "sign_body"))) {
        uint8_t digest[SHA256_BYTES];
        assert_true(crypto_sha256(vector->body, digest, NULL));
        crypto_hex(digest, sizeof digest, hash);
        sigv4_vector_add_header(vector, SPAN("x-amz-content-sha256"),
                                span_of(hash, SHA256_HEX_BYTES));
    }
}

/* The suite has no file for the header, but its signed request holds it as a line. */
static struct span authorization_line(struct span signed_request) {
    while (signed_request.len > 0) {
        struct span value = span_cut(&signed_request, '\n');
        struct span name = span_cut(&value, ':');
        if (span_equals(name, SPAN("Authorization"))) {
            return value;
        }
    }
    return signed_request;
}

static void run_aws_c_auth_case(const char *folder, const char *name) {
    cJSON *context = read_vector_json("%s/%s/context.json", folder, name);
    CLEANUP(buf_done) struct buf request = read_vector_file("%s/%s/request.txt", folder, name);
    CLEANUP(buf_done)
    struct buf canonical = read_vector_file("%s/%s/header-canonical-request.txt", folder, name);
    CLEANUP(buf_done)
    struct buf to_sign = read_vector_file("%s/%s/header-string-to-sign.txt", folder, name);
    CLEANUP(buf_done)
    struct buf signature = read_vector_file("%s/%s/header-signature.txt", folder, name);
    CLEANUP(buf_done)
    struct buf signed_request = read_vector_file("%s/%s/header-signed-request.txt", folder, name);
    char hash[SHA256_HEX_BYTES];
    struct sigv4_vector vector = {
        .name = name,
        .canonical_request = span_trim(buf_span(&canonical)),
        .string_to_sign = span_trim(buf_span(&to_sign)),
        .signature = span_trim(buf_span(&signature)),
        .authorization = authorization_line(buf_span(&signed_request)),
    };
    parse_request(&request, &vector);
    take_context(&vector, context);
    add_signer_s_headers(&vector, context, hash);
    assert_sigv4_vector(&vector);
    cJSON_Delete(context);
}

static void agrees_with_the_suite_of_aws_c_auth(void **state) {
    (void)state;
    const char *shared = shared_data_folder();
    if (shared == NULL) {
        return;
    }
    char folder[1024];
    (void)snprintf(folder, sizeof folder, "%s/sigv4/aws-c-auth/tests/aws-signing-test-suite/v4",
                   shared);
    struct case_names cases;
    list_cases(folder, "context.json", &cases);
    for (int i = 0; i < cases.count; i++) {
        run_aws_c_auth_case(folder, cases.names[i]);
    }
    print_message("aws-c-auth: %d cases agree\n", cases.count);
    assert_int_equal(cases.count, 38);
}

/* ---- botocore ---- */

/* One case signs a token that its request lacks: it is in the canonical request alone. */
static void add_token_of(struct sigv4_vector *vector, struct span canonical) {
    static const struct span name = {"x-amz-security-token", 20};
    while (canonical.len > 0 && !has_header(vector, name)) {
        struct span value = span_cut(&canonical, '\n');
        struct span header = span_cut(&value, ':');
        if (span_equals(header, name)) {
            sigv4_vector_add_header(vector, name, value);
        }
    }
}

static void run_botocore_case(const char *folder, const char *name) {
    CLEANUP(buf_done) struct buf request = read_vector_file("%s/%s/%s.req", folder, name, name);
    CLEANUP(buf_done) struct buf canonical = read_vector_file("%s/%s/%s.creq", folder, name, name);
    CLEANUP(buf_done) struct buf to_sign = read_vector_file("%s/%s/%s.sts", folder, name, name);
    CLEANUP(buf_done) struct buf authz = read_vector_file("%s/%s/%s.authz", folder, name, name);
    struct span authorization = span_trim(buf_span(&authz));
    struct sigv4_vector vector = {
        .name = name,
        .request.path_style = SIGV4_PATH_NORMALIZED,
        .scope = {.region = SPAN("us-east-1"), .service = SPAN("service")},
        .credentials = {.access_key_id = SPAN("AKIDEXAMPLE"),
                        .secret_access_key = SPAN("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")},
        .canonical_request = span_trim(buf_span(&canonical)),
        .string_to_sign = span_trim(buf_span(&to_sign)),
        .signature = span_skip(authorization, authorization.len - SHA256_HEX_BYTES),
        .authorization = authorization,
    };
    sigv4_vector_set_time(&vector, "20150830T123600Z");
    parse_request(&request, &vector);
    add_token_of(&vector, buf_span(&canonical));
    assert_sigv4_vector(&vector);
}

static void agrees_with_the_suite_of_botocore(void **state) {
    (void)state;
    const char *shared = shared_data_folder();
    if (shared == NULL) {
        return;
    }
    static const char *const groups[] = {"", "/normalize-path", "/post-sts-token"};
    int count = 0;
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        char folder[1024];
        (void)snprintf(folder, sizeof folder, "%s/sigv4/botocore/tests/unit/auth/aws4_testsuite%s",
                       shared, groups[i]);
        struct case_names cases;
        list_cases(folder, ".req", &cases);
        for (int k = 0; k < cases.count; k++) {
            run_botocore_case(folder, cases.names[k]);
        }
        count += cases.count;
    }
    print_message("botocore: %d cases agree\n", count);
    assert_int_equal(count, 34);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_suite_of_aws_c_auth),
        cmocka_unit_test(agrees_with_the_suite_of_botocore),
    };
    return cmocka_run_group_tests(tests, initialise, NULL);
}
