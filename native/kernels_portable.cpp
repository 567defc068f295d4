// Compiled for the build's plain target: SSE2 on x86-64, NEON on 64-bit ARM.
#include "kernels_impl.hpp"

namespace voicegauge {
namespace {

struct Portable {
    static constexpr int kLanes = 4;
    typedef float Vector __attribute__((vector_size(16)));
    typedef std::int32_t Integers __attribute__((vector_size(16)));
#if defined(__FP_FAST_FMAF)
    static constexpr bool kFusedMultiplyAdd = true;
#else
    static constexpr bool kFusedMultiplyAdd = false;
#endif
    static constexpr int kSpectrumFrames = 6;

    static int keep_positive(Vector v, int channel, float* values, std::int32_t* channels) {
        int n = 0;
        for (int lane = 0; lane < kLanes; ++lane) {
            values[n] = v[lane];
            channels[n] = channel + lane;
            n += v[lane] > 0.0f;
        }
        return n;
    }
};

constexpr Kernels kTable = Loops<Portable>::table("portable");

}  // namespace

const Kernels* portable_kernels() { return &kTable; }

}  // namespace voicegauge
