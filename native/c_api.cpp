#include "c_api.h"

#include <cstdio>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>

#include "kernels.hpp"
#include "network.hpp"
#include "onnx_file.hpp"
#include "stream.hpp"

#if defined(_WIN32)
#define VG_EXPORT __declspec(dllexport)
#else
#define VG_EXPORT __attribute__((visibility("default")))
#endif

struct vg_network {
    std::shared_ptr<const voicegauge::Network> network;
};

struct vg_stream {
    voicegauge::Stream stream;
};

namespace {

using voicegauge::Kernels;

std::vector<const Kernels*> available_kernels() {
    std::vector<const Kernels*> available;
    for (const Kernels* kernels :
         {voicegauge::avx512_kernels(), voicegauge::avx2_kernels(), voicegauge::portable_kernels()})
        if (kernels != nullptr) available.push_back(kernels);
    return available;
}

const Kernels& kernels_named(const std::string& name) {
    for (const Kernels* kernels : available_kernels())
        if (name == kernels->name) return *kernels;
    throw std::runtime_error("this machine has no SIMD path " + name);
}

// Runs `action`; an exception becomes a message and the `failed` value.
template <class Result, class Action>
Result guarded(char* error, size_t error_size, Result failed, Action action) {
    try {
        return action();
    } catch (const std::bad_alloc&) {
        std::snprintf(error, error_size, "out of memory");
    } catch (const std::exception& exception) {
        std::snprintf(error, error_size, "%s", exception.what());
    }
    return failed;
}

}  // namespace

VG_EXPORT const char* vg_simd_paths(void) {
    static const std::string names = [] {
        std::string joined;
        for (const Kernels* kernels : available_kernels())
            joined += (joined.empty() ? "" : ",") + std::string(kernels->name);
        return joined;
    }();
    return names.c_str();
}

VG_EXPORT vg_network* vg_network_open(const char* path, const char* simd_path, char* error, size_t error_size) {
    return guarded<vg_network*>(error, error_size, nullptr, [&] {
        const Kernels& kernels = kernels_named(simd_path);
        return new vg_network{std::make_shared<voicegauge::Network>(voicegauge::read_onnx(path), kernels)};
    });
}

VG_EXPORT void vg_network_close(vg_network* network) { delete network; }

VG_EXPORT vg_stream* vg_stream_open(const vg_network* network, int threads, char* error, size_t error_size) {
    return guarded<vg_stream*>(error, error_size, nullptr,
                               [&] { return new vg_stream{voicegauge::Stream(network->network, threads)}; });
}

VG_EXPORT void vg_stream_close(vg_stream* stream) { delete stream; }

VG_EXPORT int vg_stream_push(vg_stream* stream, const float* samples, size_t count, char* error, size_t error_size) {
    return guarded<int>(error, error_size, -1, [&] {
        stream->stream.push(samples, count);
        return 0;
    });
}

VG_EXPORT long vg_stream_finish(vg_stream* stream, const float** scores, char* error, size_t error_size) {
    return guarded<long>(error, error_size, -1, [&] {
        const std::vector<float>& all = stream->stream.finish();
        *scores = all.data();
        return static_cast<long>(all.size()) / voicegauge::kScores;
    });
}
