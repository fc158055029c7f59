// Tapes and cuts: which tape each sequence goes to, and where buckets are cut into batches.

#pragma once

#include <nanobind/nanobind.h>

namespace drystone {

void bind_tapes(nanobind::module_ &module);

}  // namespace drystone
