// Threads: PyTorch's own, by the function of its stable interface, or this one alone.

#pragma once

#include <algorithm>
#include <cstdint>
#include <stdexcept>

namespace drystone {

using Chunk = void (*)(std::int64_t begin, std::int64_t end, void *context);
using ParallelFor = std::int32_t (*)(std::int64_t begin, std::int64_t end, std::int64_t grain, Chunk, void *context);

struct Pool {
    std::int64_t num_threads;
    ParallelFor parallel_for;

    template <class Do> void run(std::int64_t count, Do act) const {
        const auto chunk = [](std::int64_t begin, std::int64_t end, void *context) {
            for (std::int64_t i = begin; i < end; ++i)
                (*static_cast<Do *>(context))(i);
        };
        if (parallel_for == nullptr || num_threads == 1 || count <= 1)
            chunk(0, count, &act);
        else if (parallel_for(0, count, 1, chunk, &act) != 0)
            throw std::runtime_error("PyTorch's threads refused the work.");
    }
};

// As many as have something to do: handing less to a thread than it does in some microseconds costs more than it brings.
inline Pool pool_of(std::int64_t num_threads, std::uintptr_t parallel_for, double flops) {
    constexpr double flops_a_thread = 4e5;
    const double useful = std::min(flops / flops_a_thread, 1024.0);
    const auto wanted = std::clamp<std::int64_t>(static_cast<std::int64_t>(useful), 1, std::max<std::int64_t>(num_threads, 1));
    return {parallel_for == 0 ? 1 : wanted, reinterpret_cast<ParallelFor>(parallel_for)};
}

}  // namespace drystone
