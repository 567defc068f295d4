// From samples to the first pooled layer: the part of the network that costs nearly everything.
//
// The layers are computed once for the whole recording, as if it had no windows. Only rows near a window's edge differ,
// because the network sees zeros outside its window. Windows start and end at multiples of 100 frames, the borders. For
// each border the rows that differ are computed again: as the first rows of the window that starts there, and as the
// last rows of the window that ends there.
//
// Row r of a convolution stands for frame r. It sees rows r - 1 to r + 1 of the layer before, so with zeros from border
// b on, conv 0 differs in 1 row, conv 1 in 2, conv 2 in 3, and conv 3 in 4, which make 2 pooled rows.
#pragma once

#include <vector>

#include "network.hpp"
#include "rows.hpp"
#include "sliding.hpp"

namespace voicegauge {

constexpr int kHopFrames = 100;
constexpr int kWindowFrames = 900;
constexpr int kPooledWidth = 80;
constexpr int kPooledChannels = 32;
constexpr int kPooledRow = kPooledWidth * kPooledChannels;
constexpr int kEdgePooledRows = 2;
constexpr int kReach = 4;  // how many frames a row of conv 3 sees to either side, and how many of its rows differ

// Rows [first_row, end_row) of conv 3, both even, neither within kReach + 2 of a border but where the recording starts
// and ends, and the windows' edges at the borders from first_row - kReach to end_row + kReach.
struct FrontTask {
    const float* samples;  // of frame first_row - kReach, and on to frame end_row + kReach
    long first_row;
    long end_row;
    long last_start;  // the last border at which a window starts
    Rows* pooled;     // by row / 2
    Rows* starts;     // by border / 100: kEdgePooledRows rows in one
    Rows* ends;
};

class Front {
   public:
    explicit Front(const Network& network);

    void run(const FrontTask& task);

   private:
    struct Layer {
        Layer(const Network& network, int index);

        // The sparse row that holds the output at `row`: rows near a border have their own until the next border.
        const SparseRow& kept(long row) const;

        int index;
        std::vector<SparseBuffer> shared_rows;  // two before a border, two after, and one for all others
        std::vector<SparseBuffer> edge_rows;    // those that differ at an edge
    };

    const float* spectrum(long frame) const;
    void first_convolution(const float* above, long beside, const float* below, const SparseRow& out);
    std::vector<const SparseRow*> edge_inputs(int layer, bool starting) const;
    // The pooled rows at the edge of the window that starts or ends at `border`.
    void edge(long border, bool starting, float* pooled);

    const Network& network_;
    const Kernels& kernels_;
    std::vector<Layer> layers_;
    std::vector<SlidingConvolution> shared_;  // conv 1 to 3
    std::vector<SlidingConvolution> edges_;
    std::vector<float> spectrum_;
    long spectrum_frame_ = 0;
};

}  // namespace voicegauge
