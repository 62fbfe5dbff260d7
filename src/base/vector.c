// SPDX-License-Identifier: MIT
#include "base/vector.h"

#include <stdint.h>

#if defined(__x86_64__)

#include <immintrin.h>

/* The function alone is compiled for AVX2; it is called only where the processor has it. */
#define AVX2 __attribute__((target("avx2")))

/* The 12 bytes at each of two places; four bytes behind them are read as well. */
AVX2 static inline __m256i load_twelves(const char *from) {
    __m128i low = _mm_loadu_si128((const __m128i *)(const void *)from);
    __m128i high = _mm_loadu_si128((const __m128i *)(const void *)(from + 12));
    return _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
}

/* Three bytes become four numbers of six bits, each in a byte of its own. A shift that differs
 * from lane to lane is a multiplication: into the upper half of the product to the right, into the
 * lower half to the left. */
AVX2 static inline __m256i split_in_sixes(__m256i bytes) {
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
AVX2 static inline __m256i characters_of(__m256i sixes) {
    const __m256i distances = _mm256_broadcastsi128_si256(
        _mm_setr_epi8('a' - 26, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52, '0' - 52,
                      '0' - 52, '0' - 52, '0' - 52, '0' - 52, '+' - 62, '/' - 63, 'A', 0, 0));
    __m256i is_capital = _mm256_cmpgt_epi8(_mm256_set1_epi8(26), sixes);
    __m256i run = _mm256_or_si256(_mm256_subs_epu8(sixes, _mm256_set1_epi8(51)),
                                  _mm256_and_si256(is_capital, _mm256_set1_epi8(13)));
    return _mm256_add_epi8(sixes, _mm256_shuffle_epi8(distances, run));
}

AVX2 static size_t base64_avx2(struct span bytes, char *to) {
    enum { TAKEN = 24, READ = 28, WRITTEN = 32 };
    size_t at = 0;
    for (; bytes.len - at >= READ; at += TAKEN, to += WRITTEN) {
        __m256i text = characters_of(split_in_sixes(load_twelves(bytes.ptr + at)));
        _mm256_storeu_si256((__m256i *)(void *)to, text);
    }
    return at;
}

size_t vector_base64(struct span bytes, char *to) {
    return __builtin_cpu_supports("avx2") ? base64_avx2(bytes, to) : 0;
}

#elif defined(__aarch64__)

#include <arm_neon.h>

static uint8x16x4_t load_alphabet(void) {
    static const uint8_t alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    return vld1q_u8_x4(alphabet);
}

/* Loads and stores that take and give every third and fourth byte do most of the work. */
size_t vector_base64(struct span bytes, char *to) {
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

#endif
