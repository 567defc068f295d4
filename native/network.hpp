// The weights of the DNSMOS P.835 network, packed for one table of kernels.
//
// Shapes, for a window of 900 frames of 161 bins at 100 frames a second:
//
//     spectrum       900 x 161
//     conv 0..3      900 x 161     1 -> 128 -> 64 -> 64 -> 32 channels, ReLU after each
//     pool           450 x 80      the last bin is left out
//     conv 4, pool   225 x 40      32 channels
//     conv 5, pool   112 x 20      32 channels; the last row is left out
//     conv 6, max    64            the largest of all 112 x 20 values of each channel
//     dense          64 -> 128 -> 64 -> 3
#pragma once

#include <vector>

#include "buffer.hpp"
#include "kernels.hpp"
#include "onnx_file.hpp"

namespace voicegauge {

constexpr int kConvolutions = 7;
constexpr int kFeatures = 64;
constexpr int kScores = 3;

struct Convolution {
    int in_channels;
    int out_channels;
    Buffer<float> weights;
    Buffer<float> bias;
};

struct Dense {
    int inputs;
    int outputs;
    std::vector<float> weights;  // [inputs][outputs]
    std::vector<float> bias;
};

class Network {
   public:
    // Throws std::runtime_error where a tensor is missing or has another shape.
    Network(const Tensors& tensors, const Kernels& kernels);

    // Raw SIG, BAK and OVRL of one window, from its features.
    void score(const float features[kFeatures], float scores[kScores]) const;

    const Kernels& kernels;
    Buffer<float> spectrum;
    std::vector<Convolution> convolutions;

   private:
    std::vector<Dense> dense_;
};

}  // namespace voicegauge
