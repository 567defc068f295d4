// The core's own tests: a network with random weights against the plainest computation of the same, and against itself
// for every SIMD path, number of threads and cut of the samples; and the ONNX reader against damaged files.
//
// Usage: core_tests [quick|threads]
//     quick     leaves out the plain computation, which takes minutes under a sanitizer
//     threads   runs only what has several threads, on the best SIMD path
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "kernels.hpp"
#include "network.hpp"
#include "onnx_file.hpp"
#include "stream.hpp"

using namespace voicegauge;

namespace {

int failures = 0;

void check(bool holds, const std::string& what) {
    std::printf("%s  %s\n", holds ? "ok    " : "FAILED", what.c_str());
    failures += !holds;
}

constexpr int kSampleRate = 16000;
constexpr int kChannels[kConvolutions + 1] = {1, 128, 64, 64, 32, 32, 32, 64};

std::vector<float> normal(std::mt19937& random, std::size_t count, double mean, double deviation) {
    std::normal_distribution<double> distribution(mean, deviation);
    std::vector<float> values(count);
    for (float& value : values) value = static_cast<float>(distribution(random));
    return values;
}

// Biases below zero make the activations as sparse as the real network's.
Tensors random_tensors() {
    std::mt19937 random(1);
    Tensors tensors;
    for (const char* part : {"real", "imag"})
        tensors[std::string("time2freq/stft-") + part + "/kernel:0"] = {{kBins, kFrameSamples, 1},
                                                                        normal(random, kBins * kFrameSamples, 0, 0.3)};
    for (int layer = 0; layer < kConvolutions; ++layer) {
        const std::string name = layer == 0 ? "conv2d" : "conv2d_" + std::to_string(layer);
        const int in = kChannels[layer], out = kChannels[layer + 1];
        const double deviation = 1.0 / std::sqrt(9.0 * in * (layer == 0 ? 1.0 : 0.1));
        tensors[name + "/kernel:0"] = {{out, in, 3, 3}, normal(random, 9 * in * out, 0, deviation)};
        tensors[name + "/bias:0"] = {{out}, normal(random, out, -1.5, 0.3)};
    }
    const int dense[3][2] = {{64, 128}, {128, 64}, {64, kScores}};
    const char* const names[3] = {"dense", "dense_1", "dense_3"};
    for (int i = 0; i < 3; ++i) {
        const std::string name = std::string("mos_estimator_logpow/") + names[i];
        const int in = dense[i][0], out = dense[i][1];
        tensors[name + "/MatMul/ReadVariableOp/resource:0"] = {{in, out}, normal(random, in * out, 0, 0.2)};
        tensors[name + "/BiasAdd/ReadVariableOp/resource:0"] = {{out}, normal(random, out, 0, 0.2)};
    }
    return tensors;
}

// Noise whose level wanders, at a scale that keeps the logarithms near zero.
std::vector<float> random_samples(double seconds) {
    std::mt19937 random(2);
    auto samples = normal(random, static_cast<std::size_t>(seconds * kSampleRate), 0, 1);
    for (std::size_t i = 0; i < samples.size(); ++i) samples[i] *= 0.2f + 0.15f * std::sin(static_cast<float>(i) * 1e-4f);
    return samples;
}

using Image = std::vector<double>;  // [row][column][channel]

Image convolve(const Image& in, int rows, int columns, const Tensor& kernel, const Tensor& bias) {
    const int out_channels = static_cast<int>(kernel.shape[0]), in_channels = static_cast<int>(kernel.shape[1]);
    std::vector<double> weights(kernel.values.size());  // [row][column][in][out]
    for (int o = 0; o < out_channels; ++o)
        for (int i = 0; i < in_channels; ++i)
            for (int tap = 0; tap < 9; ++tap)
                weights[(static_cast<std::size_t>(tap) * in_channels + i) * out_channels + o] =
                    kernel.values[(static_cast<std::size_t>(o) * in_channels + i) * 9 + tap];
    Image out(static_cast<std::size_t>(rows) * columns * out_channels);
    for (int r = 0; r < rows; ++r)
        for (int c = 0; c < columns; ++c) {
            double* sums = &out[(static_cast<std::size_t>(r) * columns + c) * out_channels];
            for (int o = 0; o < out_channels; ++o) sums[o] = bias.values[o];
            for (int tap = 0; tap < 9; ++tap) {
                const int row = r + tap / 3 - 1, column = c + tap % 3 - 1;
                if (row < 0 || row >= rows || column < 0 || column >= columns) continue;
                for (int i = 0; i < in_channels; ++i) {
                    const double x = in[(static_cast<std::size_t>(row) * columns + column) * in_channels + i];
                    if (x == 0) continue;
                    const double* w = &weights[(static_cast<std::size_t>(tap) * in_channels + i) * out_channels];
                    for (int o = 0; o < out_channels; ++o) sums[o] += x * w[o];
                }
            }
            for (int o = 0; o < out_channels; ++o) sums[o] = std::max(0.0, sums[o]);
        }
    return out;
}

Image pool(const Image& in, int& rows, int& columns, int channels) {
    const int in_columns = columns;
    rows /= 2;
    columns /= 2;
    Image out(static_cast<std::size_t>(rows) * columns * channels);
    for (int r = 0; r < 2 * rows; ++r)
        for (int c = 0; c < 2 * columns; ++c)
            for (int i = 0; i < channels; ++i) {
                double& most = out[(static_cast<std::size_t>(r / 2) * columns + c / 2) * channels + i];
                most = std::max(most, in[(static_cast<std::size_t>(r) * in_columns + c) * channels + i]);
            }
    return out;
}

std::vector<double> plain_features(const Tensors& tensors, const float* samples) {
    int rows = kWindowFrames, columns = kBins;
    Image image(static_cast<std::size_t>(rows) * columns);
    const auto& re = tensors.at("time2freq/stft-real/kernel:0").values;
    const auto& im = tensors.at("time2freq/stft-imag/kernel:0").values;
    for (int t = 0; t < rows; ++t)
        for (int bin = 0; bin < kBins; ++bin) {
            double sum_re = 0, sum_im = 0;
            for (int k = 0; k < kFrameSamples; ++k) {
                sum_re += static_cast<double>(samples[t * kHopSamples + k]) * re[bin * kFrameSamples + k];
                sum_im += static_cast<double>(samples[t * kHopSamples + k]) * im[bin * kFrameSamples + k];
            }
            image[static_cast<std::size_t>(t) * kBins + bin] = std::log10(std::max(1e-12, sum_re * sum_re + sum_im * sum_im));
        }
    for (int layer = 0; layer < kConvolutions; ++layer) {
        const std::string name = layer == 0 ? "conv2d" : "conv2d_" + std::to_string(layer);
        image = convolve(image, rows, columns, tensors.at(name + "/kernel:0"), tensors.at(name + "/bias:0"));
        if (layer >= 3 && layer <= 5) image = pool(image, rows, columns, kChannels[layer + 1]);
    }
    std::vector<double> features(kFeatures);
    for (std::size_t i = 0; i < image.size(); ++i)
        features[i % kFeatures] = std::max(features[i % kFeatures], image[i]);
    return features;
}

std::vector<const Kernels*> all_kernels() {
    std::vector<const Kernels*> all;
    for (const Kernels* kernels : {avx512_kernels(), avx2_kernels(), portable_kernels()})
        if (kernels != nullptr) all.push_back(kernels);
    return all;
}

std::vector<float> run(const std::shared_ptr<const Network>& network, const std::vector<float>& samples, int threads,
                       std::size_t block) {
    Stream stream(network, threads);
    for (std::size_t at = 0; at < samples.size(); at += block)
        stream.push(samples.data() + at, std::min(block, samples.size() - at));
    return stream.finish();
}

// Relative to the largest expected value.
double largest_difference(const std::vector<float>& found, const std::vector<float>& expected) {
    if (found.size() != expected.size()) return INFINITY;
    double largest = 0, scale = 0;
    for (std::size_t i = 0; i < found.size(); ++i) {
        const double difference = std::fabs(static_cast<double>(found[i]) - static_cast<double>(expected[i]));
        if (!(difference <= largest)) largest = difference;
        scale = std::max(scale, std::fabs(static_cast<double>(expected[i])));
    }
    return largest / scale;
}

std::string percent(double part) {
    char text[40];
    std::snprintf(text, sizeof text, "%.5f %%", 100 * part);
    return text;
}

constexpr double kTolerance = 1e-4;

void test_against_plain_computation(const Tensors& tensors) {
    const auto samples = random_samples(10.02);
    std::vector<std::vector<double>> plain;
    for (int window = 0; window < 2; ++window) plain.push_back(plain_features(tensors, &samples[window * kSampleRate]));
    for (const Kernels* kernels : all_kernels()) {
        const auto network = std::make_shared<const Network>(tensors, *kernels);
        const auto scores = run(network, samples, 1, samples.size());
        check(scores.size() == 2 * kScores, std::string(kernels->name) + ": two windows in 10.02 s");
        for (std::size_t window = 0; window < plain.size() && scores.size() == 2 * kScores; ++window) {
            std::vector<float> features(plain[window].begin(), plain[window].end()), expected(kScores);
            network->score(features.data(), expected.data());
            const std::vector<float> found(&scores[window * kScores], &scores[window * kScores] + kScores);
            const double difference = largest_difference(found, expected);
            check(difference < kTolerance, std::string(kernels->name) + ": window " + std::to_string(window) +
                                         " as computed plainly, to " + percent(difference));
        }
    }
}

void test_threads_and_cuts(const Tensors& tensors, const std::vector<const Kernels*>& paths) {
    const auto samples = random_samples(27.3);
    std::vector<float> best;
    for (const Kernels* kernels : paths) {
        const auto network = std::make_shared<const Network>(tensors, *kernels);
        const std::string name = kernels->name;
        const auto whole = run(network, samples, 1, samples.size());
        check(whole.size() == 19 * kScores, name + ": 19 windows in 27.3 s");
        check(run(network, samples, 3, samples.size()) == whole, name + ": three threads give the same bits");
        check(run(network, samples, 2, 12345) == whole, name + ": blocks of 12345 give the same bits");
        if (best.empty()) best = whole;
        const double difference = largest_difference(whole, best);
        check(difference < kTolerance, name + ": as the best path, to " + percent(difference));
    }
}

void test_lengths(const Tensors& tensors) {
    const auto network = std::make_shared<const Network>(tensors, *all_kernels().front());
    const auto samples = random_samples(11.1);
    const auto all = run(network, samples, 1, samples.size());
    for (const std::size_t length : {0, 1, 159, 160, 320, 144159, 144160, 160159, 160160, 176159, 176160}) {
        const std::vector<float> part(samples.begin(), samples.begin() + static_cast<long>(length));
        const std::size_t windows = length < 144160 ? 0 : (length - 144160) / kSampleRate + 1;
        const auto scores = run(network, part, 2, 50000);
        check(scores == std::vector<float>(all.begin(), all.begin() + static_cast<long>(windows * kScores)),
              std::to_string(length) + " samples are " + std::to_string(windows) + " windows, like those of more");
    }
}

std::string field(int number, const std::string& content) {
    std::string bytes(1, static_cast<char>(number << 3 | 2));
    std::size_t size = content.size();
    for (; size >= 0x80; size >>= 7) bytes += static_cast<char>((size & 0x7f) | 0x80);
    return bytes + static_cast<char>(size) + content;
}

bool parses(const std::string& bytes) {
    try {
        parse_onnx(bytes);
        return true;
    } catch (const std::runtime_error&) {
        return false;
    }
}

void test_onnx_reader() {
    const float values[3] = {1.5f, -2.0f, 3.25f};
    const std::string raw(reinterpret_cast<const char*>(values), sizeof values);
    const std::string type("\x10\x01", 2), plain_shape("\x08\x03\x08\x01", 4);
    const std::string model = field(1, "ir") + field(7, field(5, plain_shape + type + field(8, "raw") + field(9, raw)) +
                                                            field(5, field(1, "\x03") + type + field(4, raw) + field(8, "list")) +
                                                            field(5, std::string("\x10\x07", 2) + field(8, "integers")));
    const Tensors tensors = parse_onnx(model);
    check(tensors.size() == 2, "the reader takes the two float tensors");
    const std::vector<float> expected(values, values + 3);
    check(tensors.at("raw").values == expected && tensors.at("raw").shape == std::vector<std::int64_t>{3, 1}, "raw data");
    check(tensors.at("list").values == expected && tensors.at("list").shape == std::vector<std::int64_t>{3}, "float list");

    int refused = 0;
    for (std::size_t length = 1; length < model.size(); ++length) refused += !parses(model.substr(0, length));
    check(refused > static_cast<int>(model.size()) * 9 / 10, "a truncated file is refused");
    std::mt19937 random(3);
    for (int i = 0; i < 20000; ++i) {
        std::string damaged = model;
        for (int j = 0; j < 3; ++j) damaged[random() % damaged.size()] = static_cast<char>(random());
        parses(damaged);
    }
    check(true, "damaged files are read or refused");

    bool named = false;
    try {
        Network(Tensors{}, *portable_kernels());
    } catch (const std::runtime_error& error) {
        named = std::strstr(error.what(), "stft-real") != nullptr;
    }
    check(named, "a missing tensor is named");
}

}  // namespace

int main(int argc, char** argv) {
    const std::string mode = argc > 1 ? argv[1] : "";
    const Tensors tensors = random_tensors();
    if (mode == "threads") {
        test_threads_and_cuts(tensors, {all_kernels().front()});
    } else {
        test_onnx_reader();
        test_lengths(tensors);
        test_threads_and_cuts(tensors, all_kernels());
        if (mode != "quick") test_against_plain_computation(tensors);
    }
    std::printf("%d failures\n", failures);
    return failures == 0 ? 0 : 1;
}
