// The plain build of the recurrence against a loop in double precision, over random runs; scripts/emulate_arm runs it.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <random>
#include <vector>

#include "lanes.hpp"
#include "lstm_steps.hpp"

namespace {

using drystone::Lane, drystone::Lanes, drystone::Layer, drystone::Run, drystone::Steps;
using Size = std::int64_t;

constexpr double untouched = 0.5;  // where nothing may be written
std::mt19937_64 generator(0);
int num_passed = 0, num_failed = 0;

Size draw_below(Size limit) { return static_cast<Size>(generator() % limit); }
template <class T> std::vector<T> draw(Size count, double largest) {
    std::vector<T> drawn(count);
    for (T &value : drawn)
        value = static_cast<T>(std::uniform_real_distribution<>(-largest, largest)(generator));
    return drawn;
}

struct Case {
    Size hidden, features;
    bool has_gaps, has_states;
    Size num_threads;
    std::vector<Run> runs{};
    std::vector<Size> at{};
    Size num_places = 0;

    void draw_runs() {
        const Size num_runs = 1 + draw_below(25), longest = 1 + draw_below(60);
        for (Size i = 0; i < num_runs; ++i) {
            runs.push_back({static_cast<Size>(at.size()), 1 + draw_below(longest), -1});
            if (has_states && draw_below(3) > 0)
                runs.back().row = num_runs - 1 - i;
            for (Size step = 0; step < runs.back().length; ++step) {
                num_places += has_gaps ? draw_below(3) : 0;
                at.push_back(num_places++);
            }
        }
    }
};

template <class T> struct Inputs {
    std::vector<T> x, input_weights, bias, hidden_weights, h, c, output_gradient, cells_gradient;

    explicit Inputs(const Case &of)
        : x(of.num_places * of.features, std::numeric_limits<T>::quiet_NaN()),  // what is missing must not be read
          input_weights(draw<T>(4 * of.hidden * of.features, 1)), bias(draw<T>(4 * of.hidden, 1)),
          hidden_weights(draw<T>(4 * of.hidden * of.hidden, 2 / std::sqrt(double(of.hidden)))),
          h(draw<T>(of.runs.size() * of.hidden, 1)), c(draw<T>(of.runs.size() * of.hidden, 2)),
          output_gradient(draw<T>(of.num_places * of.hidden, 1)), cells_gradient(draw<T>(of.at.size() * of.hidden, 1)) {
        for (const Size place : of.at)
            for (Size i = 0; i < of.features; ++i)
                x[place * of.features + i] = draw<T>(1, 2)[0];
    }
};

template <class T> struct Results {
    std::vector<T> output, cells, gates, h_before, c_gradient;

    explicit Results(const Case &of)
        : output(of.num_places * of.hidden, T(untouched)), cells(of.at.size() * of.hidden, T(untouched)),
          gates(of.at.size() * 4 * of.hidden, T(untouched)), h_before(of.at.size() * of.hidden, T(untouched)),
          c_gradient(of.runs.size() * of.hidden, T(untouched)) {}
};

// --- the plain loop

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

template <class T>
double c_before(const Case &of, const Inputs<T> &in, const Results<double> &out, const Run &run, Size step, Size unit) {
    if (step > 0)
        return out.cells[(run.first + step - 1) * of.hidden + unit];
    return run.row < 0 ? 0 : in.c[run.row * of.hidden + unit];
}

template <class T>
void plain_forward(const Case &of, const Inputs<T> &in, Results<double> &out, const Run &run, Size step) {
    const Size hidden = of.hidden, cell = run.first + step;
    double *gates = &out.gates[cell * 4 * hidden], *h = &out.h_before[cell * hidden];
    for (Size unit = 0; unit < hidden; ++unit)
        h[unit] = step > 0      ? out.output[of.at[cell - 1] * hidden + unit]
                  : run.row < 0 ? 0
                                : double(in.h[run.row * hidden + unit]);
    for (Size k = 0; k < 4 * hidden; ++k) {
        double sum = in.bias[k];
        for (Size i = 0; i < of.features; ++i)
            sum += double(in.input_weights[k * of.features + i]) * in.x[of.at[cell] * of.features + i];
        for (Size i = 0; i < hidden; ++i)
            sum += in.hidden_weights[k * hidden + i] * h[i];
        gates[k] = k / hidden == 2 ? std::tanh(sum) : sigmoid(sum);
    }
    for (Size unit = 0; unit < hidden; ++unit) {
        const double i = gates[unit], f = gates[hidden + unit];
        const double g = gates[2 * hidden + unit], o = gates[3 * hidden + unit];
        const double c = f * c_before(of, in, out, run, step, unit) + i * g;
        out.cells[cell * hidden + unit] = c;
        out.output[of.at[cell] * hidden + unit] = o * std::tanh(c);
    }
}

template <class T> void plain_backward(const Case &of, const Inputs<T> &in, Results<double> &out, const Run &run) {
    const Size hidden = of.hidden;
    std::vector<double> carried(hidden);
    for (Size cell = run.first + run.length - 1; cell >= run.first; --cell)
        for (Size unit = 0; unit < hidden; ++unit) {
            double dh = in.output_gradient[of.at[cell] * hidden + unit];
            for (Size k = 0; cell + 1 < run.first + run.length && k < 4 * hidden; ++k)
                dh += out.gates[(cell + 1) * 4 * hidden + k] * in.hidden_weights[k * hidden + unit];
            double *gates = &out.gates[cell * 4 * hidden + unit];
            const double i = gates[0], f = gates[hidden], g = gates[2 * hidden], o = gates[3 * hidden];
            const double squashed = std::tanh(out.cells[cell * hidden + unit]);
            const double dc =
                carried[unit] + in.cells_gradient[cell * hidden + unit] + dh * o * (1 - squashed * squashed);
            gates[0] = dc * g * i * (1 - i);
            gates[hidden] = dc * c_before(of, in, out, run, cell - run.first, unit) * f * (1 - f);
            gates[2 * hidden] = dc * i * (1 - g * g);
            gates[3 * hidden] = dh * squashed * o * (1 - o);
            carried[unit] = dc * f;
        }
    if (run.row >= 0)
        std::copy(carried.begin(), carried.end(), out.c_gradient.begin() + run.row * hidden);
}

// --- the two side by side

template <class T>
void compare(const Case &of, const char *name, const std::vector<T> &found, const std::vector<double> &expected) {
    double largest = 0;
    for (const double value : expected)
        largest = std::max(largest, std::abs(value));
    for (std::size_t i = 0; i < expected.size(); ++i)
        if (!(std::abs(found[i] - expected[i]) <= (sizeof(T) == 8 ? 1e-12 : 1e-5) * largest)) {  // NaN, too
            std::printf("%s, hidden %d, features %d, gaps %d, states %d, threads %d: %s[%zu] is %.17g, not %.17g\n",
                        sizeof(T) == 8 ? "double" : "float", int(of.hidden), int(of.features), of.has_gaps,
                        of.has_states, int(of.num_threads), name, i, double(found[i]), expected[i]);
            ++num_failed;
            return;
        }
    ++num_passed;
}

template <class T> void check(const Case &of, const Steps<T> &steps) {
    const Size hidden = of.hidden, tiles = steps.num_tiles(hidden, true);
    const Inputs<T> in(of);
    const std::vector<T> zeros(4 * hidden);
    std::vector<T> input_weights(steps.packed_size(hidden, of.features));
    std::vector<T> hidden_weights(steps.packed_size(hidden, hidden));
    steps.pack_by_gates(in.input_weights.data(), hidden, of.features, 0, tiles, input_weights.data());
    steps.pack_by_gates(in.hidden_weights.data(), hidden, hidden, 0, tiles, hidden_weights.data());
    const Lanes lanes = drystone::lay_lanes(of.runs, of.num_threads);
    const auto run = [&](auto pass, const Layer<T> &layer) {
        for (const std::vector<Lane> &some : lanes.of_thread) {
            std::vector<std::uint64_t> scratch((steps.scratch_size(hidden, some.data(), some.size()) + 7) / 8);
            pass(layer, some.data(), some.size(), scratch.data());
        }
    };
    const auto layer_of = [&](Results<T> &out, T *gates, T *h_before, bool are_packed) {
        const T *of_inputs = are_packed ? input_weights.data() : in.input_weights.data();
        const T *of_hidden = are_packed ? hidden_weights.data() : in.hidden_weights.data();
        return Layer<T>{hidden, of.features, of_inputs, of_hidden, are_packed, in.bias.data(), zeros.data(),
                        of.has_gaps ? of.at.data() : nullptr, nullptr, in.x.data(), of.has_states ? in.h.data() : nullptr,
                        of.has_states ? in.c.data() : nullptr, gates, out.output.data(), h_before, out.cells.data(),
                        in.output_gradient.data(), in.cells_gradient.data(), out.c_gradient.data()};
    };
    Results<double> expected(of);
    for (const Run &run : of.runs)
        for (Size step = 0; step < run.length; ++step)
            plain_forward(of, in, expected, run, step);
    Results<T> inferred(of), found(of);
    run(steps.forward, layer_of(inferred, nullptr, nullptr, false));
    compare(of, "output, weights not packed", inferred.output, expected.output);
    compare(of, "cells, weights not packed", inferred.cells, expected.cells);
    run(steps.forward, layer_of(found, found.gates.data(), found.h_before.data(), true));
    compare(of, "output", found.output, expected.output);
    compare(of, "cells", found.cells, expected.cells);
    compare(of, "gates", found.gates, expected.gates);
    compare(of, "h_before", found.h_before, expected.h_before);

    steps.pack_by_units(in.hidden_weights.data(), hidden, 0, steps.num_tiles(hidden, false), hidden_weights.data());
    for (const Run &run : of.runs)
        plain_backward(of, in, expected, run);
    run(steps.backward, layer_of(found, found.gates.data(), nullptr, true));
    compare(of, "gradients of the sums", found.gates, expected.gates);
    compare(of, "c_gradient", found.c_gradient, expected.c_gradient);
}

}  // namespace

int main() {
    for (const Size hidden : {1, 3, 4, 7, 16, 17, 33})
        for (const Size features : {1, 5, 16})
            for (int kind = 0; kind < 8; ++kind) {
                Case drawn{hidden, features, kind % 2 > 0, kind / 2 % 2 > 0, kind < 4 ? 1 : 3};
                drawn.draw_runs();
                check(drawn, drystone::plain_steps.f32);
                check(drawn, drystone::plain_steps.f64);
            }
    std::printf("%d passed, %d failed\n", num_passed, num_failed);
    return num_failed > 0 || num_passed == 0;
}
