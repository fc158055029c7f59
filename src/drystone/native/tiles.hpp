// Products of rows of numbers with packed weights, a tile of registers at a time.
//
// What speed forced:
// - A tile is up to `MaxRows` rows × 4 vectors of columns: as many accumulators as registers hold, so that each weight
//   that is loaded is used by several rows.
// - Weights are packed tile after tile, in the order in which they are used: one stream of memory.

#pragma once

#include <cstdint>

#include "simd.hpp"

namespace drystone {
namespace {

constexpr int num_gates = 4;
constexpr int tile_columns = 4;  // vectors of a tile

template <class S, int MaxRows> struct Tiles {
    using T = typename S::Number;
    using V = typename S::V;
    static constexpr int lanes = S::size;

    // --- weights: tiles of [depth][columns][lanes], zeros beyond the last unit; either the 4 gates of one vector of units,
    // or 4 vectors of units

    static std::int64_t up(std::int64_t value, std::int64_t step) { return (value + step - 1) / step; }
    static std::int64_t num_tiles(std::int64_t hidden, bool by_gates) {
        return up(hidden, by_gates ? lanes : tile_columns * lanes);
    }
    // The numbers that [4 × hidden, depth] takes by gates, and [4 × hidden, hidden] by units.
    static std::int64_t packed_size(std::int64_t hidden, std::int64_t depth) {
        return up(hidden, lanes) * lanes * num_gates * depth;
    }

    // Packs the tiles of [4 × hidden, depth] from `first` up to `last`, for products with rows of `depth` numbers.
    static void pack_by_gates(const T *weights, std::int64_t hidden, std::int64_t depth, std::int64_t first,
                              std::int64_t last, T *all_packed) {
        for (std::int64_t tile = first; tile < last; ++tile) {
            T *packed = all_packed + tile * lanes * num_gates * depth;
            for (std::int64_t from = 0; from < depth; from += lanes)
                for (std::int64_t gate = 0; gate < num_gates; ++gate) {
                    V block[lanes];  // a vector a unit, then a vector a column
                    for (std::int64_t lane = 0; lane < lanes; ++lane) {
                        const std::int64_t unit = tile * lanes + lane;
                        block[lane] =
                            unit < hidden ? S::load(weights + (gate * hidden + unit) * depth + from, depth - from) : V{};
                    }
                    S::transpose(block);
                    for (std::int64_t k = from; k < depth && k < from + lanes; ++k)
                        S::store(packed + (k * num_gates + gate) * lanes, block[k - from]);
                }
        }
    }

    // Packs the tiles of [4 × hidden, hidden] from `first` up to `last`, for products with rows of 4 × hidden numbers.
    static void pack_by_units(const T *weights, std::int64_t hidden, std::int64_t first, std::int64_t last, T *all_packed) {
        for (std::int64_t tile = first; tile < last; ++tile) {
            const std::int64_t unit = tile * tile_columns * lanes, width = columns_from(hidden, unit) * lanes;
            T *packed = all_packed + unit * num_gates * hidden;
            for (std::int64_t k = 0; k < num_gates * hidden; ++k)
                for (std::int64_t i = 0; i < width; ++i)
                    packed[k * width + i] = unit + i < hidden ? weights[k * hidden + unit + i] : T(0);
        }
    }

    static std::int64_t columns_from(std::int64_t hidden, std::int64_t unit) {
        const std::int64_t columns = up(hidden - unit, lanes);
        return columns < tile_columns ? columns : tile_columns;
    }

    // --- the product: sums[row][column] = Σ factors[row][k] × weights[k][column], over k

    template <int Rows, int Columns>
    static void multiply(const T *weights, std::int64_t depth, const T *const *all_factors, V *results) {
        V sums[Rows][Columns];
        const T *factors[Rows];
        each<Rows>([&](auto row) __attribute__((always_inline)) {
            factors[row] = all_factors[row];
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
                         const T *const *factors, V *results) {
        if constexpr (Rows > 1)
            if (rows < Rows)
                return multiply<Rows - 1, Columns>(rows, columns, weights, depth, factors, results);
        if constexpr (Columns > 1)
            if (columns < Columns)
                return multiply<Rows, Columns - 1>(rows, columns, weights, depth, factors, results);
        multiply<Rows, Columns>(weights, depth, factors, results);
    }

    // --- the same with weights as they are, for so few rows that packing would take longer: each weight is used once or
    // twice, a vector of one unit's weights at a time

    template <int Rows>
    static void multiply_unpacked(const T *weights, std::int64_t hidden, std::int64_t unit, std::int64_t depth,
                                  const T *const *factors, V *results) {
        V sums[Rows * num_gates][lanes];  // the last index is the unit
        for (std::int64_t lane = 0; lane < lanes; ++lane) {
            V parts[Rows][num_gates]{};
            for (std::int64_t k = 0; k < depth && unit + lane < hidden; k += lanes)
                each<num_gates>([&](auto gate) __attribute__((always_inline)) {
                    const V weight = S::load(weights + (gate * hidden + unit + lane) * depth + k, depth - k);
                    each<Rows>([&](auto row) __attribute__((always_inline)) {
                        parts[row][gate] += S::load(factors[row] + k, depth - k) * weight;
                    });
                });
            each<Rows>([&](auto row) __attribute__((always_inline)) {
                each<num_gates>([&](auto gate) __attribute__((always_inline)) {
                    sums[row * num_gates + gate][lane] = parts[row][gate];
                });
            });
        }
        for (int i = 0; i < Rows * num_gates; ++i)
            results[i] = S::sums_of(sums[i]);
    }

    // Two rows at a time: more would not fit the registers of the plain build.
    static void multiply_unpacked(std::int64_t rows, const T *weights, std::int64_t hidden, std::int64_t unit,
                                  std::int64_t depth, const T *const *factors, V *results) {
        std::int64_t row = 0;
        for (; row + 2 <= rows; row += 2)
            multiply_unpacked<2>(weights, hidden, unit, depth, factors + row, results + row * num_gates);
        if (row < rows)
            multiply_unpacked<1>(weights, hidden, unit, depth, factors + row, results + row * num_gates);
    }

    // Calls act(first row, rows, tile) for every tile of weights and every group of rows, of nearly equal size. All rows pass a
    // tile before the next one comes, so it is taken from the nearest cache.
    template <class Act> static void pass_all(std::int64_t num_rows, std::int64_t num_tiles, Act act) {
        const std::int64_t groups = up(num_rows, MaxRows);
        for (std::int64_t tile = 0; tile < num_tiles; ++tile)
            for (std::int64_t group = 0; group < groups; ++group) {
                const std::int64_t first = num_rows * group / groups, last = num_rows * (group + 1) / groups;
                act(first, last - first, tile);
            }
    }
};

}  // namespace
}  // namespace drystone
