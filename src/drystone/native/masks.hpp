// The masks of a grid, from its spans.

#pragma once

#include <nanobind/nanobind.h>

namespace drystone {

void bind_masks(nanobind::module_ &module);

}  // namespace drystone
