// Rows of floats that are numbered from the start of the recording, of which only the latest are kept.
#pragma once

#include <algorithm>
#include <vector>

namespace voicegauge {

class Rows {
   public:
    Rows(int row_floats, long first) : row_floats_(row_floats), first_(first) {}

    long first() const { return first_; }
    long end() const { return first_ + static_cast<long>(floats_.size()) / row_floats_; }

    float* operator[](long row) { return floats_.data() + (row - first_) * row_floats_; }
    const float* operator[](long row) const { return floats_.data() + (row - first_) * row_floats_; }

    // Makes room up to row `end`. Rows move in memory, so no pointer to one may be held across this.
    void extend(long end) {
        if (end > this->end()) floats_.resize(static_cast<std::size_t>(end - first_) * row_floats_);
    }

    // Drops the rows before `row`.
    void forget(long row) {
        const long dropped = std::min(row, end()) - first_;
        if (dropped <= 0) return;
        floats_.erase(floats_.begin(), floats_.begin() + dropped * row_floats_);
        first_ += dropped;
    }

   private:
    int row_floats_;
    long first_;
    std::vector<float> floats_;
};

}  // namespace voicegauge
