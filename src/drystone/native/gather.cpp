#include "gather.hpp"

#include <nanobind/ndarray.h>

#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <string>

namespace nb = nanobind;

namespace drystone {
namespace {

// [items, bytes of an item]
using Bytes = nb::ndarray<const std::uint8_t, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using WritableBytes = nb::ndarray<std::uint8_t, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Ints = nb::ndarray<const std::int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

struct Runs {
    const std::int64_t *sources;
    const std::int64_t *targets;
    const std::int64_t *lengths;
    std::int64_t count;
};

// Whether first … first + length − 1 are places of an array of `size` items; sums are avoided, as they may overflow.
bool inside(std::int64_t first, std::int64_t length, std::int64_t size) {
    return first >= 0 && length >= 0 && length <= size && first <= size - length;
}

[[noreturn]] void refuse(std::int64_t span, std::int64_t first, std::int64_t length, const char *what,
                         std::int64_t size) {
    throw std::out_of_range("span " + std::to_string(span) + " has " + std::to_string(length) + " items from item " +
                            std::to_string(first) + " of " + what + ", which holds " + std::to_string(size) + ".");
}

void check(const Runs &runs, std::int64_t num_values, std::int64_t num_out) {
    std::int64_t end = 0;
    for (std::int64_t i = 0; i < runs.count; ++i) {
        if (!inside(runs.sources[i], runs.lengths[i], num_values))
            refuse(i, runs.sources[i], runs.lengths[i], "values", num_values);
        if (!inside(runs.targets[i], runs.lengths[i], num_out))
            refuse(i, runs.targets[i], runs.lengths[i], "out", num_out);
        if (runs.targets[i] < end)
            throw std::out_of_range("span " + std::to_string(i) + " starts at item " +
                                    std::to_string(runs.targets[i]) + " of out, before item " + std::to_string(end) +
                                    ", where the one before it ends.");
        end = runs.targets[i] + runs.lengths[i];
    }
}

void copy(const Runs &runs, std::size_t item_bytes, const std::uint8_t *values, std::uint8_t *out,
          std::int64_t num_out) {
    std::int64_t end = 0;
    for (std::int64_t i = 0; i < runs.count; ++i) {
        std::memset(out + end * item_bytes, 0, (runs.targets[i] - end) * item_bytes);
        std::memcpy(out + runs.targets[i] * item_bytes, values + runs.sources[i] * item_bytes,
                    runs.lengths[i] * item_bytes);
        end = runs.targets[i] + runs.lengths[i];
    }
    std::memset(out + end * item_bytes, 0, (num_out - end) * item_bytes);
}

void gather(const Bytes &values, const Ints &sources, const Ints &targets, const Ints &lengths,
            const WritableBytes &out) {
    if (sources.size() != lengths.size() || targets.size() != lengths.size())
        throw std::invalid_argument("sources, targets and lengths must hold one number a span each.");
    if (values.shape(1) != out.shape(1))
        throw std::invalid_argument("the items of values and out must be of one size.");
    const Runs runs{sources.data(), targets.data(), lengths.data(), static_cast<std::int64_t>(lengths.size())};
    const auto num_values = static_cast<std::int64_t>(values.shape(0));
    const auto num_out = static_cast<std::int64_t>(out.shape(0));
    nb::gil_scoped_release release;
    check(runs, num_values, num_out);
    copy(runs, out.shape(1), values.data(), out.data(), num_out);
}

}  // namespace

void bind_gather(nb::module_ &module) {
    module.def("gather", &gather, nb::arg("values").noconvert(), nb::arg("sources").noconvert(),
               nb::arg("targets").noconvert(), nb::arg("lengths").noconvert(), nb::arg("out").noconvert(),
               "Copies runs of items given as bytes; see drystone.native.gather.");
}

}  // namespace drystone
