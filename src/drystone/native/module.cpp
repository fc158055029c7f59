// The extension module drystone.native._native. Each file beside this one holds one idea and binds it itself.

#include <nanobind/nanobind.h>

#include "gather.hpp"
#include "memory.hpp"

NB_MODULE(_native, module) {
    drystone::bind_gather(module);
    drystone::bind_memory(module);
}
