#include "front.hpp"

namespace voicegauge {
namespace {

constexpr int kLayers = 3;  // conv 0 to 2, whose output is kept as sparse rows
constexpr int kKept = 4;    // rows of each around a border: two before, two after
constexpr float kSilence[kSpectrumStride] = {};

long floor_to_border(long row) { return row / kHopFrames * kHopFrames; }

}  // namespace

Front::Layer::Layer(const Network& network, int index) : index(index) {
    const int channels = network.convolutions[index].out_channels;
    for (int i = 0; i < kKept + 1; ++i) shared_rows.emplace_back(kBins, channels);
    for (int i = 0; i < index + 1; ++i) edge_rows.emplace_back(kBins, channels);
}

const SparseRow& Front::Layer::kept(long row) const {
    const long past = row - floor_to_border(row);
    const long before = kHopFrames - past;
    const int nearest = index + 1;
    const int slot = before == nearest + 2   ? 0
                     : before == nearest + 1 ? 1
                     : past == nearest       ? 2
                     : past == nearest + 1   ? 3
                                             : kKept;
    return shared_rows[slot].row();
}

Front::Front(const Network& network) : network_(network), kernels_(network.kernels) {
    for (int layer = 0; layer < kLayers; ++layer) layers_.emplace_back(network, layer);
    for (int layer = 1; layer <= kLayers; ++layer) {
        shared_.emplace_back(kernels_, network.convolutions[layer], kBins);
        edges_.emplace_back(kernels_, network.convolutions[layer], kBins);
    }
}

const float* Front::spectrum(long frame) const { return &spectrum_[(frame - spectrum_frame_) * kSpectrumStride]; }

void Front::first_convolution(const float* above, long beside, const float* below, const SparseRow& out) {
    const float* const rows[3] = {above, spectrum(beside), below};
    const Convolution& layer = network_.convolutions[0];
    kernels_.first_convolution(rows, layer.weights.get(), layer.bias.get(), out);
}

void Front::run(const FrontTask& task) {
    const long frames = task.end_row - task.first_row + 2 * kReach;
    spectrum_frame_ = task.first_row - kReach;
    spectrum_.resize(static_cast<std::size_t>(frames) * kSpectrumStride);
    kernels_.log_power(task.samples, static_cast<int>(frames), network_.spectrum.get(), spectrum_.data());

    for (SlidingConvolution& convolution : shared_) convolution.begin();
    PairPool pool(kernels_, kPooledWidth, kPooledChannels, (*task.pooled)[task.first_row / 2]);
    for (long row = task.first_row - kLayers; row < task.end_row + kLayers; ++row) {
        const SparseRow* in = &layers_[0].kept(row);
        first_convolution(spectrum(row - 1), row, spectrum(row + 1), *in);
        // Each layer is a row behind the one before it, and needs a row less at either end.
        long ready = row;
        for (int layer = 1; layer <= kLayers; ++layer) {
            const float* out = shared_[layer - 1].feed(*in);
            if (--ready < task.first_row - kLayers + layer) break;
            if (layer == kLayers) {
                pool(out);
            } else {
                in = &layers_[layer].kept(ready);
                kernels_.sparsify(out, network_.convolutions[layer].out_channels, *in);
            }
        }

        // The last of the rows that the border's edges need is row b + 4 of conv 2, two rows behind.
        const long border = row - 6;
        if (border % kHopFrames == 0 && border >= task.first_row - kReach) {
            if (border <= task.last_start) edge(border, true, (*task.starts)[border / kHopFrames]);
            if (border >= kWindowFrames) edge(border, false, (*task.ends)[border / kHopFrames]);
        }
    }
    const long end = task.end_row + kReach;
    if (end % kHopFrames == 0 && end >= kWindowFrames) edge(end, false, (*task.ends)[end / kHopFrames]);
}

std::vector<const SparseRow*> Front::edge_inputs(int layer, bool starting) const {
    const auto& kept = layers_[layer].shared_rows;
    std::vector<const SparseRow*> rows;
    for (const SparseBuffer& own : layers_[layer].edge_rows) rows.push_back(&own.row());
    if (starting)
        rows.insert(rows.end(), {&kept[2].row(), &kept[3].row()});
    else
        rows.insert(rows.begin(), {&kept[0].row(), &kept[1].row()});
    return rows;
}

void Front::edge(long border, bool starting, float* pooled) {
    const SparseRow& outermost = layers_[0].edge_rows[0].row();
    if (starting)
        first_convolution(kSilence, border, spectrum(border + 1), outermost);
    else
        first_convolution(spectrum(border - 2), border - 1, kSilence, outermost);

    // A window that starts is fed its own rows and then shared ones, so the first output lies outside of it. One that
    // ends is fed shared rows first, of which the first lacks the row above, and its last row has zeros below.
    const int skip = starting ? 1 : 2;
    for (int layer = 1; layer < kLayers; ++layer) {
        const int channels = network_.convolutions[layer].out_channels;
        auto to = layers_[layer].edge_rows.begin();
        edges_[layer - 1].run(edge_inputs(layer - 1, starting), skip, !starting,
                              [&](const float* out) { kernels_.sparsify(out, channels, (to++)->row()); });
    }
    edges_[kLayers - 1].run(edge_inputs(kLayers - 1, starting), skip, !starting,
                            PairPool(kernels_, kPooledWidth, kPooledChannels, pooled));
}

}  // namespace voicegauge
