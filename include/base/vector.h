// SPDX-License-Identifier: MIT
/* Loops over bytes that a processor's vector instructions run many times faster: AVX2 on x86_64,
 * NEON on arm64. The other place of intrinsics is json_plain.c.
 *
 * Each function takes as many bytes from the start as its instructions can and returns how many;
 * the caller's portable code goes on from there. On a processor without the instructions that is
 * from the start. Pure; any thread. */
#pragma once

#include "base/span.h"

/* Writes the base64 of whole groups of three bytes to `to`, which has room for that of all bytes:
 * four characters for each three bytes taken. Returns a multiple of three. */
size_t vector_base64(struct span bytes, char *to);

/* Takes whole characters of valid UTF-8, but not always the last of them. */
size_t vector_utf8(struct span text);
