// SPDX-License-Identifier: MIT
/* Hashes and random bytes. The one door to OpenSSL (TLS is libcurl's business). */
#pragma once

#include "base/attributes.h"
#include "base/error.h"
#include "base/span.h"

#include <stdint.h>

enum { SHA256_BYTES = 32, SHA256_HEX_BYTES = 64, MD5_BYTES = 16 };

/* Sets OpenSSL up without the host's openssl.cnf, which may name modules that a static binary
 * must not load. Call once, before any thread starts and before libcurl is initialised; without
 * it the hashes fail. */
MUST_CHECK bool crypto_init(struct error *err);

/* Fail only when OpenSSL does (out of memory); ERR_SYSTEM. Any thread. */
MUST_CHECK bool crypto_sha256(struct span data, uint8_t ret[SHA256_BYTES], struct error *err);
MUST_CHECK bool crypto_hmac_sha256(struct span key, struct span data, uint8_t ret[SHA256_BYTES],
                                   struct error *err);

/* A checksum that some formats ask for, no protection against anybody. Fails like those. */
MUST_CHECK bool crypto_md5(struct span data, uint8_t ret[MD5_BYTES], struct error *err);

/* Bytes of the kernel's generator; ERR_SYSTEM when it has none. Any thread.
 * Not OpenSSL's: its state is part of a SnapStart snapshot, so that all environments restored from
 * one would draw the same bytes, while the kernel is reseeded on a restore. */
MUST_CHECK bool crypto_random(void *ret, size_t len, struct error *err);

/* Gives OpenSSL's generator, which TLS draws its keys from, new bytes of the kernel's: after it,
 * what it draws has nothing to do with what other environments draw that were restored from the
 * same snapshot. ERR_SYSTEM as above. */
MUST_CHECK bool crypto_reseed(struct error *err);

/* Writes 2 × len lower-case hexadecimal digits; no NUL. */
void crypto_hex(const uint8_t *bytes, size_t len, char *ret);
