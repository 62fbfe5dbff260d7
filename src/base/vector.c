// SPDX-License-Identifier: MIT
#include "base/vector.h"

#include <stdint.h>

typedef uint8_t sixteen __attribute__((vector_size(16)));
typedef uint64_t two_words __attribute__((vector_size(16)));

#if defined(__x86_64__)

#include <immintrin.h>

/* These functions alone are compiled for AVX2; they are called only where the processor has it. */
#define VECTORS __attribute__((target("avx2")))

static bool has_vectors(void) { return __builtin_cpu_supports("avx2"); }

/* The 12 bytes at each of two places; four bytes behind them are read as well. */
VECTORS static inline __m256i load_twelves(const char *from) {
    __m128i low = _mm_loadu_si128((const __m128i *)(const void *)from);
    __m128i high = _mm_loadu_si128((const __m128i *)(const void *)(from + 12));
    return _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
}

/* Three bytes become four numbers of six bits, each in a byte of its own. A shift that differs
 * from lane to lane is a multiplication: into the upper half of the product to the right, into the
 * lower half to the left. */
VECTORS static inline __m256i split_in_sixes(__m256i bytes) {
    /* Of each three a, b, c: b a c b, so that every number lies inside one 16-bit lane. */
    const __m256i order = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10));
    __m256i groups = _mm256_shuffle_epi8(bytes, order);
    __m256i first_and_third = _mm256_and_si256(groups, _mm256_set1_epi32(0x0fc0fc00));
    __m256i second_and_fourth = _mm256_and_si256(groups, _mm256_set1_epi32(0x003f03f0));
    return _mm256_or_si256(_mm256_mulhi_epu16(first_and_third, _mm256_set1_epi32(0x04000040)),
                           _mm256_mullo_epi16(second_and_fourth, _mm256_set1_epi32(0x01000010)));
}

/* The alphabet has five runs, in each of which the distance from number to character is the same:
 * it is looked up by the number of the run, 13 for A-Z, 0 for a-z, 1-10 for 0-9, then + and /. */
VECTORS static inline __m256i characters_of(__m256i sixes) {
    const __m256i distances = _mm256_broadcastsi128_si256(
        _mm_setr_epi8('a' - 26, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52,
                      '0' - 52, '0' - 52, '0' - 52, '0' - 52, '+' - 62, '/' - 63, 'A', 0, 0));
    __m256i is_capital = _mm256_cmpgt_epi8(_mm256_set1_epi8(26), sixes);
    __m256i run = _mm256_or_si256(_mm256_subs_epu8(sixes, _mm256_set1_epi8(51)),
                                  _mm256_and_si256(is_capital, _mm256_set1_epi8(13)));
    return _mm256_add_epi8(sixes, _mm256_shuffle_epi8(distances, run));
}

VECTORS static size_t base64_prefix(struct span bytes, char *to) {
    enum { TAKEN = 24, READ = 28, WRITTEN = 32 };
    size_t at = 0;
    for (; bytes.len - at >= READ; at += TAKEN, to += WRITTEN) {
        __m256i text = characters_of(split_in_sixes(load_twelves(bytes.ptr + at)));
        _mm256_storeu_si256((__m256i *)(void *)to, text);
    }
    return at;
}

VECTORS static inline sixteen look_up(const uint8_t table[16], sixteen indexes) {
    __m128i loaded = _mm_loadu_si128((const __m128i *)(const void *)table);
    return (sixteen)_mm_shuffle_epi8(loaded, (__m128i)indexes);
}

/* No less than 0. */
VECTORS static inline sixteen minus(sixteen bytes, uint8_t number) {
    return (sixteen)_mm_subs_epu8((__m128i)bytes, _mm_set1_epi8((char)number));
}

/* The bytes that stand `count` places before each of `now`. */
#define BEFORE(count, now, last)                                                                   \
    ((sixteen)_mm_alignr_epi8((__m128i)(now), (__m128i)(last), 16 - (count)))

#elif defined(__aarch64__)

#include <arm_neon.h>

#define VECTORS

static bool has_vectors(void) { return true; }

static uint8x16x4_t load_alphabet(void) {
    static const uint8_t alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    return vld1q_u8_x4(alphabet);
}

/* Loads and stores that take and give every third and fourth byte do most of the work. */
static size_t base64_prefix(struct span bytes, char *to) {
    enum { TAKEN = 48, WRITTEN = 64 };
    const uint8x16x4_t alphabet = load_alphabet();
    const uint8x16_t six_bits = vdupq_n_u8(0x3f);
    size_t at = 0;
    for (; bytes.len - at >= TAKEN; at += TAKEN, to += WRITTEN) {
        uint8x16x3_t in = vld3q_u8((const uint8_t *)bytes.ptr + at);
        uint8x16x4_t out;
        out.val[0] = vshrq_n_u8(in.val[0], 2);
        out.val[1] = vandq_u8(vsliq_n_u8(vshrq_n_u8(in.val[1], 4), in.val[0], 4), six_bits);
        out.val[2] = vandq_u8(vsliq_n_u8(vshrq_n_u8(in.val[2], 6), in.val[1], 2), six_bits);
        out.val[3] = vandq_u8(in.val[2], six_bits);
        for (int i = 0; i < 4; i++) {
            out.val[i] = vqtbl4q_u8(alphabet, out.val[i]);
        }
        vst4q_u8((uint8_t *)to, out);
    }
    return at;
}

static inline sixteen look_up(const uint8_t table[16], sixteen indexes) {
    return (sixteen)vqtbl1q_u8(vld1q_u8(table), (uint8x16_t)indexes);
}

static inline sixteen minus(sixteen bytes, uint8_t number) {
    return (sixteen)vqsubq_u8((uint8x16_t)bytes, vdupq_n_u8(number));
}

#define BEFORE(count, now, last)                                                                   \
    ((sixteen)vextq_u8((uint8x16_t)(last), (uint8x16_t)(now), 16 - (count)))

#endif

size_t vector_base64(struct span bytes, char *to) {
    return has_vectors() ? base64_prefix(bytes, to) : 0;
}

/* --- UTF-8 ---
 *
 * After J. Keiser and D. Lemire, "Validating UTF-8 In Less Than One Instruction Per Byte" (2020):
 * what is wrong with two bytes in a row shows in both halves of the first and the upper half of
 * the second. A table for each of these tells which faults it allows, and a fault that all three
 * allow is there. Only that a third or fourth byte is missing, or there is one too many, takes a
 * look further back. */

enum {
    CUT_OFF = 0x01, /* what has to be continued is not */
    STRAY = 0x02,   /* this continues an ASCII byte */
    OVERLONG_3 = 0x04,
    TOO_LARGE = 0x08, /* above U+10FFFF: f4 90 and up */
    SURROGATE = 0x10,
    OVERLONG_2 = 0x20,
    OVERLONG_4 = 0x40,
    TOO_LARGE_80 = 0x40, /* f5 80 and up: one bit for both, as f0 can only be overlong */
    CONTINUED = 0x80,    /* a continuation of a continuation: right for third and fourth bytes */

    ANY_LOW = CUT_OFF | STRAY | CONTINUED, /* faults that a first byte's lower half leaves open */
    HUGE_LOW = ANY_LOW | TOO_LARGE | TOO_LARGE_80,
    ANY_CONTINUATION = STRAY | CONTINUED | OVERLONG_2,
};

static const uint8_t faults_by_first_upper[16] = {
    [0x0 ... 0x7] = STRAY,
    [0x8 ... 0xb] = CONTINUED,
    [0xc] = CUT_OFF | OVERLONG_2,
    [0xd] = CUT_OFF,
    [0xe] = CUT_OFF | OVERLONG_3 | SURROGATE,
    [0xf] = CUT_OFF | OVERLONG_4 | TOO_LARGE,
};

static const uint8_t faults_by_first_lower[16] = {
    [0x0] = ANY_LOW | OVERLONG_2 | OVERLONG_3 | OVERLONG_4,
    [0x1] = ANY_LOW | OVERLONG_2,
    [0x2 ... 0x3] = ANY_LOW,
    [0x4] = ANY_LOW | TOO_LARGE,
    [0x5 ... 0xc] = HUGE_LOW,
    [0xd] = HUGE_LOW | SURROGATE,
    [0xe ... 0xf] = HUGE_LOW,
};

static const uint8_t faults_by_second_upper[16] = {
    [0x0 ... 0x7] = CUT_OFF,
    [0x8] = ANY_CONTINUATION | OVERLONG_3 | OVERLONG_4,
    [0x9] = ANY_CONTINUATION | OVERLONG_3 | TOO_LARGE,
    [0xa ... 0xb] = ANY_CONTINUATION | SURROGATE | TOO_LARGE,
    [0xc ... 0xf] = CUT_OFF,
};

/* Of `now`, which follows `last`; a character may go on behind it. */
VECTORS static inline bool has_fault(sixteen now, sixteen last) {
    sixteen first = BEFORE(1, now, last);
    sixteen faults = look_up(faults_by_first_upper, first >> 4) &
                     look_up(faults_by_first_lower, first & 0x0f) &
                     look_up(faults_by_second_upper, now >> 4);
    /* The difference has its highest bit set only behind the first byte of a long character. */
    sixteen third = minus(BEFORE(2, now, last), 0xe0 - 0x80);
    sixteen fourth = minus(BEFORE(3, now, last), 0xf0 - 0x80);
    two_words wrong = (two_words)(faults ^ ((third | fourth) & CONTINUED));
    return (wrong[0] | wrong[1]) != 0;
}

/* Without the last character, which may go on behind the text. */
static size_t whole_characters(struct span text) {
    size_t length = text.len;
    while (length > 0 && ((unsigned char)text.ptr[length - 1] & 0xc0) == 0x80) {
        length--;
    }
    bool begins_one = length > 0 && (unsigned char)text.ptr[length - 1] >= 0xc0;
    return length - begins_one;
}

VECTORS static size_t utf8_prefix(struct span text) {
    sixteen last = {0};
    size_t at = 0;
    while (text.len - at >= sizeof last) {
        sixteen now;
        memcpy(&now, text.ptr + at, sizeof now);
        if (has_fault(now, last)) {
            break;
        }
        last = now;
        at += sizeof now;
    }
    return whole_characters(span_first(text, at));
}

size_t vector_utf8(struct span text) { return has_vectors() ? utf8_prefix(text) : 0; }
