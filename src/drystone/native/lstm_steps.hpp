// What one thread does of an LSTM layer: its lanes, from step to step. Plain buffers only; the same source is compiled
// once for each kind of processor (lstm_plain.cpp, lstm_avx2.cpp, lstm_avx512.cpp), and lstm.cpp chooses at run time.

#pragma once

#include <cstdint>

namespace drystone {

// Consecutive cells of one sequence, as long as its state is not zeroed; cells are numbered as the gates are stored.
struct Run {
    std::int64_t first;
    std::int64_t length;
    std::int64_t row;  // whose state it starts from, or −1 for zeros
};

// Runs that follow one another in one place of the tiles.
struct Lane {
    const Run *runs;  // in the order in which they run
    std::int64_t num_runs;
    std::int64_t num_steps;  // of all its runs
};

// Rows of `hidden` numbers, one after the other, but for gates: rows of 4 × hidden in the order i, f, g, o.
template <class T> struct Layer {
    std::int64_t hidden;
    const T *weights;        // packed
    const T *zeros;          // [4 × hidden]
    const std::int64_t *at;  // [cells], where a cell's output is stored; null where that is its own number
    const T *h, *c;          // [rows], the states that rows start from; null for zeros
    T *gates;                // [cells]; forward: sums of the inputs, then gates; backward: gates, then their gradients
    T *output;               // forward: h, as placed by `at`
    T *cells;                // [cells], c after each
    bool keeps_gates;        // forward: whether a backward pass will want them
    const T *output_gradient, *cells_gradient;  // backward; either may be null
    T *c_gradient;                              // backward: [rows], of c that rows start from, or null
};

// What the threads do, for one kind of processor and one type of numbers.
template <class T> struct Steps {
    // The numbers that packed weights take; and packs [4 × hidden, hidden] tile by tile, from `first` up to `last`.
    std::int64_t (*packed_size)(std::int64_t hidden);
    std::int64_t (*num_tiles)(std::int64_t hidden, bool backward);
    void (*pack)(const T *weights, std::int64_t hidden, bool backward, std::int64_t first, std::int64_t last, T *packed);
    // Runs lanes, the one with the most steps first. `scratch` holds scratch_size(...) bytes.
    std::int64_t (*scratch_size)(std::int64_t hidden, std::int64_t num_lanes);
    void (*forward)(const Layer<T> &layer, const Lane *lanes, std::int64_t num_lanes, void *scratch);
    void (*backward)(const Layer<T> &layer, const Lane *lanes, std::int64_t num_lanes, void *scratch);
};

struct BothSteps {
    Steps<float> f32;
    Steps<double> f64;
};

extern const BothSteps plain_steps;
#if defined(__x86_64__)
extern const BothSteps avx2_steps, avx512_steps;
#endif

}  // namespace drystone
