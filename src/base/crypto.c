// SPDX-License-Identifier: MIT
#include "base/crypto.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>

#include <errno.h>
#include <sys/random.h>

enum { SEED_BYTES = 48 }; /* what OpenSSL's generator takes for its 256 bits, with a nonce */

/* Fetched once: a fetch takes locks and costs more than hashing a short text. They live as long as
 * the process. */
static EVP_MD *sha256;
static EVP_MD *md5;
static EVP_MAC *hmac;

bool crypto_init(struct error *err) {
    if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1) {
        return error_set(err, ERR_SYSTEM, "OpenSSL cannot be initialised");
    }
    if (sha256 == NULL) {
        sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    }
    if (md5 == NULL) {
        md5 = EVP_MD_fetch(NULL, "MD5", NULL);
    }
    if (hmac == NULL) {
        hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    }
    if (sha256 == NULL || md5 == NULL || hmac == NULL) {
        return error_set(err, ERR_SYSTEM, "OpenSSL has no SHA-256, no MD5 or no HMAC");
    }
    return true;
}

bool crypto_sha256(struct span data, uint8_t ret[SHA256_BYTES], struct error *err) {
    if (sha256 == NULL || EVP_Digest(data.ptr, data.len, ret, NULL, sha256, NULL) != 1) {
        return error_set(err, ERR_SYSTEM, "SHA-256 failed in OpenSSL");
    }
    return true;
}

bool crypto_md5(struct span data, uint8_t ret[MD5_BYTES], struct error *err) {
    if (md5 == NULL || EVP_Digest(data.ptr, data.len, ret, NULL, md5, NULL) != 1) {
        return error_set(err, ERR_SYSTEM, "MD5 failed in OpenSSL");
    }
    return true;
}

static bool run_hmac(EVP_MAC_CTX *context, struct span key, struct span data,
                     uint8_t ret[SHA256_BYTES]) {
    char digest[] = "SHA256";
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    /* A NULL key would mean "the key of before". */
    const uint8_t *key_bytes = (const uint8_t *)(key.len == 0 ? "" : key.ptr);
    const uint8_t *data_bytes = (const uint8_t *)data.ptr;
    size_t written = 0;
    return EVP_MAC_init(context, key_bytes, key.len, parameters) == 1 &&
           EVP_MAC_update(context, data_bytes, data.len) == 1 &&
           EVP_MAC_final(context, ret, &written, SHA256_BYTES) == 1 && written == SHA256_BYTES;
}

bool crypto_hmac_sha256(struct span key, struct span data, uint8_t ret[SHA256_BYTES],
                        struct error *err) {
    EVP_MAC_CTX *context = hmac == NULL ? NULL : EVP_MAC_CTX_new(hmac);
    bool done = context != NULL && run_hmac(context, key, data, ret);
    EVP_MAC_CTX_free(context);
    return done || error_set(err, ERR_SYSTEM, "HMAC-SHA-256 failed in OpenSSL");
}

bool crypto_random(void *ret, size_t len, struct error *err) {
    char *to = ret;
    while (len > 0) {
        ssize_t got = getrandom(to, len, 0);
        if (got < 0 && errno != EINTR) {
            return error_set(err, ERR_SYSTEM, "the kernel gives no random bytes (%d)", errno);
        }
        if (got > 0) {
            to += got;
            len -= (size_t)got;
        }
    }
    return true;
}

bool crypto_reseed(struct error *err) {
    uint8_t seed[SEED_BYTES];
    if (!crypto_random(seed, sizeof seed, err)) {
        return false;
    }
    RAND_seed(seed, sizeof seed);
    return true;
}

void crypto_hex(const uint8_t *bytes, size_t len, char *ret) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        ret[2 * i] = digits[bytes[i] >> 4];
        ret[2 * i + 1] = digits[bytes[i] & 15];
    }
}
