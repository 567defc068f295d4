// Reads the weights out of an ONNX file.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace voicegauge {

struct Tensor {
    std::vector<std::int64_t> shape;
    std::vector<float> values;
};

using Tensors = std::map<std::string, Tensor>;

// Returns the float32 initializers of a model by name. Throws std::runtime_error where the bytes are no such model.
Tensors parse_onnx(const std::string& bytes);

// Likewise for a file.
Tensors read_onnx(const std::string& path);

}  // namespace voicegauge
