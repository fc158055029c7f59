// Rows by the room that they have left: the row with the least room that suffices is found in a few instructions.

#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

namespace drystone {

struct Room {
    std::int64_t cells;
    std::int64_t row;  // -1 where there is none
};

class Rooms {
  public:
    // Rows of up to `steps` cells, none of which has room yet.
    void clear(std::int64_t steps, std::int64_t rows) {
        for (const std::int64_t cells : touched_) empty(cells);
        touched_.clear();
        if (const auto size = static_cast<std::int64_t>(top_.size()); size <= steps) grow(std::max(steps + 1, 2 * size));
        if (static_cast<std::int64_t>(below_.size()) < rows) below_.resize(rows);
    }

    void push(std::int64_t cells, std::int64_t row) {
        if (cells < 1) return;
        below_[row] = top_[cells];
        top_[cells] = row;
        if (below_[row] >= 0) return;
        touched_.push_back(cells);
        for (std::int64_t at = cells; auto &level : levels_) {
            level[at >> 6] |= std::uint64_t{1} << (at & 63);
            at >>= 6;
        }
    }

    // Takes the row with the least room that suffices, of several the last added.
    Room pop(std::int64_t length) {
        const std::int64_t cells = next(length);
        if (cells < 0) return {0, -1};
        const std::int64_t row = top_[cells];
        top_[cells] = below_[row];
        if (top_[cells] < 0) empty(cells);
        return {cells, row};
    }

    std::int64_t largest() const {
        if (levels_.empty() || levels_.back()[0] == 0) return 0;
        std::int64_t at = 0;
        for (auto level = levels_.rbegin(); level != levels_.rend(); ++level)
            at = at * 64 + 63 - std::countl_zero((*level)[at]);
        return at;
    }

  private:
    void grow(std::int64_t size) {
        top_.assign(size, -1);
        levels_.clear();
        do {
            size = (size + 63) >> 6;
            levels_.emplace_back(size, 0);
        } while (size > 1);
    }

    void empty(std::int64_t cells) {
        top_[cells] = -1;
        for (std::int64_t at = cells; auto &level : levels_) {
            level[at >> 6] &= ~(std::uint64_t{1} << (at & 63));
            if (level[at >> 6] != 0) return;
            at >>= 6;
        }
    }

    // The least room of at least `at` that some row has, or -1.
    std::int64_t next(std::int64_t at) const {
        for (std::size_t up = 0; up < levels_.size(); ++up, ++at) {
            const std::int64_t word = at >> 6;
            if (word >= static_cast<std::int64_t>(levels_[up].size())) return -1;
            const std::uint64_t bits = levels_[up][word] & (~std::uint64_t{0} << (at & 63));
            at = word;
            if (bits == 0) continue;
            at = word * 64 + std::countr_zero(bits);
            while (up-- > 0) at = at * 64 + std::countr_zero(levels_[up][at]);
            return at;
        }
        return -1;
    }

    std::vector<std::vector<std::uint64_t>> levels_;  // bit c: some row has c cells; above, bit w: word w is not 0
    std::vector<std::int64_t> top_;                   // [cells] the row last added, or -1
    std::vector<std::int64_t> below_;                 // [rows] the row added before it, with as much room, or -1
    std::vector<std::int64_t> touched_;               // rooms that were pushed since the last clear
};

}  // namespace drystone
