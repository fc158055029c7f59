// The recurrence of an LSTM (Hochreiter and Schmidhuber, 1997; with forget gates, Gers et al., 2000), forward
//
//     i, f, g, o = σ, σ, tanh, σ (x W_x + b + h W)      c' = f c + i g      h' = o tanh(c')
//
// and backward. The input's part of the sums comes in, as one large matrix product made it; ours is h W and the rest.
//
// What speed forced:
// - A tile is `Rows` lanes × 4 vectors of units (the 4 gates of one vector of units forward, 4 vectors backward): as many
//   accumulators as registers hold, so that each weight that is loaded is used by several lanes.
// - Weights are packed tile after tile, in the order in which they are used: one stream of memory.
// - All lanes pass a tile of weights before the next one comes, so it is taken from the nearest cache.
// - What follows the sums (gates, cell, hidden state) is done on registers, while the tile is still there.

#pragma once

#include "lstm_steps.hpp"
#include "simd.hpp"

namespace drystone {
namespace {

constexpr int num_gates = 4;
constexpr int tile_columns = 4;  // vectors of a tile

template <class S, int MaxRows> struct LstmSteps {
    using T = typename S::Number;
    using V = typename S::V;
    static constexpr int lanes = S::size;

    // Where one lane stands: the rows of numbers that its cell reads and writes.
    struct Place {
        const T *factors;   // of the weights: h before (forward), gradients of the gates after (backward)
        T *gates;           // of this cell
        const T *c_before;
        T *c;
        T *h;                                 // forward
        const T *h_gradient, *c_gradient;     // backward: what comes from outside, or zeros
        T *carried;                           // backward: the gradient of c that goes from cell to cell
        bool is_fresh;                        // whether the factors are zeros
    };

    // --- weights: tiles of [depth][columns][lanes], zeros beyond the last unit

    static std::int64_t up(std::int64_t value, std::int64_t step) { return (value + step - 1) / step; }
    static std::int64_t num_tiles(std::int64_t hidden, bool backward) {
        return up(hidden, backward ? tile_columns * lanes : lanes);
    }
    static std::int64_t packed_size(std::int64_t hidden) {
        return up(hidden, lanes) * lanes * num_gates * hidden;
    }

    static void pack(const T *weights, std::int64_t hidden, bool backward, std::int64_t first, std::int64_t last,
                     T *packed) {
        for (std::int64_t tile = first; tile < last; ++tile)
            if (backward)
                pack_backward(weights, hidden, tile, packed);
            else
                pack_forward(weights, hidden, tile, packed);
    }

    static void pack_forward(const T *weights, std::int64_t hidden, std::int64_t tile, T *packed) {
        packed += tile * lanes * num_gates * hidden;
        constexpr std::int64_t block = 16;  // columns at a time: what is written stays in the cache until it is whole
        for (std::int64_t from = 0; from < hidden; from += block)
            for (std::int64_t gate = 0; gate < num_gates; ++gate)
                for (std::int64_t lane = 0; lane < lanes; ++lane) {
                    const std::int64_t unit = tile * lanes + lane;
                    const T *row = weights + (gate * hidden + unit) * hidden;
                    for (std::int64_t k = from; k < hidden && k < from + block; ++k)
                        packed[(k * num_gates + gate) * lanes + lane] = unit < hidden ? row[k] : T(0);
                }
    }

    static void pack_backward(const T *weights, std::int64_t hidden, std::int64_t tile, T *packed) {
        const std::int64_t unit = tile * tile_columns * lanes;
        const std::int64_t width = columns_from(hidden, unit) * lanes;
        packed += unit * num_gates * hidden;
        for (std::int64_t k = 0; k < num_gates * hidden; ++k)
            for (std::int64_t i = 0; i < width; ++i)
                packed[k * width + i] = unit + i < hidden ? weights[k * hidden + unit + i] : T(0);
    }

    static std::int64_t columns_from(std::int64_t hidden, std::int64_t unit) {
        const std::int64_t columns = up(hidden - unit, lanes);
        return columns < tile_columns ? columns : tile_columns;
    }

    // --- the product: sums[row][column] = Σ factors[row][k] × weights[k][column], over k

    template <int Rows, int Columns>
    static void multiply(const T *weights, std::int64_t depth, const Place *places, V *results) {
        V sums[Rows][Columns];
        const T *factors[Rows];
        each<Rows>([&](auto row) __attribute__((always_inline)) {
            factors[row] = places[row].factors;
            each<Columns>([&](auto column) __attribute__((always_inline)) { sums[row][column] = V{}; });
        });
        for (std::int64_t k = 0; k < depth; ++k, weights += Columns * lanes) {
            V factor[Rows];
            each<Rows>([&](auto row) __attribute__((always_inline)) { factor[row] = S::all(factors[row][k]); });
            each<Columns>([&](auto column) __attribute__((always_inline)) {
                const V weight = S::load(weights + column * lanes);
                each<Rows>([&](auto row) __attribute__((always_inline)) { sums[row][column] += factor[row] * weight; });
            });
        }
        each<Rows>([&](auto row) __attribute__((always_inline)) {
            each<Columns>([&](auto column) __attribute__((always_inline)) {
                results[row * Columns + column] = sums[row][column];
            });
        });
    }

    template <int Rows = MaxRows, int Columns = tile_columns>
    static void multiply(std::int64_t rows, std::int64_t columns, const T *weights, std::int64_t depth,
                         const Place *places, V *results) {
        if constexpr (Rows > 1)
            if (rows < Rows)
                return multiply<Rows - 1, Columns>(rows, columns, weights, depth, places, results);
        if constexpr (Columns > 1)
            if (columns < Columns)
                return multiply<Rows, Columns - 1>(rows, columns, weights, depth, places, results);
        multiply<Rows, Columns>(weights, depth, places, results);
    }

    // --- forward: what follows the sums h W of one vector of units, in two parts: tanh(c) has to wait for c, and
    // waits for those of all lanes together

    struct Gates {
        V i, f, g, o;
    };

    static void finish_cell(const Layer<T> &layer, const Place &place, std::int64_t unit, Gates &sums) {
        const std::int64_t hidden = layer.hidden, count = hidden - unit;
        T *gates = place.gates + unit;
        const V i = S::sigmoid(sums.i + S::load(gates, count));
        const V f = S::sigmoid(sums.f + S::load(gates + hidden, count));
        const V g = S::tanh(sums.g + S::load(gates + 2 * hidden, count));
        const V o = S::sigmoid(sums.o + S::load(gates + 3 * hidden, count));
        S::store(place.c + unit, f * S::load(place.c_before + unit, count) + i * g, count);
        sums.o = o;
        if (!layer.keeps_gates)
            return;
        S::store(gates, i, count);
        S::store(gates + hidden, f, count);
        S::store(gates + 2 * hidden, g, count);
        S::store(gates + 3 * hidden, o, count);
    }

    static void finish_state(const Place &place, std::int64_t unit, std::int64_t count, V o) {
        S::store(place.h + unit, o * S::tanh(S::load(place.c + unit, count)), count);
    }

    // --- backward: what follows the sums dG W of one vector of units

    static void finish_backward(const Layer<T> &layer, const Place &place, std::int64_t unit, V sum) {
        const std::int64_t hidden = layer.hidden, count = hidden - unit;
        T *gates = place.gates + unit;
        const V i = S::load(gates, count), f = S::load(gates + hidden, count);
        const V g = S::load(gates + 2 * hidden, count), o = S::load(gates + 3 * hidden, count);
        const V squashed = S::tanh(S::load(place.c + unit, count));
        const V dh = sum + S::load(place.h_gradient + unit, count);
        const V dc = S::load(place.carried + unit, count) + S::load(place.c_gradient + unit, count) +
                     dh * o * (T(1) - squashed * squashed);
        S::store(gates, dc * g * i * (T(1) - i), count);
        S::store(gates + hidden, dc * S::load(place.c_before + unit, count) * f * (T(1) - f), count);
        S::store(gates + 2 * hidden, dc * i * (T(1) - g * g), count);
        S::store(gates + 3 * hidden, dh * squashed * o * (T(1) - o), count);
        S::store(place.carried + unit, dc * f, count);
    }

    // --- a step of all lanes that are still (or again) there, in groups of nearly equal size

    static bool are_fresh(const Place *places, std::int64_t rows) {
        for (std::int64_t row = 0; row < rows; ++row)
            if (!places[row].is_fresh)
                return false;
        return true;
    }

    // The numbers of a group that a tile will meet once its product is done; asked for before, they are there by then.
    static void fetch(const Layer<T> &layer, const Place &place, std::int64_t unit, std::int64_t width) {
        for (std::int64_t at = unit; at < unit + width; at += 64 / sizeof(T))
            for (std::int64_t gate = 0; gate < num_gates; ++gate)
                __builtin_prefetch(place.gates + gate * layer.hidden + at);
    }

    static void forward_group(const Layer<T> &layer, const Place *places, std::int64_t rows, std::int64_t tile) {
        const std::int64_t unit = tile * lanes;
        Gates sums[MaxRows];
        for (std::int64_t row = 0; row < rows; ++row)
            fetch(layer, places[row], unit, lanes);
        multiply(rows, num_gates, layer.weights + unit * num_gates * layer.hidden,
                 are_fresh(places, rows) ? 0 : layer.hidden, places, &sums[0].i);
        for (std::int64_t row = 0; row < rows; ++row)
            finish_cell(layer, places[row], unit, sums[row]);
        for (std::int64_t row = 0; row < rows; ++row)
            finish_state(places[row], unit, layer.hidden - unit, sums[row].o);
    }

    static void backward_group(const Layer<T> &layer, const Place *places, std::int64_t rows, std::int64_t tile) {
        const std::int64_t unit = tile * tile_columns * lanes, columns = columns_from(layer.hidden, unit);
        V sums[MaxRows * tile_columns];
        for (std::int64_t row = 0; row < rows; ++row)
            fetch(layer, places[row], unit, columns * lanes);
        multiply(rows, columns, layer.weights + unit * num_gates * layer.hidden,
                 are_fresh(places, rows) ? 0 : num_gates * layer.hidden, places, sums);
        for (std::int64_t row = 0; row < rows; ++row)
            for (std::int64_t column = 0; column < columns; ++column)
                finish_backward(layer, places[row], unit + column * lanes, sums[row * columns + column]);
    }

    template <class Group>
    static void pass_all(const Layer<T> &layer, const Place *places, std::int64_t num_places, std::int64_t tiles,
                         Group group) {
        const std::int64_t groups = up(num_places, MaxRows);
        for (std::int64_t tile = 0; tile < tiles; ++tile)
            for (std::int64_t number = 0; number < groups; ++number) {
                const std::int64_t first = num_places * number / groups, last = num_places * (number + 1) / groups;
                group(layer, places + first, last - first, tile);
            }
    }

    // --- the lanes, from step to step

    // The cell of a lane at which the step has arrived, and its run.
    struct Cursor {
        std::int64_t run, step;
    };

    static std::int64_t scratch_size(std::int64_t hidden, std::int64_t num_lanes) {
        return num_lanes * (sizeof(Cursor) + sizeof(Place) + hidden * sizeof(T));
    }

    static T *row_of(T *rows, std::int64_t row, std::int64_t width) { return rows + row * width; }
    static const T *row_or_zeros(const Layer<T> &layer, const T *rows, std::int64_t row) {
        return rows == nullptr || row < 0 ? layer.zeros : rows + row * layer.hidden;
    }
    static std::int64_t output_at(const Layer<T> &layer, std::int64_t cell) {
        return (layer.at == nullptr ? cell : layer.at[cell]) * layer.hidden;
    }

    static Place place_of(const Layer<T> &layer, const Run &run, std::int64_t step) {
        const std::int64_t hidden = layer.hidden, cell = run.first + step;
        Place place{};
        place.gates = layer.gates + cell * num_gates * hidden;
        place.c = layer.cells + cell * hidden;
        place.c_before = step == 0 ? row_or_zeros(layer, layer.c, run.row) : place.c - hidden;
        return place;
    }

    static void forward(const Layer<T> &layer, const Lane *all_lanes, std::int64_t num_lanes, void *scratch) {
        Place *places = static_cast<Place *>(scratch);
        Cursor *cursors = reinterpret_cast<Cursor *>(places + num_lanes);
        for (std::int64_t lane = 0; lane < num_lanes; ++lane)
            cursors[lane] = {0, 0};
        for (std::int64_t step = 0, active = num_lanes; num_lanes > 0 && step < all_lanes[0].num_steps; ++step) {
            while (all_lanes[active - 1].num_steps <= step)
                --active;
            for (std::int64_t lane = 0; lane < active; ++lane) {
                Cursor &cursor = cursors[lane];
                const Run &run = all_lanes[lane].runs[cursor.run];
                Place &place = places[lane] = place_of(layer, run, cursor.step);
                place.h = layer.output + output_at(layer, run.first + cursor.step);
                place.factors = cursor.step == 0 ? row_or_zeros(layer, layer.h, run.row)
                                                 : layer.output + output_at(layer, run.first + cursor.step - 1);
                place.is_fresh = place.factors == layer.zeros;
                if (++cursor.step == run.length)
                    cursor = {cursor.run + 1, 0};
            }
            pass_all(layer, places, active, num_tiles(layer.hidden, false), forward_group);
        }
    }

    static void backward(const Layer<T> &layer, const Lane *all_lanes, std::int64_t num_lanes, void *scratch) {
        const std::int64_t hidden = layer.hidden;
        Place *places = static_cast<Place *>(scratch);
        Cursor *cursors = reinterpret_cast<Cursor *>(places + num_lanes);
        T *carried = reinterpret_cast<T *>(cursors + num_lanes);
        for (std::int64_t lane = 0; lane < num_lanes; ++lane)
            cursors[lane] = {all_lanes[lane].num_runs, 0};
        std::int64_t active = 0;
        for (std::int64_t step = num_lanes > 0 ? all_lanes[0].num_steps - 1 : -1; step >= 0; --step) {
            while (active < num_lanes && all_lanes[active].num_steps > step)
                ++active;
            for (std::int64_t lane = 0; lane < active; ++lane) {
                Cursor &cursor = cursors[lane];
                const bool is_last = cursor.step == 0;
                if (is_last)
                    cursor = {cursor.run - 1, all_lanes[lane].runs[cursor.run - 1].length};
                const Run &run = all_lanes[lane].runs[cursor.run];
                --cursor.step;
                Place &place = places[lane] = place_of(layer, run, cursor.step);
                const std::int64_t at = output_at(layer, run.first + cursor.step);
                place.h_gradient = layer.output_gradient == nullptr ? layer.zeros : layer.output_gradient + at;
                place.c_gradient = layer.cells_gradient == nullptr
                                       ? layer.zeros
                                       : layer.cells_gradient + (run.first + cursor.step) * hidden;
                place.factors = is_last ? layer.zeros : place.gates + num_gates * hidden;
                place.is_fresh = is_last;
                place.carried = carried + lane * hidden;
                if (is_last)
                    for (std::int64_t unit = 0; unit < hidden; ++unit)
                        place.carried[unit] = T(0);
            }
            pass_all(layer, places, active, num_tiles(hidden, true), backward_group);
            for (std::int64_t lane = 0; layer.c_gradient != nullptr && lane < active; ++lane) {
                const Run &run = all_lanes[lane].runs[cursors[lane].run];
                if (cursors[lane].step == 0 && run.row >= 0)
                    for (std::int64_t unit = 0; unit < hidden; ++unit)
                        layer.c_gradient[run.row * hidden + unit] = carried[lane * hidden + unit];
            }
        }
    }

    static constexpr Steps<T> steps{packed_size, num_tiles, pack, scratch_size, forward, backward};
};

}  // namespace
}  // namespace drystone
