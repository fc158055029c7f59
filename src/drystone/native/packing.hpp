// Packing: best fit decreasing, over grids and over groups.

#pragma once

#include <nanobind/nanobind.h>

namespace drystone {

void bind_packing(nanobind::module_ &module);

}  // namespace drystone
