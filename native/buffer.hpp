// Floats (or integers) on the heap, aligned to a cache line and to the widest vector.
#pragma once

#include <cstddef>
#include <memory>
#include <new>

namespace voicegauge {

template <class T>
class Buffer {
   public:
    explicit Buffer(std::size_t size) : data_(static_cast<T*>(::operator new(size * sizeof(T), kAlignment))) {}

    T* get() const { return data_.get(); }
    T& operator[](std::size_t i) const { return data_.get()[i]; }

   private:
    static constexpr std::align_val_t kAlignment{64};
    struct Free {
        void operator()(T* data) const { ::operator delete(data, kAlignment); }
    };
    std::unique_ptr<T, Free> data_;
};

}  // namespace voicegauge
