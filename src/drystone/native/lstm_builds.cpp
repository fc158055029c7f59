#include "lstm_builds.hpp"

#include <stdexcept>

namespace drystone {
namespace {

struct Build {
    const char *name;
    const BothSteps *steps;
    bool is_supported;
};

// The fastest first.
const std::vector<Build> &builds() {
    static const std::vector<Build> all{
#if defined(__x86_64__)
        {"avx512", &avx512_steps,
         __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")},
        {"avx2", &avx2_steps, __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")},
#endif
        {"plain", &plain_steps, true},
    };
    return all;
}

}  // namespace

std::vector<std::string> build_names() {
    std::vector<std::string> names;
    for (const Build &build : builds())
        if (build.is_supported)
            names.emplace_back(build.name);
    return names;
}

const BothSteps &build_named(const std::string &name) {
    for (const Build &build : builds())
        if (build.is_supported && name == build.name)
            return *build.steps;
    throw std::invalid_argument("this processor runs no build named " + name + ".");
}

}  // namespace drystone
