// An ONNX file is a protocol buffer: fields of (number, wire type, content), nested. Only the path to the weights is
// followed: ModelProto.graph (7), GraphProto.initializer (5), and in TensorProto dims (1), data_type (2),
// float_data (4), name (8), raw_data (9). See onnx.proto in https://github.com/onnx/onnx.
#include "onnx_file.hpp"

#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>

namespace voicegauge {
namespace {

constexpr int kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5;
constexpr std::uint64_t kFloat = 1;

[[noreturn]] void damaged() { throw std::runtime_error("the ONNX file is damaged"); }

struct Span {
    const char* at;
    const char* end;

    std::size_t size() const { return static_cast<std::size_t>(end - at); }

    std::uint64_t varint() {
        std::uint64_t value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            if (at == end) damaged();
            const auto byte = static_cast<unsigned char>(*at++);
            value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
            if (byte < 0x80) return value;
        }
        damaged();
    }

    Span take(std::uint64_t count) {
        if (count > size()) damaged();
        const Span taken{at, at + count};
        at = taken.end;
        return taken;
    }
};

struct Field {
    std::uint64_t number;
    int type;
    std::uint64_t value;  // of a kVarint field
    Span content;         // of the others
};

Field next_field(Span& message) {
    const std::uint64_t key = message.varint();
    Field field{key >> 3, static_cast<int>(key & 7), 0, {nullptr, nullptr}};
    switch (field.type) {
        case kVarint:
            field.value = message.varint();
            break;
        case kFixed64:
            field.content = message.take(8);
            break;
        case kBytes:
            field.content = message.take(message.varint());
            break;
        case kFixed32:
            field.content = message.take(4);
            break;
        default:
            damaged();
    }
    return field;
}

std::vector<float> floats(Span content) {
    if (content.size() % sizeof(float) != 0) damaged();
    std::vector<float> values(content.size() / sizeof(float));
    if (!values.empty()) std::memcpy(values.data(), content.at, content.size());
    return values;
}

void read_tensor(Span message, Tensors& tensors) {
    std::string name;
    Tensor tensor;
    std::uint64_t type = 0;
    while (message.size() > 0) {
        Field field = next_field(message);
        if (field.number == 1 && field.type == kVarint) {
            tensor.shape.push_back(static_cast<std::int64_t>(field.value));
        } else if (field.number == 1 && field.type == kBytes) {
            while (field.content.size() > 0) tensor.shape.push_back(static_cast<std::int64_t>(field.content.varint()));
        } else if (field.number == 2 && field.type == kVarint) {
            type = field.value;
        } else if (field.number == 8 && field.type == kBytes) {
            name.assign(field.content.at, field.content.size());
        } else if ((field.number == 4 || field.number == 9) && field.type == kBytes && type <= kFloat) {
            tensor.values = floats(field.content);
        }
    }
    if (type == kFloat) tensors[name] = std::move(tensor);
}

}  // namespace

Tensors parse_onnx(const std::string& bytes) {
    Tensors tensors;
    Span model{bytes.data(), bytes.data() + bytes.size()};
    while (model.size() > 0) {
        Field in_model = next_field(model);
        if (in_model.number != 7 || in_model.type != kBytes) continue;
        while (in_model.content.size() > 0) {
            const Field in_graph = next_field(in_model.content);
            if (in_graph.number == 5 && in_graph.type == kBytes) read_tensor(in_graph.content, tensors);
        }
    }
    return tensors;
}

Tensors read_onnx(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    if (!file) throw std::runtime_error("cannot read " + path);
    return parse_onnx(bytes);
}

}  // namespace voicegauge
