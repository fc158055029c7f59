// Sorting random keys: a radix sort that leaves their low bits alone.

#pragma once

#include <nanobind/nanobind.h>

namespace drystone {

void bind_sorting(nanobind::module_ &module);

}  // namespace drystone
