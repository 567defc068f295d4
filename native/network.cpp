#include "network.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

namespace voicegauge {
namespace {

constexpr int kChannels[kConvolutions + 1] = {1, 128, 64, 64, 32, 32, 32, 64};

const std::vector<float>& values_of(const Tensors& tensors, const std::string& name,
                                    const std::vector<std::int64_t>& shape) {
    const auto found = tensors.find(name);
    if (found == tensors.end()) throw std::runtime_error("the model has no tensor " + name);
    std::size_t size = 1;
    for (const std::int64_t length : shape) size *= static_cast<std::size_t>(length);
    if (found->second.shape != shape || found->second.values.size() != size)
        throw std::runtime_error("the model's tensor " + name + " has another shape");
    return found->second.values;
}

// [bin block][sample][re, im][lane]; bins past the last have zero weights.
Buffer<float> pack_spectrum(const Tensors& tensors, int lanes) {
    const auto& re = values_of(tensors, "time2freq/stft-real/kernel:0", {kBins, kFrameSamples, 1});
    const auto& im = values_of(tensors, "time2freq/stft-imag/kernel:0", {kBins, kFrameSamples, 1});
    const int blocks = (kBins + lanes - 1) / lanes;
    Buffer<float> packed(static_cast<std::size_t>(blocks) * kFrameSamples * 2 * lanes);
    float* to = packed.get();
    for (int block = 0; block < blocks; ++block)
        for (int sample = 0; sample < kFrameSamples; ++sample)
            for (const auto* part : {&re, &im})
                for (int lane = 0; lane < lanes; ++lane) {
                    const int bin = block * lanes + lane;
                    *to++ = bin < kBins ? (*part)[static_cast<std::size_t>(bin) * kFrameSamples + sample] : 0.0f;
                }
    return packed;
}

Buffer<float> copy(const std::vector<float>& values) {
    Buffer<float> copied(values.size());
    std::copy(values.begin(), values.end(), copied.get());
    return copied;
}

Convolution pack_convolution(const Tensors& tensors, int layer, const Kernels& kernels) {
    const std::string name = layer == 0 ? "conv2d" : "conv2d_" + std::to_string(layer);
    const int in = kChannels[layer], out = kChannels[layer + 1];
    const auto& kernel = values_of(tensors, name + "/kernel:0", {out, in, 3, 3});
    // The first layer gathers: [tap][out]. An entry of the others is scattered to the outputs around it, which is the
    // kernel turned by half a turn.
    const bool first = layer == 0;
    const ScatterShape shape = first ? ScatterShape{3, out} : kernels.scatter_shape(out);
    Buffer<float> packed(kernel.size());
    float* to = packed.get();
    for (int row = 0; row < 3; row += shape.rows)
        for (int channel = 0; channel < out; channel += shape.channels)
            for (int i = 0; i < in; ++i)
                for (int tap = 3 * row; tap < 3 * (row + shape.rows); ++tap)
                    for (int o = channel; o < channel + shape.channels; ++o)
                        *to++ = kernel[(static_cast<std::size_t>(o) * in + i) * 9 + (first ? tap : 8 - tap)];
    return {in, out, std::move(packed), copy(values_of(tensors, name + "/bias:0", {out}))};
}

Dense read_dense(const Tensors& tensors, const std::string& layer, int inputs, int outputs) {
    const std::string name = "mos_estimator_logpow/" + layer;
    return {inputs, outputs, values_of(tensors, name + "/MatMul/ReadVariableOp/resource:0", {inputs, outputs}),
            values_of(tensors, name + "/BiasAdd/ReadVariableOp/resource:0", {outputs})};
}

}  // namespace

Network::Network(const Tensors& tensors, const Kernels& table)
    : kernels(table), spectrum(pack_spectrum(tensors, table.lanes)) {
    for (int layer = 0; layer < kConvolutions; ++layer)
        convolutions.push_back(pack_convolution(tensors, layer, table));
    dense_.push_back(read_dense(tensors, "dense", kFeatures, 128));
    dense_.push_back(read_dense(tensors, "dense_1", 128, 64));
    dense_.push_back(read_dense(tensors, "dense_3", 64, kScores));
}

void Network::score(const float features[kFeatures], float scores[kScores]) const {
    std::vector<float> layer(features, features + kFeatures);
    for (const Dense& dense : dense_) {
        std::vector<float> next = dense.bias;
        for (int i = 0; i < dense.inputs; ++i) {
            const float x = std::max(0.0f, layer[i]);  // the features are not negative, so ReLU may come first
            const float* weights = &dense.weights[static_cast<std::size_t>(i) * dense.outputs];
            for (int o = 0; o < dense.outputs; ++o) next[o] += x * weights[o];
        }
        layer = std::move(next);
    }
    std::copy(layer.begin(), layer.end(), scores);
}

}  // namespace voicegauge
