// SPDX-License-Identifier: MIT
#include "pipeline/json_plain.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* What was found in a block of bytes. */
struct found {
    uint64_t special;      /* the same bits for each byte, the first in the lowest: set for quotes,
                            * backslashes and control characters */
    uint64_t beyond_ascii; /* not 0: some byte is not ASCII */
};

/* A way to look into a block of bytes. */
struct looking {
    size_t width;           /* bytes of a block */
    unsigned bits_per_byte; /* of found.special */
    struct found (*look)(const char *block);
};

/* --- sixteen bytes: gcc and clang make SSE2 or NEON of it --- */

typedef uint8_t sixteen __attribute__((vector_size(16)));
typedef uint16_t eight_pairs __attribute__((vector_size(16)));
typedef uint64_t two_words __attribute__((vector_size(16)));
typedef uint8_t eight_bytes __attribute__((vector_size(8)));
typedef uint64_t one_word __attribute__((vector_size(8)));

static inline struct found look_into_sixteen(const char *block) {
    sixteen bytes;
    memcpy(&bytes, block, sizeof bytes);
    two_words words = (two_words)bytes;
    eight_pairs special = (eight_pairs)((bytes == '"') | (bytes == '\\') | (bytes < ' '));
    return (struct found){
        .special = ((one_word) __builtin_convertvector(special >> 4, eight_bytes))[0],
        .beyond_ascii = (words[0] | words[1]) & UINT64_C(0x8080808080808080),
    };
}

/* --- 32 bytes --- */

#if defined(__x86_64__)

#include <immintrin.h>

#define WIDE __attribute__((target("avx2")))

static bool has_wide(void) { return __builtin_cpu_supports("avx2"); }

WIDE static inline struct found look_into_thirty_two(const char *block) {
    __m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)block);
    __m256i quotes = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('"'));
    __m256i backslashes = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\\'));
    __m256i controls = _mm256_cmpeq_epi8(bytes, _mm256_min_epu8(bytes, _mm256_set1_epi8(' ' - 1)));
    __m256i special = _mm256_or_si256(_mm256_or_si256(quotes, backslashes), controls);
    return (struct found){
        .special = (uint32_t)_mm256_movemask_epi8(special),
        .beyond_ascii = (uint32_t)_mm256_movemask_epi8(bytes),
    };
}

#endif

/* --- the way through --- */

static bool is_short_escape(const char *at, const char *end) {
    return end - at >= 2 && at[0] == '\\' && json_is_short_escape(at[1]);
}

/* Skips a block and the escape that it ends in. False when it stopped at a special byte. */
static inline __attribute__((always_inline)) bool
skip_block(const struct looking *looking, uint64_t special, const char **at, const char *end) {
    const char *block = *at;
    const char *next = block + looking->width;
    while (special != 0) {
        unsigned byte = (unsigned)__builtin_ctzll(special) / looking->bits_per_byte;
        const char *here = block + byte;
        if (!is_short_escape(here, end)) {
            *at = here;
            return false;
        }
        next = here + 2 > next ? here + 2 : next;
        /* In two steps, because a shift by 64 bits at once is undefined. */
        unsigned bits = byte * looking->bits_per_byte;
        special &= UINT64_MAX << bits << 2 * looking->bits_per_byte;
    }
    *at = next;
    return true;
}

/* Skips blocks as long as they are whole. False when it stopped at a special byte. */
static inline __attribute__((always_inline)) bool
skip_blocks(struct looking looking, const char **at, const char *end, bool *is_ascii) {
    uint64_t beyond_ascii = 0;
    bool goes_on = true;
    while (goes_on && (size_t)(end - *at) >= looking.width) {
        struct found found = looking.look(*at);
        beyond_ascii |= found.beyond_ascii;
        goes_on = skip_block(&looking, found.special, at, end);
    }
    *is_ascii = *is_ascii && beyond_ascii == 0;
    return goes_on;
}

static bool skip_sixteens(const char **at, const char *end, bool *is_ascii) {
    const struct looking looking = {16, 4, look_into_sixteen};
    return skip_blocks(looking, at, end, is_ascii);
}

#if defined(__x86_64__)
WIDE static bool skip_thirty_twos(const char **at, const char *end, bool *is_ascii) {
    const struct looking looking = {32, 1, look_into_thirty_two};
    return skip_blocks(looking, at, end, is_ascii);
}
#endif

static bool skip_whole_blocks(const char **at, const char *end, bool *is_ascii) {
#if defined(__x86_64__)
    if (has_wide()) {
        return skip_thirty_twos(at, end, is_ascii) && skip_sixteens(at, end, is_ascii);
    }
#endif
    return skip_sixteens(at, end, is_ascii);
}

const char *json_skip_plain(const char *at, const char *end, bool *is_ascii) {
    if (!skip_whole_blocks(&at, end, is_ascii)) {
        return at;
    }
    for (; at < end; at += *at == '\\' ? 2 : 1) {
        unsigned char c = (unsigned char)*at;
        *is_ascii = *is_ascii && c < 0x80;
        if (c < ' ' || c == '"' || (c == '\\' && !is_short_escape(at, end))) {
            return at;
        }
    }
    return end;
}
