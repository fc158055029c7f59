#include "masks.hpp"

#include <nanobind/ndarray.h>

#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>

namespace nb = nanobind;

namespace drystone {
namespace {

using Ints = nb::ndarray<const std::int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Bools = nb::ndarray<const bool, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using WritableBools = nb::ndarray<bool, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

// The GIL is kept: a grid takes a few microseconds, and giving it up could cost more.
void fill_masks(const Ints &cells, const Ints &lengths, const Bools &is_first, const WritableBools &valid,
                const WritableBools &reset) {
    const auto size = static_cast<std::int64_t>(valid.size());
    const std::size_t count = cells.size();
    if (lengths.size() != count || is_first.size() != count || reset.size() != valid.size())
        throw std::invalid_argument("cells, lengths and is_first, and valid and reset, must be as long.");
    for (std::size_t i = 0; i < count; ++i)
        if (cells(i) < 0 || lengths(i) < 1 || lengths(i) > size || cells(i) > size - lengths(i))
            throw std::out_of_range("span " + std::to_string(i) + " has " + std::to_string(lengths(i)) +
                                    " cells from cell " + std::to_string(cells(i)) + " of " + std::to_string(size) +
                                    ".");
    std::memset(valid.data(), 0, valid.size());
    std::memset(reset.data(), 0, reset.size());
    for (std::size_t i = 0; i < count; ++i) {
        std::memset(valid.data() + cells(i), 1, lengths(i));
        reset(cells(i)) = is_first(i);
    }
}

}  // namespace

void bind_masks(nb::module_ &module) {
    module.def("fill_masks", &fill_masks, "Fills the masks of a grid; see drystone.native.fill_masks.");
}

}  // namespace drystone
