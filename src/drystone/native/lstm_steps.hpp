// What one thread does of an LSTM layer: its lanes, from step to step. Plain buffers only; the same source is compiled
// once for each kind of processor (lstm_plain.cpp, lstm_avx2.cpp, lstm_avx512.cpp), and lstm_builds.cpp chooses at run time.

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

// Rows of `hidden` numbers, one after the other, but for gates (rows of 4 × hidden in the order i, f, g, o) and inputs.
template <class T> struct Layer {
    std::int64_t hidden, features;
    const T *input_weights, *hidden_weights;  // packed, or as they are: [4 × hidden, depth]
    bool are_packed;
    const T *bias;                            // [biases, 4 × hidden]
    const T *zeros;                           // [4 × hidden]
    const std::int64_t *at;  // [cells], where a cell's input and output are; null where that is its own number
    const std::int64_t *bias_of;  // forward: which bias a cell has, as placed by `at`; null where all have the first
    const T *x;              // forward: inputs, as placed by `at`
    const T *h, *c;          // [rows], the states that rows start from; null for zeros
    T *gates;                // [cells], with their gradients after the backward pass; null where nobody will ask for gates
    T *output;               // forward: h, as placed by `at`
    T *h_before;             // forward: [cells], the h that each starts from; null where nobody will ask
    T *cells;                // [cells], c after each
    const T *output_gradient, *cells_gradient;  // backward; either may be null
    T *c_gradient;                              // backward: [rows], of c that rows start from, or null
};

// What the threads do, for one kind of processor and one type of numbers.
template <class T> struct Steps {
    // The numbers that packed weights [4 × hidden, depth] take; and packs them, tile by tile, from `first` up to `last`:
    // by gates for products with rows of `depth` (forward), by units for rows of 4 × hidden (backward).
    std::int64_t (*packed_size)(std::int64_t hidden, std::int64_t depth);
    std::int64_t (*num_tiles)(std::int64_t hidden, bool by_gates);
    void (*pack_by_gates)(const T *weights, std::int64_t hidden, std::int64_t depth, std::int64_t first,
                          std::int64_t last, T *packed);
    void (*pack_by_units)(const T *weights, std::int64_t hidden, std::int64_t first, std::int64_t last, T *packed);
    // Runs lanes, the one with the most steps first. `scratch` holds scratch_size(...) bytes.
    std::int64_t (*scratch_size)(std::int64_t hidden, const Lane *lanes, std::int64_t num_lanes);
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
