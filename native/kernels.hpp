// The inner loops, as a table of functions: one table for each instruction set, all giving the same numbers but for
// rounding. `kernels_impl.hpp` holds the one implementation; it is compiled once for each instruction set.
//
// A table's functions work on plain pointers. Nothing of the standard library may be instantiated in those files: the
// linker keeps one copy of an inline function, and it might keep the one with instructions this machine lacks.
#pragma once

#include <cstdint>

namespace voicegauge {

// One image row (a point in time) of `width` pixels (frequencies): the positive values of each pixel, since ReLU leaves
// few of them. Pixel f owns the entries begin[f] to begin[f + 1].
struct SparseRow {
    int width;
    std::int32_t* begin;     // width + 1
    float* values;           // room for width * channels + 16: whole vectors are written
    std::int32_t* channels;  // likewise
};

// What `scatter` adds one input row to: the rows above, beside and below it. A fresh row holds nothing yet and starts
// from the bias. Rows have a column of padding at either end, so pixel f stands at (f + 1) * out_channels.
struct ScatterTarget {
    float* rows[3];
    bool fresh[3];
};

// What `scatter` carries in registers at a time: the weights are packed for it.
struct ScatterShape {
    int rows;      // 1 or 3 output rows
    int channels;  // of the output
};

struct Kernels {
    const char* name;

    // Floats in one vector; weights are packed to this width.
    int lanes;

    ScatterShape (*scatter_shape)(int out_channels);

    // log10(max(1e-12, |re|^2 + |im|^2)) of `frames` frames of 320 samples at a hop of 160, as rows of kSpectrumStride
    // floats with bin k at k + 1 and zeros on both sides.
    // weights: [bin block][320][re, im][lanes]
    void (*log_power)(const float* samples, int frames, const float* weights, float* rows);

    // The first convolution, 1 -> 128 channels, on three spectrum rows.
    // weights: [9 taps][128]
    void (*first_convolution)(const float* const spectrum[3], const float* weights, const float* bias, SparseRow out);

    // Adds what one input row contributes to a 3x3 convolution.
    // weights: [block of rows][block of channels][in channel][row][column][channel], by scatter_shape
    void (*scatter)(const SparseRow& in, const float* weights, const float* bias, int in_channels, int out_channels,
                    const ScatterTarget& target);

    // Keeps the positive values of a dense row, [width][channels].
    void (*sparsify)(const float* row, int channels, SparseRow out);

    // out[i] = max(0, a[2i], a[2i + 1], b[2i], b[2i + 1]) over pixels i < width of `channels` each.
    void (*pool)(const float* a, const float* b, int width, int channels, float* out);
};

constexpr int kFrameSamples = 320;
constexpr int kHopSamples = 160;
constexpr int kBins = 161;
constexpr int kSpectrumStride = 192;
constexpr int kFirstChannels = 128;

// Null where this build or this processor lacks the instruction set.
const Kernels* avx512_kernels();
const Kernels* avx2_kernels();
const Kernels* portable_kernels();

}  // namespace voicegauge
