#include "back.hpp"

#include <algorithm>

#include "parallel.hpp"

namespace voicegauge {
namespace {

constexpr int kChannels = 32;
constexpr int kWidth5 = kPooledWidth / 2;
constexpr int kWidth6 = kWidth5 / 2;
constexpr int kSecondRow = kWidth5 * kChannels;
constexpr int kThirdRow = kWidth6 * kChannels;

// Rows in one window, and from one window to the next, of the first and second pooled layer.
constexpr long kRows1 = 450, kHop1 = 50;
constexpr long kRows2 = 225, kHop2 = 25;
// The rows of conv 6 that no edge reaches are [kInner, kInnerEnd) of a window's 112.
constexpr long kInner = 3, kInnerEnd = 110;
// The first rows that no edge of the recording reaches.
constexpr long kFirst1 = 2, kFirst2 = 2, kFirst3 = 3, kFirst6 = 3;

constexpr int kPieceRows = 64;

// Raises features to the largest value of each channel in a row of conv 6.
void take_largest(const float* row, float* features) {
    for (int f = 0; f < kWidth6; ++f)
        for (int c = 0; c < kFeatures; ++c) features[c] = std::max(features[c], row[f * kFeatures + c]);
}

template <class Row>
std::vector<const float*> pointers(const Row& rows, long first, long end) {
    std::vector<const float*> list;
    for (long row = first; row < end; ++row) list.push_back(rows[row]);
    return list;
}

void append_rows(std::vector<const float*>& list, const std::vector<float>& rows, int row_floats) {
    for (std::size_t at = 0; at < rows.size(); at += row_floats) list.push_back(&rows[at]);
}

}  // namespace

Back::Worker::Worker(const Network& network)
    : conv4(network.kernels, network.convolutions[4], kPooledWidth),
      conv5(network.kernels, network.convolutions[5], kWidth5),
      conv6(network.kernels, network.convolutions[6], kWidth6),
      sparse4(kPooledWidth, kChannels),
      sparse5(kWidth5, kChannels),
      sparse6(kWidth6, kChannels) {}

Back::Back(const Network& network, int threads)
    : pooled(kPooledRow, kFirst1),
      starts(kEdgePooledRows * kPooledRow, 0),
      ends(kEdgePooledRows * kPooledRow, 0),
      network_(network),
      second_(kSecondRow, kFirst2),
      third_(kSecondRow, kFirst3),
      maxima_{{kFeatures, kFirst6}, {kFeatures, kFirst6}} {
    for (int i = 0; i < threads; ++i) workers_.emplace_back(network);
}

template <class Compute>
void Back::for_each_piece(long first, long end, Compute compute) {
    const int pieces = static_cast<int>((end - first + kPieceRows - 1) / kPieceRows);
    for_each_task(pieces, static_cast<int>(workers_.size()), [&](int piece, int worker) {
        const long from = first + static_cast<long>(piece) * kPieceRows;
        compute(workers_[worker], from, std::min(from + kPieceRows, end));
    });
}

template <class Take>
void Back::convolve(Worker& worker, int layer, const std::vector<const float*>& rows, int skip, bool ends, Take take) {
    SlidingConvolution& sliding = layer == 4 ? worker.conv4 : layer == 5 ? worker.conv5 : worker.conv6;
    const SparseRow& sparse = (layer == 4 ? worker.sparse4 : layer == 5 ? worker.sparse5 : worker.sparse6).row();
    sliding.begin();
    for (const float* row : rows) {
        network_.kernels.sparsify(row, kChannels, sparse);
        const float* output = sliding.feed(sparse);
        if (--skip < 0) take(output);
    }
    if (ends) take(sliding.last());
}

void Back::advance() {
    const Kernels& kernels = network_.kernels;

    const long first2 = second_.end(), end2 = std::max(first2, (pooled.end() - 1) / 2);
    second_.extend(end2);
    for_each_piece(first2, end2, [&](Worker& worker, long first, long end) {
        convolve(worker, 4, pointers(pooled, 2 * first - 1, 2 * end + 1), 2, false,
                 PairPool(kernels, kWidth5, kChannels, second_[first]));
    });

    const long first3 = third_.end(), end3 = std::max(first3, second_.end() - 1);
    third_.extend(end3);
    for_each_piece(first3, end3, [&](Worker& worker, long first, long end) {
        float* to = third_[first];
        convolve(worker, 5, pointers(second_, first - 1, end + 1), 2, false, [&](const float* row) {
            std::copy_n(row, kSecondRow, to);
            to += kSecondRow;
        });
    });

    for (int parity = 0; parity < 2; ++parity) {
        Rows& maxima = maxima_[parity];
        const long first6 = maxima.end(), end6 = std::max(first6, (third_.end() - 2 - parity) / 2);
        maxima.extend(end6);
        for_each_piece(first6, end6, [&](Worker& worker, long first, long end) {
            worker.third.resize((end - first + 2) * kThirdRow);
            PairPool pool(kernels, kWidth6, kChannels, worker.third.data());
            for (long row = 2 * (first - 1) + parity; row < 2 * (end + 1) + parity; ++row) pool(third_[row]);
            std::vector<const float*> rows;
            append_rows(rows, worker.third, kThirdRow);
            float* to = maxima[first];
            convolve(worker, 6, rows, 2, false, [&](const float* row) {
                std::fill_n(to, kFeatures, 0.0f);
                take_largest(row, to);
                to += kFeatures;
            });
        });
    }
}

void Back::features(long first, long end, float* out) {
    for_each_task(static_cast<int>(end - first), static_cast<int>(workers_.size()), [&](int i, int w) {
        const long window = first + i;
        float* const features = out + static_cast<long>(i) * kFeatures;
        std::fill_n(features, kFeatures, 0.0f);
        const int parity = window * kHop2 % 2;
        const long start = (window * kHop2 - parity) / 2;
        for (long row = start + kInner; row < start + kInnerEnd; ++row) {
            const float* const largest = maxima_[parity][row];
            for (int c = 0; c < kFeatures; ++c) features[c] = std::max(features[c], largest[c]);
        }
        start_edge(workers_[w], window, features);
        end_edge(workers_[w], window, features);
    });
}

// Zeros above the first row change 2 rows of the first pooled layer, thereby 2 of the second, 3 of conv 5 and so 2 of
// the third, and 3 of conv 6. Each list below holds the changed rows and as many shared ones as they are seen with.
void Back::start_edge(Worker& worker, long window, float* features) {
    const Kernels& kernels = network_.kernels;
    std::vector<const float*> rows{starts[window], starts[window] + kPooledRow};
    const auto shared1 = pointers(pooled, window * kHop1 + 2, window * kHop1 + 5);
    rows.insert(rows.end(), shared1.begin(), shared1.end());
    worker.second.resize(2 * kSecondRow);
    convolve(worker, 4, rows, 1, false, PairPool(kernels, kWidth5, kChannels, worker.second.data()));

    rows.clear();
    append_rows(rows, worker.second, kSecondRow);
    const auto shared2 = pointers(second_, window * kHop2 + 2, window * kHop2 + 9);
    rows.insert(rows.end(), shared2.begin(), shared2.end());
    worker.third.resize(4 * kThirdRow);
    convolve(worker, 5, rows, 1, false, PairPool(kernels, kWidth6, kChannels, worker.third.data()));

    rows.clear();
    append_rows(rows, worker.third, kThirdRow);
    convolve(worker, 6, rows, 1, false, [&](const float* row) { take_largest(row, features); });
}

// The mirror image, but that the 225th row of conv 5 is left out by the pooling: zeros below the last row change 3 rows
// of conv 5, 1 of the third pooled layer and 2 of conv 6.
void Back::end_edge(Worker& worker, long window, float* features) {
    const Kernels& kernels = network_.kernels;
    const long end1 = window * kHop1 + kRows1, end2 = window * kHop2 + kRows2;
    const float* const edge = ends[window + kWindowFrames / kHopFrames];
    auto rows = pointers(pooled, end1 - 5, end1 - 2);
    rows.push_back(edge);
    rows.push_back(edge + kPooledRow);
    worker.second.resize(2 * kSecondRow);
    convolve(worker, 4, rows, 2, true, PairPool(kernels, kWidth5, kChannels, worker.second.data()));

    rows = pointers(second_, end2 - 8, end2 - 2);
    append_rows(rows, worker.second, kSecondRow);
    worker.third.resize(3 * kThirdRow);
    convolve(worker, 5, rows, 2, false, PairPool(kernels, kWidth6, kChannels, worker.third.data()));

    rows.clear();
    append_rows(rows, worker.third, kThirdRow);
    convolve(worker, 6, rows, 2, true, [&](const float* row) { take_largest(row, features); });
}

void Back::forget(long window) {
    pooled.forget(std::min(window * kHop1, 2 * second_.end() - 1));
    second_.forget(std::min(window * kHop2, third_.end() - 1));
    third_.forget(2 * (std::min(maxima_[0].end(), maxima_[1].end()) - 1));
    for (Rows& maxima : maxima_) maxima.forget(window * kHop2 / 2);
    starts.forget(window);
    ends.forget(window);
}

}  // namespace voicegauge
