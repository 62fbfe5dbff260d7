// SPDX-License-Identifier: MIT
#include "aws/sigv4.h"

/* A canonical request is the headers (a session token may take some KiB), a path and a query. */
enum { TEXT_BYTES_MAX = 64 * 1024, DAY_BYTES = 8 };

static const struct span algorithm = {.ptr = "AWS4-HMAC-SHA256", .len = 16};

static struct span day_of(const struct sigv4_scope *scope) {
    return span_of(scope->timestamp, DAY_BYTES);
}

/* "20260314/eu-west-1/kinesis/aws4_request" */
static void append_scope(struct buf *out, const struct sigv4_scope *scope) {
    buf_append(out, day_of(scope));
    buf_append_char(out, '/');
    buf_append(out, scope->region);
    buf_append_char(out, '/');
    buf_append(out, scope->service);
    buf_append(out, SPAN("/aws4_request"));
}

static bool hash_hex(struct span data, char ret[SHA256_HEX_BYTES], struct error *err) {
    uint8_t digest[SHA256_BYTES];
    if (!crypto_sha256(data, digest, err)) {
        return false;
    }
    crypto_hex(digest, sizeof digest, ret);
    return true;
}

bool sigv4_string_to_sign(struct span canonical_request, const struct sigv4_scope *scope,
                          struct buf *out, struct error *err) {
    char hash[SHA256_HEX_BYTES];
    if (!hash_hex(canonical_request, hash, err)) {
        return false;
    }
    buf_append(out, algorithm);
    buf_append_char(out, '\n');
    buf_append_text(out, scope->timestamp);
    buf_append_char(out, '\n');
    append_scope(out, scope);
    buf_append_char(out, '\n');
    buf_append(out, span_of(hash, sizeof hash));
    return !buf_failed(out) || error_set_memory(err, "the string to sign");
}

/* Each step's key is the result of the step before. */
static bool derive_key(struct span secret, const struct sigv4_scope *scope,
                       uint8_t ret[SHA256_BYTES], struct error *err) {
    CLEANUP(buf_done) struct buf first = buf_with_ceiling(TEXT_BYTES_MAX);
    buf_append(&first, SPAN("AWS4"));
    buf_append(&first, secret);
    if (buf_failed(&first)) {
        return error_set_memory(err, "the signing key");
    }
    const struct span steps[] = {day_of(scope), scope->region, scope->service,
                                 SPAN("aws4_request")};
    struct span key = buf_span(&first);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (!crypto_hmac_sha256(key, steps[i], ret, err)) {
            return false;
        }
        key = span_of((const char *)ret, SHA256_BYTES);
    }
    return true;
}

/* A hash over everything that the key depends on. */
static bool identify_key(struct span secret, const struct sigv4_scope *scope,
                         uint8_t ret[SHA256_BYTES], struct error *err) {
    CLEANUP(buf_done) struct buf text = buf_with_ceiling(TEXT_BYTES_MAX);
    append_scope(&text, scope);
    buf_append_char(&text, '\n');
    buf_append(&text, secret);
    if (buf_failed(&text)) {
        return error_set_memory(err, "the signing key");
    }
    return crypto_sha256(buf_span(&text), ret, err);
}

bool sigv4_signing_key(struct sigv4_key_cache *cache, struct span secret_access_key,
                       const struct sigv4_scope *scope, uint8_t ret[SHA256_BYTES],
                       struct error *err) {
    uint8_t identity[SHA256_BYTES];
    if (!identify_key(secret_access_key, scope, identity, err)) {
        return false;
    }
    bool known = cache->filled && memcmp(cache->identity, identity, sizeof identity) == 0;
    if (!known) {
        cache->filled = derive_key(secret_access_key, scope, cache->key, err);
        if (!cache->filled) {
            return false;
        }
        memcpy(cache->identity, identity, sizeof identity);
    }
    memcpy(ret, cache->key, SHA256_BYTES);
    return true;
}

bool sigv4_signature(const uint8_t key[SHA256_BYTES], struct span string_to_sign,
                     char ret[SHA256_HEX_BYTES], struct error *err) {
    uint8_t digest[SHA256_BYTES];
    struct span key_bytes = span_of((const char *)key, SHA256_BYTES);
    if (!crypto_hmac_sha256(key_bytes, string_to_sign, digest, err)) {
        return false;
    }
    crypto_hex(digest, sizeof digest, ret);
    return true;
}

static bool is_visible_ascii(struct span s) {
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] <= ' ' || s.ptr[i] > '~') {
            return false;
        }
    }
    return s.len > 0;
}

static bool append_authorization(struct buf *out, const struct sigv4_scope *scope,
                                 struct span access_key_id, struct span signed_headers,
                                 struct span signature, struct error *err) {
    if (!is_visible_ascii(access_key_id)) {
        return error_set(err, ERR_INVALID, "the access key id holds blanks or odd characters");
    }
    buf_append(out, algorithm);
    buf_append(out, SPAN(" Credential="));
    buf_append(out, access_key_id);
    buf_append_char(out, '/');
    append_scope(out, scope);
    buf_append(out, SPAN(", SignedHeaders="));
    buf_append(out, signed_headers);
    buf_append(out, SPAN(", Signature="));
    buf_append(out, signature);
    return !buf_failed(out) || error_set_memory(err, "the authorization header");
}

bool sigv4_sign(const struct sigv4_request *request, const struct sigv4_scope *scope,
                const struct credentials *credentials, struct sigv4_key_cache *cache,
                struct buf *authorization, struct error *err) {
    CLEANUP(buf_done) struct buf canonical = buf_with_ceiling(TEXT_BYTES_MAX);
    CLEANUP(buf_done) struct buf signed_headers = buf_with_ceiling(TEXT_BYTES_MAX);
    CLEANUP(buf_done) struct buf to_sign = buf_with_ceiling(TEXT_BYTES_MAX);
    uint8_t key[SHA256_BYTES];
    char signature[SHA256_HEX_BYTES];
    return sigv4_canonical_request(request, &canonical, &signed_headers, err) &&
           sigv4_string_to_sign(buf_span(&canonical), scope, &to_sign, err) &&
           sigv4_signing_key(cache, credentials->secret_access_key, scope, key, err) &&
           sigv4_signature(key, buf_span(&to_sign), signature, err) &&
           append_authorization(authorization, scope, credentials->access_key_id,
                                buf_span(&signed_headers), span_of(signature, sizeof signature),
                                err);
}
