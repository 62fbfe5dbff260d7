// SPDX-License-Identifier: MIT
#include "base/crypto.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void assert_hex(const uint8_t digest[SHA256_BYTES], const char *expected) {
    char text[SHA256_HEX_BYTES + 1] = {0};
    crypto_hex(digest, SHA256_BYTES, text);
    assert_string_equal(text, expected);
}

static void hashes_fail_before_initialisation(void **state) {
    (void)state;
    uint8_t digest[SHA256_BYTES];
    struct error err = {0};
    assert_false(crypto_md5(SPAN("abc"), digest, &err));
    assert_int_equal(err.code, ERR_SYSTEM);
    assert_false(crypto_sha256(SPAN("abc"), digest, &err));
    assert_int_equal(err.code, ERR_SYSTEM);
    assert_false(crypto_hmac_sha256(SPAN("k"), SPAN("abc"), digest, &err));
}

static int initialise(void **state) {
    (void)state;
    struct error err = {0};
    return crypto_init(&err) ? 0 : -1;
}

static void may_be_initialised_twice(void **state) {
    struct error err = {0};
    (void)state;
    assert_true(crypto_init(&err));
}

/* FIPS 180-4 examples. */
static void sha256_agrees_with_the_standard(void **state) {
    (void)state;
    static const struct {
        const char *text;
        const char *digest;
    } cases[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t digest[SHA256_BYTES];
        assert_true(crypto_sha256(span_of_text(cases[i].text), digest, NULL));
        assert_hex(digest, cases[i].digest);
    }
}

/* RFC 1321, A.5. */
static void md5_agrees_with_the_standard(void **state) {
    (void)state;
    uint8_t digest[MD5_BYTES];
    char hex[2 * MD5_BYTES];
    assert_true(crypto_md5(SPAN("message digest"), digest, NULL));
    crypto_hex(digest, sizeof digest, hex);
    assert_memory_equal(hex, "f96b697d7cb7938d525a2f31aaf161d0", sizeof hex);
    assert_true(crypto_md5(span_of(NULL, 0), digest, NULL));
    crypto_hex(digest, sizeof digest, hex);
    assert_memory_equal(hex, "d41d8cd98f00b204e9800998ecf8427e", sizeof hex);
}

static void sha256_takes_an_empty_span_without_memory(void **state) {
    (void)state;
    uint8_t digest[SHA256_BYTES];
    assert_true(crypto_sha256(span_of(NULL, 0), digest, NULL));
    assert_hex(digest, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

/* RFC 4231, test cases 2 and 6: a short key, and one longer than a block. */
static void hmac_agrees_with_rfc_4231(void **state) {
    (void)state;
    uint8_t digest[SHA256_BYTES];
    assert_true(
        crypto_hmac_sha256(SPAN("Jefe"), SPAN("what do ya want for nothing?"), digest, NULL));
    assert_hex(digest, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");

    char key[131];
    memset(key, 0xaa, sizeof key);
    assert_true(crypto_hmac_sha256(span_of(key, sizeof key),
                                   SPAN("Test Using Larger Than Block-Size Key - Hash Key First"),
                                   digest, NULL));
    assert_hex(digest, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void hmac_with_an_empty_key_does_not_reuse_the_last_one(void **state) {
    (void)state;
    uint8_t digest[SHA256_BYTES];
    assert_true(crypto_hmac_sha256(SPAN("Jefe"), SPAN("x"), digest, NULL));
    assert_true(crypto_hmac_sha256(span_of(NULL, 0), span_of(NULL, 0), digest, NULL));
    assert_hex(digest, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void random_bytes_differ_from_draw_to_draw(void **state) {
    (void)state;
    uint8_t a[32] = {0};
    uint8_t b[32] = {0};
    assert_true(crypto_random(a, sizeof a, NULL));
    assert_true(crypto_random(b, sizeof b, NULL));
    assert_memory_not_equal(a, b, sizeof a);
}

static void random_fills_exactly_what_was_asked_for(void **state) {
    (void)state;
    uint8_t bytes[1024];
    memset(bytes, 0, sizeof bytes);
    assert_true(crypto_random(bytes, 1000, NULL));
    static const uint8_t untouched[24];
    assert_memory_equal(bytes + 1000, untouched, sizeof untouched);
    assert_true(crypto_random(bytes, 0, NULL));
}

static unsigned seedings_of(EVP_RAND_CTX *generator) {
    unsigned count = 0;
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_uint(OSSL_DRBG_PARAM_RESEED_COUNTER, &count),
        OSSL_PARAM_construct_end(),
    };
    assert_int_equal(EVP_RAND_CTX_get_params(generator, parameters), 1);
    return count;
}

static void reseeded_what_tls_draws_from_comes_of_new_bytes(void **state) {
    (void)state;
    uint8_t drawn[16];
    EVP_RAND_CTX *const generators[] = {RAND_get0_public(NULL), RAND_get0_private(NULL)};
    unsigned before[2];
    for (int i = 0; i < 2; i++) {
        assert_int_equal(EVP_RAND_generate(generators[i], drawn, sizeof drawn, 0, 0, NULL, 0), 1);
        before[i] = seedings_of(generators[i]);
        assert_int_equal(EVP_RAND_generate(generators[i], drawn, sizeof drawn, 0, 0, NULL, 0), 1);
        assert_int_equal(seedings_of(generators[i]), before[i]);
    }
    assert_true(crypto_reseed(NULL));
    for (int i = 0; i < 2; i++) {
        assert_int_equal(EVP_RAND_generate(generators[i], drawn, sizeof drawn, 0, 0, NULL, 0), 1);
        assert_int_not_equal(seedings_of(generators[i]), before[i]);
    }
}

static void hex_is_lower_case_and_has_no_terminator(void **state) {
    (void)state;
    static const uint8_t bytes[] = {0x00, 0x0f, 0xa5, 0xff};
    char text[9] = "........x";
    text[8] = 'x';
    crypto_hex(bytes, sizeof bytes, text);
    assert_memory_equal(text, "000fa5ffx", 9);
}

int main(void) {
    const struct CMUnitTest before[] = {cmocka_unit_test(hashes_fail_before_initialisation)};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(may_be_initialised_twice),
        cmocka_unit_test(md5_agrees_with_the_standard),
        cmocka_unit_test(sha256_agrees_with_the_standard),
        cmocka_unit_test(sha256_takes_an_empty_span_without_memory),
        cmocka_unit_test(hmac_agrees_with_rfc_4231),
        cmocka_unit_test(hmac_with_an_empty_key_does_not_reuse_the_last_one),
        cmocka_unit_test(random_bytes_differ_from_draw_to_draw),
        cmocka_unit_test(random_fills_exactly_what_was_asked_for),
        cmocka_unit_test(reseeded_what_tls_draws_from_comes_of_new_bytes),
        cmocka_unit_test(hex_is_lower_case_and_has_no_terminator),
    };
    return cmocka_run_group_tests(before, NULL, NULL) +
           cmocka_run_group_tests(tests, initialise, NULL);
}
