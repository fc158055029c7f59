#include "sorting.hpp"

#include <nanobind/ndarray.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <stdexcept>
#include <utility>
#include <vector>

namespace nb = nanobind;

namespace drystone {
namespace {

using Keys = nb::ndarray<std::uint64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Key = std::uint64_t;

constexpr int max_top_bits = 11;    // more streams than that, and the first pass waits for memory
constexpr int max_digit_bits = 10;  // the counts of a digit stay in the nearest cache
constexpr int part_bits = 12;       // parts of about 2^12 keys or more, so that counting pays

struct Digit {
    int shift;
    int bits;
    std::size_t of(Key key) const { return (key >> shift) & ((Key{1} << bits) - 1); }
};

// Moves the keys to where their digit belongs, in their order; returns where each digit's keys end.
void scatter(const Key *from, Key *to, std::size_t count, Digit digit, std::vector<std::size_t> &ends) {
    ends.assign(std::size_t{1} << digit.bits, 0);
    for (std::size_t i = 0; i < count; ++i) ++ends[digit.of(from[i])];
    std::size_t start = 0;
    for (std::size_t &end : ends) start += std::exchange(end, start);
    for (std::size_t i = 0; i < count; ++i) to[ends[digit.of(from[i])]++] = from[i];
}

// Sorts by the bits from low_bits up; equal ones keep their order. The first pass parts the keys by their top bits,
// so that all further ones work within a part, in cache.
void sort_keys(const Keys &array, const Keys &spare_array, int low_bits) {
    if (spare_array.size() != array.size()) throw std::invalid_argument("keys and spare must be as long.");
    nb::gil_scoped_release release;
    Key *keys = array.data(), *spare = spare_array.data();
    const std::size_t count = array.size();
    const int size_bits = static_cast<int>(std::bit_width(count));
    const int top_bits = std::min({std::max(size_bits - part_bits, 0), max_top_bits, 64 - low_bits});
    const int rest_bits = 64 - low_bits - top_bits;
    const int passes = (rest_bits + max_digit_bits - 1) / max_digit_bits;
    std::vector<std::size_t> parts{count}, ends;
    if (top_bits > 0)
        scatter(keys, spare, count, {64 - top_bits, top_bits}, parts);
    else
        std::copy(keys, keys + count, spare);
    std::size_t start = 0;
    for (const std::size_t stop : parts) {
        Key *from = spare + start, *to = keys + start;
        for (int pass = 0, shift = low_bits; pass < passes; ++pass) {
            const int bits = (rest_bits - (shift - low_bits) + passes - pass - 1) / (passes - pass);
            scatter(from, to, stop - start, {shift, bits}, ends);
            std::swap(from, to);
            shift += bits;
        }
        if (from != keys + start) std::copy(from, from + (stop - start), keys + start);
        start = stop;
    }
}

}  // namespace

void bind_sorting(nb::module_ &module) {
    module.def("sort_keys", &sort_keys, nb::arg("keys").noconvert(), nb::arg("spare").noconvert(),
               nb::arg("low_bits"),
               "Sorts keys in place; see drystone.native.sort_keys.");
}

}  // namespace drystone
