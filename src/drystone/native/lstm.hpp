// The LSTM recurrence over runs of cells: checks, the choice of the processor's build, threads.

#pragma once

#include <nanobind/nanobind.h>

namespace drystone {

void bind_lstm(nanobind::module_ &module);

}  // namespace drystone
