#include "sliding.hpp"

namespace voicegauge {

SlidingConvolution::SlidingConvolution(const Kernels& kernels, const Convolution& layer, int width)
    : kernels_(kernels), layer_(layer) {
    for (int i = 0; i < 4; ++i) rows_.emplace_back(static_cast<std::size_t>(width + 2) * layer.out_channels);
}

const float* SlidingConvolution::feed(const SparseRow& in) {
    float* const above = rows_[(next_ + 3) % 4].get();
    float* const beside = rows_[next_].get();
    float* const below = rows_[(next_ + 1) % 4].get();
    const ScatterTarget target{{above, beside, below}, {!begun_, !begun_, true}};
    kernels_.scatter(in, layer_.weights.get(), layer_.bias.get(), layer_.in_channels, layer_.out_channels, target);
    begun_ = true;
    next_ = (next_ + 1) % 4;
    return above + layer_.out_channels;
}

}  // namespace voicegauge
