// Compiled with AVX-512 F, VL, DQ, BW switched on; nothing in here runs before the processor has been asked.
#include "kernels.hpp"

#if defined(__AVX512F__)

#include <immintrin.h>

#include "kernels_impl.hpp"

namespace voicegauge {
namespace {

struct Avx512 {
    static constexpr int kLanes = 16;
    typedef float Vector __attribute__((vector_size(64)));
    typedef std::int32_t Integers __attribute__((vector_size(64)));
    static constexpr bool kFusedMultiplyAdd = true;
    static constexpr int kSpectrumFrames = 12;

    static int keep_positive(__m512 v, int channel, float* values, std::int32_t* channels) {
        const __mmask16 positive = _mm512_cmp_ps_mask(v, _mm512_setzero_ps(), _CMP_GT_OQ);
        const __m512i order = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
        const __m512i numbers = _mm512_add_epi32(order, _mm512_set1_epi32(channel));
        const __m512 kept = _mm512_maskz_compress_ps(positive, v);
        const __m512i kept_numbers = _mm512_maskz_compress_epi32(positive, numbers);
        const int count = __builtin_popcount(positive);
        // There are seldom more than four, and short stores cross fewer cache lines.
        if (count <= 4) {
            _mm_storeu_ps(values, _mm512_castps512_ps128(kept));
            _mm_storeu_si128(reinterpret_cast<__m128i*>(channels), _mm512_castsi512_si128(kept_numbers));
        } else {
            _mm512_storeu_ps(values, kept);
            _mm512_storeu_si512(channels, kept_numbers);
        }
        return count;
    }
};

constexpr Kernels kTable = Loops<Avx512>::table("AVX-512");

}  // namespace

const Kernels* avx512_kernels() {
    __builtin_cpu_init();
    const bool has = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                     __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
    return has ? &kTable : nullptr;
}

}  // namespace voicegauge

#else

namespace voicegauge {
const Kernels* avx512_kernels() { return nullptr; }
}  // namespace voicegauge

#endif
