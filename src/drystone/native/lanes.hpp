// Runs of unequal length, laid one after the other into lanes of nearly equal length, and lanes dealt to threads.

#pragma once

#include <cstdint>
#include <vector>

#include "lstm_steps.hpp"

namespace drystone {

// The lanes of each thread, the longest first. Lanes point into `runs`.
struct Lanes {
    std::vector<Run> runs;
    std::vector<std::vector<Lane>> of_thread;
};

// Lays runs in the order from the longest to the shortest, each into the shortest lane. There are as many lanes as make
// the longest run last as long as all the others together: fewer would take more steps, more would fall idle.
Lanes lay_lanes(std::vector<Run> runs, std::int64_t num_threads);

}  // namespace drystone
