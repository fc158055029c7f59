// Memory for large arrays, kept for the next array when one is dropped.

#pragma once

#include <nanobind/nanobind.h>

namespace drystone {

void bind_memory(nanobind::module_ &module);

}  // namespace drystone
