#include "lstm.hpp"

#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "checks.hpp"
#include "lanes.hpp"
#include "lstm_builds.hpp"
#include "lstm_steps.hpp"
#include "pool.hpp"

namespace drystone {
namespace {

using Ints = nb::ndarray<const std::int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using MaybeInts = std::optional<Ints>;

const Steps<float> &pick(const BothSteps &both, float) { return both.f32; }
const Steps<double> &pick(const BothSteps &both, double) { return both.f64; }

// --- memory

struct Free {
    void operator()(void *memory) const { ::operator delete(memory, std::align_val_t{64}); }
};
using Memory = std::unique_ptr<void, Free>;

Memory allocate(std::int64_t bytes) { return Memory(::operator new(bytes, std::align_val_t{64})); }
template <class T> T *numbers(const Memory &memory) { return static_cast<T *>(memory.get()); }

// --- checks of runs

std::vector<Run> checked_runs(const Ints &starts, const Ints &rows, std::int64_t num_cells, std::int64_t num_rows) {
    const auto count = static_cast<std::int64_t>(rows.size());
    require(static_cast<std::int64_t>(starts.size()) == count + 1, "starts must be one longer than rows.");
    require(starts(0) == 0 && starts(count) == num_cells, "starts must lead from 0 to the number of cells.");
    std::vector<Run> runs(count);
    std::int64_t row_before = -1;
    for (std::int64_t i = 0; i < count; ++i) {
        require(starts(i) < starts(i + 1), "run " + std::to_string(i) + " holds no cell.");
        require(-1 <= rows(i) && rows(i) < num_rows, "run " + std::to_string(i) + " starts from row " +
                                                         std::to_string(rows(i)) + " of " + std::to_string(num_rows) + ".");
        require(rows(i) < 0 || rows(i) > row_before, "rows must rise: each starts one run at most; run " +
                                                         std::to_string(i) + " starts from row " +
                                                         std::to_string(rows(i)) + ".");
        row_before = std::max(row_before, rows(i));
        runs[i] = {starts(i), starts(i + 1) - starts(i), rows(i)};
    }
    return runs;
}

void check_places(const MaybeInts &at, std::int64_t num_cells, std::int64_t num_places) {
    if (!at) {
        require(num_places == num_cells, "without places, each cell must have one.");
        return;
    }
    require(static_cast<std::int64_t>(at->size()) == num_cells, "there must be one place a cell.");
    std::int64_t before = -1;
    for (std::int64_t cell = 0; cell < num_cells; ++cell) {
        require((*at)(cell) > before && (*at)(cell) < num_places, "places must rise, and lie in the output.");
        before = (*at)(cell);
    }
}

void check_bias_of(const MaybeInts &bias_of, std::int64_t num_biases, std::int64_t num_places) {
    if (!bias_of) {
        require(num_biases == 1, "without bias_of there must be one bias.");
        return;
    }
    require(static_cast<std::int64_t>(bias_of->size()) == num_places, "there must be one bias_of a place.");
    for (std::int64_t place = 0; place < num_places; ++place)
        require((*bias_of)(place) >= 0 && (*bias_of)(place) < num_biases,
                "place " + std::to_string(place) + " has bias " + std::to_string((*bias_of)(place)) + " of " +
                    std::to_string(num_biases) + ".");
}

// Without states, the rows from which runs start are never looked up.
template <class T> std::int64_t rows_of(const MaybeRows<T> &states) {
    return states ? static_cast<std::int64_t>(states->shape(0)) : std::numeric_limits<std::int64_t>::max();
}
template <class T> std::int64_t width_of(const Rows<T> &rows) { return static_cast<std::int64_t>(rows.shape(1)); }
template <class T> std::int64_t length_of(const Rows<T> &rows) { return static_cast<std::int64_t>(rows.shape(0)); }
template <class T> T *data_or_null(const MaybeRows<T> &rows) { return rows ? rows->data() : nullptr; }

// --- the two passes

// Lanes, threads, and memory for the time of one call.
template <class T> struct Call {
    const Steps<T> &steps;
    Layer<T> layer;
    Pool pool;
    Lanes lanes;
    Memory zeros, packed_inputs, packed_hidden;

    Call(const Steps<T> &steps, const Layer<T> &layer, const Pool &pool, std::vector<Run> runs)
        : steps(steps), layer(layer), pool(pool), lanes(lay_lanes(std::move(runs), pool.num_threads)),
          zeros(allocate(num_gates * layer.hidden * sizeof(T))) {
        std::fill_n(numbers<T>(zeros), num_gates * layer.hidden, T(0));
        this->layer.zeros = numbers<T>(zeros);
        if (layer.bias == nullptr)
            this->layer.bias = this->layer.zeros;
    }

    static constexpr std::int64_t num_gates = 4;

    // Calls pack(first tile, last tile), in shares.
    template <class Pack> void share_tiles(bool by_gates, Pack pack) const {
        const std::int64_t tiles = steps.num_tiles(layer.hidden, by_gates), shares = std::min(tiles, pool.num_threads);
        pool.run(shares, [&](std::int64_t share) { pack(tiles * share / shares, tiles * (share + 1) / shares); });
    }

    const T *pack_by_gates(const T *weights, std::int64_t depth, Memory &packed) const {
        packed = allocate(steps.packed_size(layer.hidden, depth) * sizeof(T));
        share_tiles(true, [&](std::int64_t first, std::int64_t last) {
            steps.pack_by_gates(weights, layer.hidden, depth, first, last, numbers<T>(packed));
        });
        return numbers<T>(packed);
    }

    const T *pack_by_units(const T *weights, Memory &packed) const {
        packed = allocate(steps.packed_size(layer.hidden, layer.hidden) * sizeof(T));
        share_tiles(false, [&](std::int64_t first, std::int64_t last) {
            steps.pack_by_units(weights, layer.hidden, first, last, numbers<T>(packed));
        });
        return numbers<T>(packed);
    }

    template <class Pass> void run(Pass pass) const {
        std::vector<Memory> scratch;
        for (const auto &some : lanes.of_thread)
            scratch.push_back(allocate(steps.scratch_size(layer.hidden, some.data(), static_cast<std::int64_t>(some.size()))));
        pool.run(pool.num_threads, [&](std::int64_t thread) {
            const auto &some = lanes.of_thread[thread];
            pass(layer, some.data(), static_cast<std::int64_t>(some.size()), scratch[thread].get());
        });
    }
};

constexpr std::int64_t cells_worth_packing = 24;  // packing weights takes as long as that many cells, about

double flops_of(std::int64_t num_cells, std::int64_t hidden, std::int64_t depth) {
    return 8.0 * static_cast<double>(num_cells) * static_cast<double>(hidden) * static_cast<double>(depth);
}

template <class T>
void lstm_forward(const Rows<const T> &x, const Rows<const T> &input_weights, const MaybeRows<const T> &bias,
                  const MaybeInts &bias_of, const Rows<const T> &hidden_weights, const MaybeRows<const T> &h, const MaybeRows<const T> &c,
                  const Ints &starts, const Ints &rows, const MaybeInts &at, const MaybeRows<T> &gates,
                  const Rows<T> &output, const MaybeRows<T> &h_before, const Rows<T> &cells, const std::string &build,
                  std::int64_t num_threads, std::uintptr_t parallel_for) {
    const std::int64_t num_places = length_of(output), num_cells = length_of(cells);
    const std::int64_t hidden = width_of(hidden_weights), features = width_of(input_weights);
    const std::int64_t num_rows = std::min(rows_of<const T>(h), rows_of<const T>(c));
    require(hidden > 0, "there must be at least 1 unit.");
    Arrays arrays;
    arrays.take("x", x, num_places, features);
    arrays.take("input_weights", input_weights, 4 * hidden, features);
    const std::int64_t num_biases = bias ? length_of(*bias) : 1;
    arrays.take("bias", bias, num_biases, 4 * hidden);
    arrays.take("hidden_weights", hidden_weights, 4 * hidden, hidden);
    arrays.take("h", h, num_rows, hidden);
    arrays.take("c", c, num_rows, hidden);
    arrays.take("gates", gates, num_cells, 4 * hidden);
    arrays.take("output", output, num_places, hidden);
    arrays.take("h_before", h_before, num_cells, hidden);
    arrays.take("cells", cells, num_cells, hidden);
    arrays.check_apart();
    check_places(at, num_cells, num_places);
    check_bias_of(bias_of, num_biases, num_places);
    std::vector<Run> runs = checked_runs(starts, rows, num_cells, num_rows);
    const Steps<T> &steps = pick(build_named(build), T{});

    Layer<T> layer{};
    layer.hidden = hidden;
    layer.features = features;
    layer.bias_of = bias_of ? bias_of->data() : nullptr;
    layer.bias = data_or_null(bias);
    layer.at = at ? at->data() : nullptr;
    layer.x = x.data();
    layer.h = data_or_null(h);
    layer.c = data_or_null(c);
    layer.gates = data_or_null(gates);
    layer.output = output.data();
    layer.h_before = data_or_null(h_before);
    layer.cells = cells.data();
    nb::gil_scoped_release release;
    Call<T> call(steps, layer, pool_of(num_threads, parallel_for, flops_of(num_cells, hidden, hidden + features)),
                 std::move(runs));
    call.layer.are_packed = num_cells >= cells_worth_packing;
    call.layer.input_weights = input_weights.data();
    call.layer.hidden_weights = hidden_weights.data();
    if (call.layer.are_packed) {
        call.layer.input_weights = call.pack_by_gates(input_weights.data(), features, call.packed_inputs);
        call.layer.hidden_weights = call.pack_by_gates(hidden_weights.data(), hidden, call.packed_hidden);
    }
    call.run(steps.forward);
}

template <class T>
void lstm_backward(const Rows<T> &gates, const Rows<const T> &hidden_weights, const MaybeRows<const T> &c,
                   const Ints &starts, const Ints &rows, const MaybeInts &at, const Rows<const T> &cells,
                   const MaybeRows<const T> &output_gradient, const MaybeRows<const T> &cells_gradient,
                   const MaybeRows<T> &c_gradient, std::int64_t num_places, const std::string &build,
                   std::int64_t num_threads, std::uintptr_t parallel_for) {
    const std::int64_t num_cells = length_of(gates), hidden = width_of(hidden_weights);
    const std::int64_t num_rows = rows_of<const T>(c);
    require(!c_gradient || c, "c_gradient needs c.");
    require(hidden > 0, "there must be at least 1 unit.");
    Arrays arrays;
    arrays.take("gates", gates, num_cells, 4 * hidden);
    arrays.take("hidden_weights", hidden_weights, 4 * hidden, hidden);
    arrays.take("c", c, num_rows, hidden);
    arrays.take("cells", cells, num_cells, hidden);
    arrays.take("output_gradient", output_gradient, num_places, hidden);
    arrays.take("cells_gradient", cells_gradient, num_cells, hidden);
    arrays.take("c_gradient", c_gradient, num_rows, hidden);
    arrays.check_apart();
    check_places(at, num_cells, num_places);
    std::vector<Run> runs = checked_runs(starts, rows, num_cells, num_rows);
    const Steps<T> &steps = pick(build_named(build), T{});

    Layer<T> layer{};
    layer.hidden = hidden;
    layer.at = at ? at->data() : nullptr;
    layer.c = data_or_null(c);
    layer.gates = gates.data();
    layer.cells = const_cast<T *>(cells.data());  // only read, backward
    layer.output_gradient = data_or_null(output_gradient);
    layer.cells_gradient = data_or_null(cells_gradient);
    layer.c_gradient = data_or_null(c_gradient);
    nb::gil_scoped_release release;
    Call<T> call(steps, layer, pool_of(num_threads, parallel_for, flops_of(num_cells, hidden, hidden)), std::move(runs));
    call.layer.hidden_weights = call.pack_by_units(hidden_weights.data(), call.packed_hidden);
    call.run(steps.backward);
}

template <class T> void bind_passes(nb::module_ &module) {
    module.def("lstm_forward", &lstm_forward<T>, nb::arg("x").noconvert(), nb::arg("input_weights").noconvert(),
               nb::arg("bias").noconvert().none(), nb::arg("bias_of").noconvert().none(),
               nb::arg("hidden_weights").noconvert(),
               nb::arg("h").noconvert().none(), nb::arg("c").noconvert().none(), nb::arg("starts").noconvert(),
               nb::arg("rows").noconvert(), nb::arg("at").noconvert().none(), nb::arg("gates").noconvert().none(),
               nb::arg("output").noconvert(), nb::arg("h_before").noconvert().none(), nb::arg("cells").noconvert(),
               nb::arg("build"), nb::arg("num_threads"), nb::arg("parallel_for"),
               "Runs an LSTM over runs of cells; see drystone.torch_ops.fused_native.");
    module.def("lstm_backward", &lstm_backward<T>, nb::arg("gates").noconvert(), nb::arg("hidden_weights").noconvert(),
               nb::arg("c").noconvert().none(), nb::arg("starts").noconvert(), nb::arg("rows").noconvert(),
               nb::arg("at").noconvert().none(), nb::arg("cells").noconvert(),
               nb::arg("output_gradient").noconvert().none(), nb::arg("cells_gradient").noconvert().none(),
               nb::arg("c_gradient").noconvert().none(), nb::arg("num_places"), nb::arg("build"),
               nb::arg("num_threads"), nb::arg("parallel_for"),
               "Turns gates into their gradients; see drystone.torch_ops.fused_native.");
}

}  // namespace

void bind_lstm(nb::module_ &module) {
    module.def("lstm_builds", &build_names, "Returns the builds of the recurrence that this processor runs.");
    bind_passes<float>(module);
    bind_passes<double>(module);
}

}  // namespace drystone
