// A 3x3 convolution that sees one row at a time.
#pragma once

#include <cstdint>
#include <vector>

#include "buffer.hpp"
#include "kernels.hpp"
#include "network.hpp"

namespace voicegauge {

// Owns the memory of one sparse row.
class SparseBuffer {
   public:
    SparseBuffer(int width, int channels)
        : begin_(width + 1),
          values_(static_cast<std::size_t>(width) * channels + kSlack),
          channels_(static_cast<std::size_t>(width) * channels + kSlack),
          row_{width, begin_.get(), values_.get(), channels_.get()} {}

    const SparseRow& row() const { return row_; }

   private:
    static constexpr int kSlack = 16;
    Buffer<std::int32_t> begin_;
    Buffer<float> values_;
    Buffer<std::int32_t> channels_;
    SparseRow row_;
};

class SlidingConvolution {
   public:
    SlidingConvolution(const Kernels& kernels, const Convolution& layer, int width);

    // The next row is the first: what is above it counts as zeros.
    void begin() { begun_ = false; }

    // Takes the next row and returns the output beside the row before it, [width][out_channels], before ReLU; after the
    // first row, that is the output above it. It stays valid during the next feed.
    const float* feed(const SparseRow& row);

    // Returns the output beside the row fed last, with zeros below it.
    const float* last() const { return row(next_ + 3); }

    // Feeds rows; hands every output after the first `skip` to `take`, and the last one too where the image ends.
    template <class Take>
    void run(const std::vector<const SparseRow*>& rows, int skip, bool ends, Take take) {
        begin();
        for (const SparseRow* in : rows) {
            const float* output = feed(*in);
            if (--skip < 0) take(output);
        }
        if (ends) take(last());
    }

   private:
    const float* row(int slot) const { return rows_[slot % 4].get() + layer_.out_channels; }

    const Kernels& kernels_;
    const Convolution& layer_;
    std::vector<Buffer<float>> rows_;
    int next_ = 0;
    bool begun_ = false;
};

// Takes the rows of a layer one at a time and writes one pooled row, [width][channels], for each two.
class PairPool {
   public:
    PairPool(const Kernels& kernels, int width, int channels, float* to)
        : kernels_(kernels), width_(width), channels_(channels), to_(to) {}

    void operator()(const float* row) {
        if (even_ == nullptr) {
            even_ = row;
            return;
        }
        kernels_.pool(even_, row, width_, channels_, to_);
        to_ += width_ * channels_;
        even_ = nullptr;
    }

   private:
    const Kernels& kernels_;
    int width_;
    int channels_;
    float* to_;
    const float* even_ = nullptr;
};

}  // namespace voicegauge
