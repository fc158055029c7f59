// The recurrence of an LSTM (Hochreiter and Schmidhuber, 1997; with forget gates, Gers et al., 2000), forward
//
//     i, f, g, o = σ, σ, tanh, σ (x W_x + b + h W_h)      c' = f c + i g      h' = o tanh(c')
//
// and backward.
//
// What speed forced, beside tiles (tiles.hpp):
// - x W_x is worked out for a few steps ahead: for as many cells as make it a good product, and as few as the cache holds.
// - What follows the sums (gates, cell, hidden state) is done while they are still in the nearest cache.
// - h goes to a second place, the h that the next cell starts from: the weights' gradients need these side by side.

#pragma once

#include "lstm_steps.hpp"
#include "simd.hpp"
#include "tiles.hpp"

namespace drystone {
namespace {

template <class S, int MaxRows> struct LstmSteps : Tiles<S, MaxRows> {
    using Base = Tiles<S, MaxRows>;
    using typename Base::T;
    using typename Base::V;
    using Base::columns_from;
    using Base::lanes;
    using Base::multiply;
    using Base::multiply_unpacked;
    using Base::num_tiles;
    using Base::pass_all;
    using Base::up;

    // Where one lane stands: the rows of numbers that its cell reads and writes.
    struct Place {
        const T *x, *bias;                 // forward
        const T *factors;                  // of the hidden weights: h before (forward), gradients of the gates after (backward)
        T *gates;                          // of this cell
        const T *c_before;
        T *c;
        T *h, *h_before_next;              // forward; the second may be null
        const T *h_gradient, *c_gradient;  // backward: what comes from outside, or zeros
        T *carried;                        // backward: the gradient of c that goes from cell to cell
        bool is_fresh;                     // whether the factors are zeros
    };

    struct Gates {
        V i, f, g, o;
    };

    // The sums of one vector of units: rows of `depth` factors × weights of the 4 gates.
    static void multiply_gates(const Layer<T> &layer, std::int64_t rows, const T *weights, std::int64_t unit,
                               std::int64_t depth, const T *const *factors, V *sums) {
        if (layer.are_packed || depth == 0)
            multiply(rows, num_gates, depth == 0 ? weights : weights + unit * num_gates * depth, depth, factors, sums);
        else
            multiply_unpacked(rows, weights, layer.hidden, unit, depth, factors, sums);
    }

    // --- forward: the inputs' part of the sums, x W_x + b

    static void project_group(const Layer<T> &layer, const Place *places, std::int64_t rows, std::int64_t tile) {
        const std::int64_t hidden = layer.hidden, unit = tile * lanes, count = hidden - unit;
        const T *factors[MaxRows]{};
        for (std::int64_t row = 0; row < rows; ++row)
            factors[row] = places[row].x;
        V sums[MaxRows * num_gates];
        multiply_gates(layer, rows, layer.input_weights, unit, layer.features, factors, sums);
        for (std::int64_t row = 0; row < rows; ++row)
            for (std::int64_t gate = 0; gate < num_gates; ++gate) {
                const std::int64_t at = gate * hidden + unit;
                S::store(places[row].gates + at, sums[row * num_gates + gate] + S::load(places[row].bias + at, count), count);
            }
    }

    // --- forward: what follows the sums h W_h of one vector of units, in two parts: tanh(c) has to wait for c, and
    // waits for those of all lanes together

    static void finish_cell(const Layer<T> &layer, const Place &place, std::int64_t unit, Gates &sums) {
        const std::int64_t hidden = layer.hidden, count = hidden - unit;
        T *gates = place.gates + unit;
        const V i = S::sigmoid(sums.i + S::load(gates, count));
        const V f = S::sigmoid(sums.f + S::load(gates + hidden, count));
        const V g = S::tanh(sums.g + S::load(gates + 2 * hidden, count));
        const V o = S::sigmoid(sums.o + S::load(gates + 3 * hidden, count));
        S::store(place.c + unit, f * S::load(place.c_before + unit, count) + i * g, count);
        sums.o = o;
        if (layer.gates == nullptr)
            return;
        S::store(gates, i, count);
        S::store(gates + hidden, f, count);
        S::store(gates + 2 * hidden, g, count);
        S::store(gates + 3 * hidden, o, count);
    }

    static void finish_state(const Place &place, std::int64_t unit, std::int64_t count, V o) {
        const V h = o * S::tanh(S::load(place.c + unit, count));
        S::store(place.h + unit, h, count);
        if (place.h_before_next != nullptr)
            S::store(place.h_before_next + unit, h, count);
    }

    // --- backward: what follows the sums dG W_h of one vector of units

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

    // --- one tile of a group of lanes

    // The depth of a group's product: 0 where all factors are zeros.
    static std::int64_t take_factors(const Place *places, std::int64_t rows, std::int64_t depth, const T **factors) {
        bool are_fresh = true;
        for (std::int64_t row = 0; row < rows; ++row) {
            factors[row] = places[row].factors;
            are_fresh = are_fresh && places[row].is_fresh;
        }
        return are_fresh ? 0 : depth;
    }

    // The numbers that a tile will meet once its product is done; asked for before, they are there by then.
    static void fetch(const Layer<T> &layer, const Place &place, std::int64_t unit, std::int64_t width) {
        for (std::int64_t at = unit; at < unit + width; at += 64 / sizeof(T))
            for (std::int64_t gate = 0; gate < num_gates; ++gate)
                __builtin_prefetch(place.gates + gate * layer.hidden + at);
    }

    static void forward_group(const Layer<T> &layer, const Place *places, std::int64_t rows, std::int64_t tile) {
        const std::int64_t unit = tile * lanes;
        const T *factors[MaxRows]{};
        const std::int64_t depth = take_factors(places, rows, layer.hidden, factors);
        Gates sums[MaxRows];
        for (std::int64_t row = 0; row < rows; ++row)
            fetch(layer, places[row], unit, lanes);
        multiply_gates(layer, rows, layer.hidden_weights, unit, depth, factors, &sums[0].i);
        for (std::int64_t row = 0; row < rows; ++row)
            finish_cell(layer, places[row], unit, sums[row]);
        for (std::int64_t row = 0; row < rows; ++row)
            finish_state(places[row], unit, layer.hidden - unit, sums[row].o);
    }

    static void backward_group(const Layer<T> &layer, const Place *places, std::int64_t rows, std::int64_t tile) {
        const std::int64_t unit = tile * tile_columns * lanes, columns = columns_from(layer.hidden, unit);
        const T *factors[MaxRows]{};
        const std::int64_t depth = take_factors(places, rows, num_gates * layer.hidden, factors);
        V sums[MaxRows * tile_columns];
        for (std::int64_t row = 0; row < rows; ++row)
            fetch(layer, places[row], unit, columns * lanes);
        const T *weights = depth == 0 ? nullptr : layer.hidden_weights + unit * num_gates * layer.hidden;
        multiply(rows, columns, weights, depth, factors, sums);
        for (std::int64_t row = 0; row < rows; ++row)
            for (std::int64_t column = 0; column < columns; ++column)
                finish_backward(layer, places[row], unit + column * lanes, sums[row * columns + column]);
    }

    // --- the lanes, from step to step

    // The cell of a lane at which the step has arrived, and its run.
    struct Cursor {
        std::int64_t run, step;
    };

    // Lanes pass in blocks, and a block's inputs are projected for a few steps ahead: for as many cells as make good use
    // of each weight, and while their gates fit the cache.
    static constexpr std::int64_t enough_cells = 48, enough_lanes = 128, cache = 1 << 17;

    static std::int64_t cells_that_fit(std::int64_t hidden, std::int64_t at_least) {
        const std::int64_t fitting = cache / (num_gates * hidden * static_cast<std::int64_t>(sizeof(T)));
        return fitting > at_least ? fitting : at_least;
    }
    static std::int64_t lanes_at_once(std::int64_t hidden, std::int64_t num_lanes) {
        return up(num_lanes, up(num_lanes, cells_that_fit(hidden, enough_lanes)));
    }
    static std::int64_t steps_ahead(std::int64_t hidden, std::int64_t num_lanes, std::int64_t num_steps) {
        const std::int64_t wanted = up(cells_that_fit(hidden, enough_cells), num_lanes);
        return wanted < num_steps ? wanted : num_steps;
    }

    // Forward: places and gates of the steps ahead, a cursor a lane. Backward: all of these a lane, and what is carried.
    static std::int64_t scratch_size(std::int64_t hidden, const Lane *all_lanes, std::int64_t num_lanes) {
        if (num_lanes == 0)
            return 0;
        const std::int64_t at_once = lanes_at_once(hidden, num_lanes);
        const std::int64_t cells = at_once * steps_ahead(hidden, at_once, all_lanes[0].num_steps);
        const std::int64_t places = cells > num_lanes ? cells : num_lanes;
        return num_lanes * sizeof(Cursor) + places * (sizeof(Place) + num_gates * hidden * sizeof(T));
    }

    static const T *row_or_zeros(const Layer<T> &layer, const T *rows, std::int64_t row) {
        return rows == nullptr || row < 0 ? layer.zeros : rows + row * layer.hidden;
    }
    static std::int64_t grid_at(const Layer<T> &layer, std::int64_t cell) {
        return layer.at == nullptr ? cell : layer.at[cell];
    }

    static Place place_of(const Layer<T> &layer, const Run &run, std::int64_t step) {
        const std::int64_t hidden = layer.hidden, cell = run.first + step;
        Place place{};
        if (layer.gates != nullptr)
            place.gates = layer.gates + cell * num_gates * hidden;
        place.c = layer.cells + cell * hidden;
        place.c_before = step == 0 ? row_or_zeros(layer, layer.c, run.row) : place.c - hidden;
        return place;
    }

    static Place forward_place(const Layer<T> &layer, const Run &run, std::int64_t step) {
        const std::int64_t hidden = layer.hidden, cell = run.first + step, at = grid_at(layer, cell);
        Place place = place_of(layer, run, step);
        place.x = layer.x + at * layer.features;
        place.bias = layer.bias + (layer.bias_of == nullptr ? 0 : layer.bias_of[at] * num_gates * hidden);
        place.h = layer.output + at * hidden;
        place.factors = step == 0 ? row_or_zeros(layer, layer.h, run.row) : layer.output + grid_at(layer, cell - 1) * hidden;
        place.is_fresh = place.factors == layer.zeros;
        if (layer.h_before != nullptr) {
            place.h_before_next = step + 1 < run.length ? layer.h_before + (cell + 1) * hidden : nullptr;
            if (step == 0)
                for (std::int64_t unit = 0; unit < hidden; ++unit)
                    layer.h_before[cell * hidden + unit] = place.factors[unit];
        }
        return place;
    }

    static void forward(const Layer<T> &layer, const Lane *all_lanes, std::int64_t num_lanes, void *scratch) {
        if (num_lanes == 0)
            return;
        const std::int64_t at_once = lanes_at_once(layer.hidden, num_lanes);
        const std::int64_t ahead = steps_ahead(layer.hidden, at_once, all_lanes[0].num_steps);
        for (std::int64_t first = 0; first < num_lanes; first += at_once)
            forward_block(layer, all_lanes + first, at_once < num_lanes - first ? at_once : num_lanes - first, ahead, scratch);
    }

    static void forward_block(const Layer<T> &layer, const Lane *block, std::int64_t num_lanes, std::int64_t ahead,
                              void *scratch) {
        const std::int64_t num_steps = block[0].num_steps, tiles = num_tiles(layer.hidden, true);
        Place *places = static_cast<Place *>(scratch);
        Cursor *cursors = reinterpret_cast<Cursor *>(places + num_lanes * ahead);
        T *gates = reinterpret_cast<T *>(cursors + num_lanes);
        for (std::int64_t lane = 0; lane < num_lanes; ++lane)
            cursors[lane] = {0, 0};
        for (std::int64_t step = 0; step < num_steps;) {
            const std::int64_t last = step + ahead < num_steps ? step + ahead : num_steps;
            std::int64_t count = 0;
            for (std::int64_t at = step; at < last; ++at)
                for (std::int64_t lane = 0; lane < num_lanes && block[lane].num_steps > at; ++lane, ++count) {
                    Cursor &cursor = cursors[lane];
                    const Run &run = block[lane].runs[cursor.run];
                    places[count] = forward_place(layer, run, cursor.step);
                    if (layer.gates == nullptr)
                        places[count].gates = gates + count * num_gates * layer.hidden;
                    if (++cursor.step == run.length)
                        cursor = {cursor.run + 1, 0};
                }
            pass_all(count, tiles, [&](std::int64_t first, std::int64_t rows, std::int64_t tile) {
                project_group(layer, places + first, rows, tile);
            });
            for (const Place *now = places; step < last; ++step) {
                std::int64_t active = 0;
                while (active < num_lanes && block[active].num_steps > step)
                    ++active;
                pass_all(active, tiles, [&](std::int64_t first, std::int64_t rows, std::int64_t tile) {
                    forward_group(layer, now + first, rows, tile);
                });
                now += active;
            }
        }
    }

    static Place backward_place(const Layer<T> &layer, const Run &run, std::int64_t step, T *carried) {
        const std::int64_t hidden = layer.hidden, cell = run.first + step;
        Place place = place_of(layer, run, step);
        place.h_gradient =
            layer.output_gradient == nullptr ? layer.zeros : layer.output_gradient + grid_at(layer, cell) * hidden;
        place.c_gradient = layer.cells_gradient == nullptr ? layer.zeros : layer.cells_gradient + cell * hidden;
        place.is_fresh = step + 1 == run.length;
        place.factors = place.is_fresh ? layer.zeros : place.gates + num_gates * hidden;
        place.carried = carried;
        if (place.is_fresh)
            for (std::int64_t unit = 0; unit < hidden; ++unit)
                carried[unit] = T(0);
        return place;
    }

    static void backward(const Layer<T> &layer, const Lane *all_lanes, std::int64_t num_lanes, void *scratch) {
        const std::int64_t hidden = layer.hidden, tiles = num_tiles(hidden, false);
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
                if (cursor.step == 0)
                    cursor = {cursor.run - 1, all_lanes[lane].runs[cursor.run - 1].length};
                --cursor.step;
                places[lane] = backward_place(layer, all_lanes[lane].runs[cursor.run], cursor.step, carried + lane * hidden);
            }
            pass_all(active, tiles, [&](std::int64_t first, std::int64_t rows, std::int64_t tile) {
                backward_group(layer, places + first, rows, tile);
            });
            for (std::int64_t lane = 0; layer.c_gradient != nullptr && lane < active; ++lane) {
                const Run &run = all_lanes[lane].runs[cursors[lane].run];
                if (cursors[lane].step == 0 && run.row >= 0)
                    for (std::int64_t unit = 0; unit < hidden; ++unit)
                        layer.c_gradient[run.row * hidden + unit] = carried[lane * hidden + unit];
            }
        }
    }

    static constexpr Steps<T> steps{Base::packed_size,   num_tiles,    Base::pack_by_gates,
                                    Base::pack_by_units, scratch_size, forward,
                                    backward};
};

}  // namespace
}  // namespace drystone
