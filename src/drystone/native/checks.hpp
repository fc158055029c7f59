// Rows of numbers as they come from Python, and checks of them: nothing of what comes is trusted.

#pragma once

#include <nanobind/ndarray.h>

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

namespace drystone {

namespace nb = nanobind;

template <class T> using Rows = nb::ndarray<T, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
template <class T> using MaybeRows = std::optional<Rows<T>>;

inline void require(bool holds, const std::string &words) {
    if (!holds)
        throw std::invalid_argument(words);
}

// The arrays of one call: each must have the shape that is wanted, and what is written must lie apart from all else.
class Arrays {
  public:
    template <class T> void take(const char *name, const Rows<T> &rows, std::int64_t count, std::int64_t width) {
        require(static_cast<std::int64_t>(rows.shape(0)) == count && static_cast<std::int64_t>(rows.shape(1)) == width,
                std::string(name) + " must be [" + std::to_string(count) + ", " + std::to_string(width) + "]; got [" +
                    std::to_string(rows.shape(0)) + ", " + std::to_string(rows.shape(1)) + "].");
        const auto begin = reinterpret_cast<std::uintptr_t>(rows.data());
        require(begin % alignof(T) == 0, std::string(name) + " is not aligned.");
        require(begin != 0 || rows.size() == 0, std::string(name) + " has no memory.");
        taken.push_back({name, begin, begin + rows.size() * sizeof(T), !std::is_const_v<T>});
    }
    template <class T> void take(const char *name, const MaybeRows<T> &rows, std::int64_t count, std::int64_t width) {
        if (rows)
            take(name, *rows, count, width);
    }

    void check_apart() const {
        for (const Bytes &one : taken)
            for (const Bytes &other : taken)
                require(&one == &other || !one.is_written || one.begin == one.end || other.begin == other.end ||
                            one.end <= other.begin || other.end <= one.begin,
                        std::string(one.name) + " is written, and " + other.name + " lies in the same memory.");
    }

  private:
    struct Bytes {
        const char *name;
        std::uintptr_t begin, end;
        bool is_written;
    };
    std::vector<Bytes> taken;
};

}  // namespace drystone
