// The ragged gather: runs of items copied into an array, and zeros between them.

#pragma once

#include <nanobind/nanobind.h>

namespace drystone {

void bind_gather(nanobind::module_ &module);

}  // namespace drystone
