// The builds of the recurrence, and the one to run.

#pragma once

#include <string>
#include <vector>

#include "lstm_steps.hpp"

namespace drystone {

// The names of those that this processor runs, the fastest first.
std::vector<std::string> build_names();

// Throws std::invalid_argument where this processor runs none of that name.
const BothSteps &build_named(const std::string &name);

}  // namespace drystone
