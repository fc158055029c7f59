#include "memory.hpp"

#include <nanobind/ndarray.h>

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <new>

namespace nb = nanobind;

namespace drystone {
namespace {

constexpr std::size_t max_idle_bytes = std::size_t{64} << 20;
constexpr std::align_val_t alignment{64};

struct Block {
    std::size_t size;
    std::uint8_t *bytes;
};

// Fresh pages cost more than the copy that fills them, so blocks that arrays gave back wait here for the next one.
// Arrays are made and dropped with the GIL held, which keeps this free of races, after a fork too.
class Idle {
  public:
    // The smallest that will do and is at most twice too large; among equals the newest, which caches may still hold.
    Block take(std::size_t size) {
        auto best = blocks_.end();
        for (auto at = blocks_.begin(); at != blocks_.end(); ++at)
            if (size <= at->size && at->size / 2 <= size && (best == blocks_.end() || at->size <= best->size))
                best = at;
        if (best == blocks_.end())
            return {size, static_cast<std::uint8_t *>(::operator new(size, alignment))};
        const Block found = *best;
        blocks_.erase(best);
        idle_bytes_ -= found.size;
        return found;
    }

    void give(const Block &block) {
        blocks_.push_back(block);
        idle_bytes_ += block.size;
        while (idle_bytes_ > max_idle_bytes) {
            idle_bytes_ -= blocks_.front().size;
            ::operator delete(blocks_.front().bytes, alignment);
            blocks_.pop_front();
        }
    }

  private:
    std::list<Block> blocks_;  // the one that waits longest first
    std::size_t idle_bytes_ = 0;
};

// Never destroyed: arrays may outlive everything else in the process.
Idle &idle() {
    static Idle &only = *new Idle;
    return only;
}

nb::ndarray<nb::numpy, std::uint8_t, nb::ndim<1>> empty(std::size_t size) {
    auto block = std::make_unique<Block>(idle().take(size));
    nb::capsule owner(block.get(), [](void *given) noexcept {
        std::unique_ptr<Block> back(static_cast<Block *>(given));
        idle().give(*back);
    });
    return nb::ndarray<nb::numpy, std::uint8_t, nb::ndim<1>>(block.release()->bytes, {size}, owner);
}

}  // namespace

void bind_memory(nb::module_ &module) {
    module.def("empty", &empty, nb::arg("size"), "Returns bytes of any value; see drystone.native.empty.");
}

}  // namespace drystone
