// The inner loops, written once over a vector of Isa::kLanes floats.
//
// Isa gives kLanes; Vector and Integers, GCC vectors of that many floats and integers; kFusedMultiplyAdd, whether
// a * b + c is one instruction; kSpectrumFrames, the frames that share a weight in `log_power`; and
// int keep_positive(Vector v, int channel, float* values, int32_t* channels), which appends the positive lanes.
#pragma once

#include <cstdint>

#include "kernels.hpp"

#define VG_UNROLL _Pragma("GCC unroll 32")

namespace voicegauge {
namespace {

template <class Isa>
struct Loops {
    static constexpr int kLanes = Isa::kLanes;
    using Vector = typename Isa::Vector;
    using Integers = typename Isa::Integers;

    static Vector load(const float* from) {
        Vector v;
        __builtin_memcpy(&v, from, sizeof v);
        return v;
    }

    static void store(float* to, Vector v) { __builtin_memcpy(to, &v, sizeof v); }

    static Vector larger(Vector a, Vector b) { return a > b ? a : b; }

    // log10 of a positive, normal number to 2e-7: the exponent, and for the mantissa m in [sqrt(1/2), sqrt(2)) the
    // series ln m = 2 (s + s^3/3 + s^5/5 + ...) with s = (m - 1) / (m + 1), where |s| < 0.172.
    static Vector log10(Vector x) {
        const Integers bits = (Integers)x;
        const Integers above = bits - 0x3f3504f3;  // counts from the bits of sqrt(1/2)
        const Integers exponent = above >> 23;
        const Vector e = (Vector)(exponent + 0x4b400000) - 12582912.0f;  // the integer as a float
        const Vector m = (Vector)(bits - (exponent << 23));
        const Vector s = (m - 1.0f) / (m + 1.0f);
        const Vector t = s * s;
        const Vector series = 2.0f + t * (2.0f / 3 + t * (2.0f / 5 + t * (2.0f / 7 + t * (2.0f / 9))));
        return e * 0.30102999566f + s * series * 0.4342944819f;
    }

    // x * w + sum, rounded once.
    static Vector fused(float x, Vector w, Vector sum) {
        if constexpr (Isa::kFusedMultiplyAdd) return x * w + sum;
        Vector result;
        const double wide = x;  // in double the product is exact
        for (int lane = 0; lane < kLanes; ++lane)
            result[lane] = static_cast<float>(wide * static_cast<double>(w[lane]) + static_cast<double>(sum[lane]));
        return result;
    }

    // Now and then a bin nearly cancels, and its logarithm turns the rounding of the sum into a visible number. So the
    // sum is rounded as onnxruntime rounds it: by fused multiply-adds in runs of 128 samples, which are then added.
    static constexpr int kRun = 128;

    // Each weight that is loaded serves FRAMES frames.
    template <int FRAMES>
    static void log_power_tile(const float* samples, const float* weights, float* rows) {
        for (int bin = 0; bin < kBins; bin += kLanes) {
            Vector re[FRAMES] = {}, im[FRAMES] = {};
            for (int run = 0; run < kFrameSamples; run += kRun) {
                const int end = run + kRun < kFrameSamples ? run + kRun : kFrameSamples;
                Vector run_re[FRAMES] = {}, run_im[FRAMES] = {};
                for (int k = run; k < end; ++k, weights += 2 * kLanes) {
                    const Vector w_re = load(weights), w_im = load(weights + kLanes);
                    VG_UNROLL for (int t = 0; t < FRAMES; ++t) {
                        const float x = samples[t * kHopSamples + k];
                        run_re[t] = fused(x, w_re, run_re[t]);
                        run_im[t] = fused(x, w_im, run_im[t]);
                    }
                }
                VG_UNROLL for (int t = 0; t < FRAMES; ++t) {
                    re[t] += run_re[t];
                    im[t] += run_im[t];
                }
            }
            VG_UNROLL for (int t = 0; t < FRAMES; ++t) {
                const Vector power = re[t] * re[t] + im[t] * im[t];
                store(rows + t * kSpectrumStride + 1 + bin, log10(larger(power, Vector{} + 1e-12f)));
            }
        }
        for (int t = 0; t < FRAMES; ++t) {
            float* row = rows + t * kSpectrumStride;
            row[0] = 0.0f;
            for (int k = kBins + 1; k < kSpectrumStride; ++k) row[k] = 0.0f;
        }
    }

    static void log_power(const float* samples, int frames, const float* weights, float* rows) {
        constexpr int kTile = Isa::kSpectrumFrames;
        int t = 0;
        for (; t + kTile <= frames; t += kTile)
            log_power_tile<kTile>(samples + t * kHopSamples, weights, rows + t * kSpectrumStride);
        for (; t < frames; ++t) log_power_tile<1>(samples + t * kHopSamples, weights, rows + t * kSpectrumStride);
    }

    static void first_convolution(const float* const spectrum[3], const float* weights, const float* bias,
                                  SparseRow out) {
        constexpr int kBlock = 8 * kLanes;
        int n = 0;
        for (int f = 0; f < out.width; ++f) {
            out.begin[f] = n;
            for (int c = 0; c < kFirstChannels; c += kBlock) {
                Vector sum[8];
                VG_UNROLL for (int v = 0; v < 8; ++v) sum[v] = load(bias + c + v * kLanes);
                VG_UNROLL for (int tap = 0; tap < 9; ++tap) {
                    const float x = spectrum[tap / 3][f + tap % 3];
                    VG_UNROLL for (int v = 0; v < 8; ++v)
                        sum[v] += x * load(weights + tap * kFirstChannels + c + v * kLanes);
                }
                VG_UNROLL for (int v = 0; v < 8; ++v)
                    n += Isa::keep_positive(sum[v], c + v * kLanes, out.values + n, out.channels + n);
            }
        }
        out.begin[out.width] = n;
    }

    // An entry reaches three output pixels of a row. Their sums stay in registers while the pixel moves along the row:
    // the left one is complete when the pixel has been read, and the other two become the next pixel's left and middle.
    template <int ROWS, int N>
    static void scatter_block(const SparseRow& in, const float* weights, const float* bias, int out_channels,
                              const ScatterTarget& target, int first_row, int channel) {
        constexpr int kBlock = N * kLanes;
        const float* base[ROWS];
        int base_step[ROWS];
        float* row[ROWS];
        VG_UNROLL for (int j = 0; j < ROWS; ++j) {
            const bool fresh = target.fresh[first_row + j];
            row[j] = target.rows[first_row + j] + channel;
            base[j] = fresh ? bias + channel : row[j];
            base_step[j] = fresh ? 0 : out_channels;
        }
        const std::int32_t* const begin = in.begin;
        const float* const values = in.values;
        const std::int32_t* const channels = in.channels;
        const int width = in.width;
        Vector sum[ROWS][3][N] = {};
        const auto complete_left = [&]() __attribute__((always_inline)) {
            VG_UNROLL for (int j = 0; j < ROWS; ++j) {
                VG_UNROLL for (int v = 0; v < N; ++v) {
                    store(row[j] + v * kLanes, load(base[j] + v * kLanes) + sum[j][0][v]);
                    sum[j][0][v] = sum[j][1][v];
                    sum[j][1][v] = sum[j][2][v];
                    sum[j][2][v] = Vector{};
                }
                row[j] += out_channels;
                base[j] += base_step[j];
            }
        };
        for (int f = 0, e = 0; f < width; ++f) {
            for (const int end = begin[f + 1]; e < end; ++e) {
                const float x = values[e];
                const float* const w = weights + channels[e] * (ROWS * 3 * kBlock);
                VG_UNROLL for (int j = 0; j < ROWS; ++j)
                    VG_UNROLL for (int k = 0; k < 3; ++k)
                        VG_UNROLL for (int v = 0; v < N; ++v)
                            sum[j][k][v] += x * load(w + ((j * 3 + k) * N + v) * kLanes);
            }
            complete_left();
        }
        complete_left();
    }

    template <int ROWS, int N>
    static void scatter_all(const SparseRow& in, const float* weights, const float* bias, int in_channels,
                            int out_channels, const ScatterTarget& target) {
        for (int row = 0; row < 3; row += ROWS)
            for (int channel = 0; channel < out_channels; channel += N * kLanes) {
                scatter_block<ROWS, N>(in, weights, bias, out_channels, target, row, channel);
                weights += in_channels * ROWS * 3 * N * kLanes;
            }
    }

    static ScatterShape scatter_shape(int out_channels) {
        return out_channels >= 4 * kLanes ? ScatterShape{1, 4 * kLanes} : ScatterShape{3, 2 * kLanes};
    }

    static void scatter(const SparseRow& in, const float* weights, const float* bias, int in_channels,
                        int out_channels, const ScatterTarget& target) {
        (scatter_shape(out_channels).rows == 1 ? scatter_all<1, 4> : scatter_all<3, 2>)(
            in, weights, bias, in_channels, out_channels, target);
    }

    static void sparsify(const float* row, int channels, SparseRow out) {
        int n = 0;
        for (int f = 0; f < out.width; ++f) {
            out.begin[f] = n;
            for (int c = 0; c < channels; c += kLanes)
                n += Isa::keep_positive(load(row + f * channels + c), c, out.values + n, out.channels + n);
        }
        out.begin[out.width] = n;
    }

    static void pool(const float* a, const float* b, int width, int channels, float* out) {
        for (int f = 0; f < width; ++f)
            for (int c = 0; c < channels; c += kLanes) {
                const int left = 2 * f * channels + c, right = left + channels;
                const Vector in_a = larger(load(a + left), load(a + right));
                const Vector in_b = larger(load(b + left), load(b + right));
                store(out + f * channels + c, larger(larger(in_a, in_b), Vector{}));
            }
    }

    static constexpr Kernels table(const char* name) {
        return {name, kLanes, scatter_shape, log_power, first_convolution, scatter, sparsify, pool};
    }
};

}  // namespace
}  // namespace voicegauge
