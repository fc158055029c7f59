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
#include <stdexcept>
#include <string>
#include <vector>

#include "lanes.hpp"
#include "lstm_steps.hpp"

namespace nb = nanobind;

namespace drystone {
namespace {

template <class T> using Rows = nb::ndarray<T, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
template <class T> using MaybeRows = std::optional<Rows<const T>>;
using Ints = nb::ndarray<const std::int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

// --- which build of the steps

struct Build {
    const char *name;
    const BothSteps *steps;
    bool is_supported;
};

// The fastest first.
const std::vector<Build> &builds() {
    static const std::vector<Build> all{
#if defined(__x86_64__)
        {"avx512", &avx512_steps,
         __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")},
        {"avx2", &avx2_steps, __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")},
#endif
        {"plain", &plain_steps, true},
    };
    return all;
}

std::vector<std::string> build_names() {
    std::vector<std::string> names;
    for (const Build &build : builds())
        if (build.is_supported)
            names.emplace_back(build.name);
    return names;
}

const Steps<float> &pick(const BothSteps &both, float) { return both.f32; }
const Steps<double> &pick(const BothSteps &both, double) { return both.f64; }

template <class T> const Steps<T> &steps_of(const std::string &name) {
    for (const Build &build : builds())
        if (build.is_supported && name == build.name)
            return pick(*build.steps, T{});
    throw std::invalid_argument("this processor runs no build named " + name + ".");
}

// --- threads: PyTorch's own, by the function of its stable interface, or this one alone

using Chunk = void (*)(std::int64_t begin, std::int64_t end, void *context);
using ParallelFor = std::int32_t (*)(std::int64_t begin, std::int64_t end, std::int64_t grain, Chunk, void *context);

struct Pool {
    std::int64_t num_threads;
    ParallelFor parallel_for;

    template <class Do> void run(std::int64_t count, Do act) const {
        const auto chunk = [](std::int64_t begin, std::int64_t end, void *context) {
            for (std::int64_t i = begin; i < end; ++i)
                (*static_cast<Do *>(context))(i);
        };
        if (parallel_for == nullptr || num_threads == 1 || count <= 1)
            chunk(0, count, &act);
        else if (parallel_for(0, count, 1, chunk, &act) != 0)
            throw std::runtime_error("PyTorch's threads refused the work.");
    }
};

// As many as have something to do: handing less to a thread than it does in some microseconds costs more than it brings.
Pool pool_of(std::int64_t num_threads, std::uintptr_t parallel_for, std::int64_t num_cells, std::int64_t hidden) {
    constexpr double flops_a_thread = 4e5;
    const double flops = 8.0 * static_cast<double>(num_cells) * static_cast<double>(hidden) * static_cast<double>(hidden);
    const double useful = std::min(flops / flops_a_thread, 1024.0);
    const auto wanted = std::clamp<std::int64_t>(static_cast<std::int64_t>(useful), 1, std::max<std::int64_t>(num_threads, 1));
    return {parallel_for == 0 ? 1 : wanted, reinterpret_cast<ParallelFor>(parallel_for)};
}

// --- memory

struct Free {
    void operator()(void *memory) const { ::operator delete(memory, std::align_val_t{64}); }
};
using Memory = std::unique_ptr<void, Free>;

Memory allocate(std::int64_t bytes) { return Memory(::operator new(bytes, std::align_val_t{64})); }

// --- checks: what comes from Python is not trusted

void require(bool holds, const std::string &words) {
    if (!holds)
        throw std::invalid_argument(words);
}

template <class T> void check_rows(const char *name, const Rows<T> &rows, std::int64_t count, std::int64_t width) {
    require(static_cast<std::int64_t>(rows.shape(0)) == count && static_cast<std::int64_t>(rows.shape(1)) == width,
            std::string(name) + " must be [" + std::to_string(count) + ", " + std::to_string(width) + "]; got [" +
                std::to_string(rows.shape(0)) + ", " + std::to_string(rows.shape(1)) + "].");
    require(reinterpret_cast<std::uintptr_t>(rows.data()) % alignof(T) == 0, std::string(name) + " is not aligned.");
    require(rows.data() != nullptr || rows.size() == 0, std::string(name) + " has no memory.");
}

struct Bytes {
    const char *name;
    std::uintptr_t begin, end;
    bool is_written;
};

template <class T> Bytes bytes_of(const char *name, const Rows<T> &rows, bool is_written) {
    const auto begin = reinterpret_cast<std::uintptr_t>(rows.data());
    return {name, begin, begin + rows.size() * sizeof(T), is_written};
}

void check_apart(const std::vector<Bytes> &all) {
    for (const Bytes &one : all)
        for (const Bytes &other : all)
            require(&one == &other || !one.is_written || one.begin == one.end || other.begin == other.end ||
                        one.end <= other.begin || other.end <= one.begin,
                    std::string(one.name) + " is written, and " + other.name + " lies in the same memory.");
}

std::vector<Run> checked_runs(const Ints &starts, const Ints &rows, std::int64_t num_cells, std::int64_t num_rows) {
    const auto count = static_cast<std::int64_t>(rows.size());
    require(static_cast<std::int64_t>(starts.size()) == count + 1, "starts must be one longer than rows.");
    require(starts(0) == 0 && starts(count) == num_cells, "starts must lead from 0 to the number of cells.");
    std::vector<Run> runs(count);
    for (std::int64_t i = 0; i < count; ++i) {
        require(starts(i) < starts(i + 1), "run " + std::to_string(i) + " holds no cell.");
        require(-1 <= rows(i) && rows(i) < num_rows, "run " + std::to_string(i) + " starts from row " +
                                                         std::to_string(rows(i)) + " of " + std::to_string(num_rows) + ".");
        runs[i] = {starts(i), starts(i + 1) - starts(i), rows(i)};
    }
    return runs;
}

void check_places(const std::optional<Ints> &at, std::int64_t num_cells, std::int64_t num_places) {
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

template <class T> const T *data_or_null(const MaybeRows<T> &rows) { return rows ? rows->data() : nullptr; }

// Without states, the rows from which runs start are never looked up.
template <class T> std::int64_t rows_of(const MaybeRows<T> &states) {
    return states ? static_cast<std::int64_t>(states->shape(0)) : std::numeric_limits<std::int64_t>::max();
}

// --- the two passes

template <class T>
void run_layer(const Steps<T> &steps, Layer<T> layer, const T *weights, std::vector<Run> runs, const Pool &pool,
               bool is_backward) {
    const std::int64_t hidden = layer.hidden;
    const Lanes lanes = lay_lanes(std::move(runs), pool.num_threads);
    const Memory packed = allocate(steps.packed_size(hidden) * sizeof(T));
    const Memory zeros = allocate(4 * hidden * sizeof(T));
    std::fill_n(static_cast<T *>(zeros.get()), 4 * hidden, T(0));
    std::vector<Memory> scratch;
    for (const auto &some : lanes.of_thread)
        scratch.push_back(allocate(steps.scratch_size(hidden, static_cast<std::int64_t>(some.size()))));

    // Weights that no step needs are not packed: for a single step that is most of the work.
    const bool is_any_used = (!is_backward && layer.h != nullptr) ||
                             std::any_of(lanes.runs.begin(), lanes.runs.end(), [](const Run &run) { return run.length > 1; });
    const std::int64_t tiles = steps.num_tiles(hidden, is_backward), shares = std::min(tiles, pool.num_threads);
    pool.run(is_any_used ? shares : 0, [&](std::int64_t share) {
        steps.pack(weights, hidden, is_backward, tiles * share / shares, tiles * (share + 1) / shares,
                   static_cast<T *>(packed.get()));
    });
    layer.weights = static_cast<const T *>(packed.get());
    layer.zeros = static_cast<const T *>(zeros.get());
    pool.run(pool.num_threads, [&](std::int64_t thread) {
        const auto &some = lanes.of_thread[thread];
        const auto pass = is_backward ? steps.backward : steps.forward;
        pass(layer, some.data(), static_cast<std::int64_t>(some.size()), scratch[thread].get());
    });
}

template <class T>
void lstm_forward(const Rows<T> &gates, const Rows<const T> &weights, const MaybeRows<T> &h, const MaybeRows<T> &c,
                  const Ints &starts, const Ints &rows, const std::optional<Ints> &at, const Rows<T> &output,
                  const Rows<T> &cells, bool keeps_gates, const std::string &build, std::int64_t num_threads,
                  std::uintptr_t parallel_for) {
    const auto num_cells = static_cast<std::int64_t>(gates.shape(0)), hidden = static_cast<std::int64_t>(weights.shape(1));
    const std::int64_t num_rows = std::min(rows_of<T>(h), rows_of<T>(c));
    require(hidden > 0, "there must be at least 1 unit.");
    check_rows("gates", gates, num_cells, 4 * hidden);
    check_rows("weights", weights, 4 * hidden, hidden);
    check_rows("output", output, static_cast<std::int64_t>(output.shape(0)), hidden);
    check_rows("cells", cells, num_cells, hidden);
    std::vector<Bytes> memory{bytes_of("gates", gates, true), bytes_of("weights", weights, false),
                              bytes_of("output", output, true), bytes_of("cells", cells, true)};
    if (h) {
        check_rows("h", *h, num_rows, hidden);
        memory.push_back(bytes_of("h", *h, false));
    }
    if (c) {
        check_rows("c", *c, num_rows, hidden);
        memory.push_back(bytes_of("c", *c, false));
    }
    check_apart(memory);
    check_places(at, num_cells, static_cast<std::int64_t>(output.shape(0)));
    std::vector<Run> runs = checked_runs(starts, rows, num_cells, num_rows);
    const Steps<T> &steps = steps_of<T>(build);

    Layer<T> layer{};
    layer.hidden = hidden;
    layer.at = at ? at->data() : nullptr;
    layer.h = data_or_null<T>(h);
    layer.c = data_or_null<T>(c);
    layer.gates = gates.data();
    layer.output = output.data();
    layer.cells = cells.data();
    layer.keeps_gates = keeps_gates;
    nb::gil_scoped_release release;
    run_layer(steps, layer, weights.data(), std::move(runs), pool_of(num_threads, parallel_for, num_cells, hidden), false);
}

template <class T>
void lstm_backward(const Rows<T> &gates, const Rows<const T> &weights, const MaybeRows<T> &c, const Ints &starts,
                   const Ints &rows, const std::optional<Ints> &at, const Rows<const T> &cells,
                   const MaybeRows<T> &output_gradient, const MaybeRows<T> &cells_gradient,
                   const std::optional<Rows<T>> &c_gradient, std::int64_t num_places, const std::string &build,
                   std::int64_t num_threads, std::uintptr_t parallel_for) {
    const auto num_cells = static_cast<std::int64_t>(gates.shape(0)), hidden = static_cast<std::int64_t>(weights.shape(1));
    const std::int64_t num_rows = rows_of<T>(c);
    require(!c_gradient || c, "c_gradient needs c.");
    require(hidden > 0, "there must be at least 1 unit.");
    check_rows("gates", gates, num_cells, 4 * hidden);
    check_rows("weights", weights, 4 * hidden, hidden);
    check_rows("cells", cells, num_cells, hidden);
    std::vector<Bytes> memory{bytes_of("gates", gates, true), bytes_of("weights", weights, false),
                              bytes_of("cells", cells, false)};
    if (c) {
        check_rows("c", *c, num_rows, hidden);
        memory.push_back(bytes_of("c", *c, false));
    }
    if (output_gradient) {
        check_rows("output_gradient", *output_gradient, num_places, hidden);
        memory.push_back(bytes_of("output_gradient", *output_gradient, false));
    }
    if (cells_gradient) {
        check_rows("cells_gradient", *cells_gradient, num_cells, hidden);
        memory.push_back(bytes_of("cells_gradient", *cells_gradient, false));
    }
    if (c_gradient) {
        check_rows("c_gradient", *c_gradient, num_rows, hidden);
        memory.push_back(bytes_of("c_gradient", *c_gradient, true));
    }
    check_apart(memory);
    check_places(at, num_cells, num_places);
    std::vector<Run> runs = checked_runs(starts, rows, num_cells, num_rows);
    const Steps<T> &steps = steps_of<T>(build);

    Layer<T> layer{};
    layer.hidden = hidden;
    layer.at = at ? at->data() : nullptr;
    layer.c = data_or_null<T>(c);
    layer.gates = gates.data();
    layer.cells = const_cast<T *>(cells.data());  // only read, backward
    layer.output_gradient = data_or_null<T>(output_gradient);
    layer.cells_gradient = data_or_null<T>(cells_gradient);
    layer.c_gradient = c_gradient ? c_gradient->data() : nullptr;
    nb::gil_scoped_release release;
    run_layer(steps, layer, weights.data(), std::move(runs), pool_of(num_threads, parallel_for, num_cells, hidden), true);
}

template <class T> void bind_passes(nb::module_ &module) {
    module.def("lstm_forward", &lstm_forward<T>, nb::arg("gates").noconvert(), nb::arg("weights").noconvert(),
               nb::arg("h").noconvert().none(), nb::arg("c").noconvert().none(), nb::arg("starts").noconvert(),
               nb::arg("rows").noconvert(), nb::arg("at").noconvert().none(), nb::arg("output").noconvert(),
               nb::arg("cells").noconvert(), nb::arg("keeps_gates"), nb::arg("build"), nb::arg("num_threads"),
               nb::arg("parallel_for"), "Runs an LSTM over runs of cells; see drystone.torch_ops.fused_call.");
    module.def("lstm_backward", &lstm_backward<T>, nb::arg("gates").noconvert(), nb::arg("weights").noconvert(),
               nb::arg("c").noconvert().none(), nb::arg("starts").noconvert(), nb::arg("rows").noconvert(),
               nb::arg("at").noconvert().none(), nb::arg("cells").noconvert(),
               nb::arg("output_gradient").noconvert().none(), nb::arg("cells_gradient").noconvert().none(),
               nb::arg("c_gradient").noconvert().none(), nb::arg("num_places"), nb::arg("build"),
               nb::arg("num_threads"), nb::arg("parallel_for"),
               "Turns gates into their gradients; see drystone.torch_ops.fused_call.");
}

}  // namespace

void bind_lstm(nb::module_ &module) {
    module.def("lstm_builds", &build_names, "Returns the builds of the recurrence that this processor runs.");
    bind_passes<float>(module);
    bind_passes<double>(module);
}

}  // namespace drystone
