#include "stream.hpp"

#include <algorithm>
#include <limits>

#include "parallel.hpp"

namespace voicegauge {
namespace {

// The recording is cut half-way between borders, so that each border lies well inside one piece.
constexpr long kCut = kHopFrames / 2;

// Seconds that are computed at once: enough to keep the threads busy, and little memory.
constexpr long kBlock = 16;

// Pieces for each thread, so that none waits long for another. The sums in a row do not depend on the cuts.
constexpr long kPiecesPerThread = 3;

}  // namespace

Stream::Stream(std::shared_ptr<const Network> network, int threads)
    : network_(std::move(network)), threads_(threads), back_(*network_, threads) {
    for (int i = 0; i < threads; ++i) fronts_.push_back(std::make_unique<Front>(*network_));
}

void Stream::push(const float* samples, std::size_t count) {
    // Large pushes are taken in parts to bound the memory.
    constexpr std::size_t kPart = kBlock * kHopFrames * kHopSamples;
    for (std::size_t part; count > 0; samples += part, count -= part) {
        part = std::min(count, kPart);
        samples_.insert(samples_.end(), samples, samples + part);
        total_samples_ += static_cast<long>(part);

        // A border is computed when it is known that a window starts there.
        const long frames = total_samples_ / kHopSamples - 1;
        const long end_row = (frames - kWindowFrames) / kHopFrames * kHopFrames + kCut;
        if (frames >= kWindowFrames && end_row - next_row_ >= kBlock * kHopFrames)
            compute(end_row, std::numeric_limits<long>::max());
    }
}

const std::vector<float>& Stream::finish() {
    const long frames = total_samples_ / kHopSamples - 1;
    if (frames >= kWindowFrames) {
        const long last_start = (frames - kWindowFrames) / kHopFrames * kHopFrames;
        compute(last_start + kWindowFrames - kReach, last_start);
    }
    return scores_;
}

void Stream::compute(long end_row, long last_start) {
    const long seconds = (end_row - next_row_) / kHopFrames + 1;
    const long step = threads_ == 1 ? seconds : std::max(1L, seconds / (threads_ * kPiecesPerThread));
    std::vector<long> cuts{next_row_};
    for (long second = next_row_ / kHopFrames + step - 1; second * kHopFrames + kCut < end_row; second += step)
        if (second * kHopFrames + kCut > next_row_) cuts.push_back(second * kHopFrames + kCut);
    cuts.push_back(end_row);

    back_.pooled.extend(end_row / 2);
    back_.starts.extend((end_row + kReach) / kHopFrames + 1);
    back_.ends.extend((end_row + kReach) / kHopFrames + 1);
    for_each_task(static_cast<int>(cuts.size()) - 1, threads_, [&](int piece, int worker) {
        const float* const from = samples_.data() + (cuts[piece] - next_row_) * kHopSamples;
        fronts_[worker]->run(
            {from, cuts[piece], cuts[piece + 1], last_start, &back_.pooled, &back_.starts, &back_.ends});
    });
    back_.advance();
    samples_.erase(samples_.begin(), samples_.begin() + (end_row - next_row_) * kHopSamples);
    next_row_ = end_row;

    // A window is ready when the front has passed the border at its end.
    const long borders = (end_row + kReach) / kHopFrames;
    score(std::max(next_window_, borders - kWindowFrames / kHopFrames + 1));
}

void Stream::score(long end_window) {
    const long first = next_window_;
    std::vector<float> features((end_window - first) * kFeatures);
    back_.features(first, end_window, features.data());
    for (long window = first; window < end_window; ++window) {
        float scores[kScores];
        network_->score(&features[(window - first) * kFeatures], scores);
        scores_.insert(scores_.end(), scores, scores + kScores);
    }
    next_window_ = end_window;
    back_.forget(end_window);
}

}  // namespace voicegauge
