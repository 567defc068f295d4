// From the first pooled layer to the features of each window.
//
// As in the front, the layers are computed once for the whole recording, and again at the edges of each window. A
// window starts every 25 rows of the second pooled layer, so the third, at half that rate, is needed twice, from even rows on
// and from odd rows on. A window uses the one that starts where it does.
#pragma once

#include <vector>

#include "front.hpp"
#include "network.hpp"
#include "rows.hpp"
#include "sliding.hpp"

namespace voicegauge {

class Back {
   public:
    Back(const Network& network, int threads);

    // What the front fills in; `starts` and `ends` by border / 100.
    Rows pooled;
    Rows starts;
    Rows ends;

    // Takes new rows of `pooled` through the layers.
    void advance();

    // Writes the features of windows [first, end), all of whose rows are there, kFeatures floats each.
    void features(long first, long end, float* out);

    // Frees what no window from `window` on needs.
    void forget(long window);

   private:
    // One thread's working memory.
    struct Worker {
        explicit Worker(const Network& network);
        SlidingConvolution conv4, conv5, conv6;
        SparseBuffer sparse4, sparse5, sparse6;
        std::vector<float> second, third;
    };

    template <class Compute>
    void for_each_piece(long first, long end, Compute compute);

    template <class Take>
    void convolve(Worker& worker, int layer, const std::vector<const float*>& rows, int skip, bool ends, Take take);

    void start_edge(Worker& worker, long window, float* features);
    void end_edge(Worker& worker, long window, float* features);

    const Network& network_;
    std::vector<Worker> workers_;
    Rows second_;  // pooled conv 4
    Rows third_;   // conv 5 before ReLU, not yet pooled
    // The largest value of each channel in each row of conv 6, for pooling from even rows on and from odd rows on.
    Rows maxima_[2];
};

}  // namespace voicegauge
