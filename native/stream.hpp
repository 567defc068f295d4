// One recording on its way through the network.
#pragma once

#include <memory>
#include <vector>

#include "back.hpp"
#include "front.hpp"
#include "network.hpp"

namespace voicegauge {

class Stream {
   public:
    Stream(std::shared_ptr<const Network> network, int threads);

    // Takes the next samples, 16 kHz.
    void push(const float* samples, std::size_t count);

    // Returns kScores floats for each window. Nothing may be pushed afterwards.
    const std::vector<float>& finish();

   private:
    void compute(long end_row, long last_start);
    void score(long end_window);

    const std::shared_ptr<const Network> network_;
    const int threads_;
    std::vector<float> samples_;  // from frame next_row_ - kReach on
    long total_samples_ = 0;
    long next_row_ = kReach;
    long next_window_ = 0;
    std::vector<std::unique_ptr<Front>> fronts_;
    Back back_;
    std::vector<float> scores_;
};

}  // namespace voicegauge
