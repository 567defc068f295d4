// Compiled with AVX2 and FMA switched on; nothing in here runs before the processor has been asked.
#include "kernels.hpp"

#if defined(__AVX2__) && defined(__FMA__)

#include <immintrin.h>

#include "kernels_impl.hpp"

namespace voicegauge {
namespace {

// For each set of positive lanes, their numbers in order, a byte each.
struct Packing {
    std::uint64_t lanes[256];
};

constexpr Packing make_packing() {
    Packing packing{};
    for (int set = 0; set < 256; ++set) {
        int n = 0;
        for (int lane = 0; lane < 8; ++lane)
            if (set >> lane & 1) packing.lanes[set] |= std::uint64_t(lane) << (8 * n++);
    }
    return packing;
}

constexpr Packing kPacking = make_packing();

struct Avx2 {
    static constexpr int kLanes = 8;
    typedef float Vector __attribute__((vector_size(32)));
    typedef std::int32_t Integers __attribute__((vector_size(32)));
    static constexpr bool kFusedMultiplyAdd = true;
    static constexpr int kSpectrumFrames = 6;

    static int keep_positive(__m256 v, int channel, float* values, std::int32_t* channels) {
        const int positive = _mm256_movemask_ps(_mm256_cmp_ps(v, _mm256_setzero_ps(), _CMP_GT_OQ));
        const __m256i order = _mm256_cvtepu8_epi32(_mm_cvtsi64_si128(static_cast<long long>(kPacking.lanes[positive])));
        const __m256i numbers = _mm256_add_epi32(order, _mm256_set1_epi32(channel));
        _mm256_storeu_ps(values, _mm256_permutevar8x32_ps(v, order));
        _mm256_storeu_si256(reinterpret_cast<__m256i*>(channels), numbers);
        return __builtin_popcount(positive);
    }
};

constexpr Kernels kTable = Loops<Avx2>::table("AVX2");

}  // namespace

const Kernels* avx2_kernels() {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &kTable : nullptr;
}

}  // namespace voicegauge

#else

namespace voicegauge {
const Kernels* avx2_kernels() { return nullptr; }
}  // namespace voicegauge

#endif
