// The extension module drystone.native._native. Each file beside this one holds one idea and binds it itself.

#include <nanobind/nanobind.h>

#include "gather.hpp"
#include "lstm.hpp"
#include "masks.hpp"
#include "memory.hpp"
#include "packing.hpp"
#include "sorting.hpp"
#include "tapes.hpp"

NB_MODULE(_native, module) {
    drystone::bind_gather(module);
#if !defined(_MSC_VER) || defined(__clang__)
    drystone::bind_lstm(module);
#endif
    drystone::bind_masks(module);
    drystone::bind_memory(module);
    drystone::bind_packing(module);
    drystone::bind_sorting(module);
    drystone::bind_tapes(module);
}
