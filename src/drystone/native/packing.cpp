#include "packing.hpp"

#include <nanobind/ndarray.h>

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include "rooms.hpp"

namespace nb = nanobind;

namespace drystone {
namespace {

using Ints = nb::ndarray<const std::int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using WritableInts = nb::ndarray<std::int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

struct Item {
    std::int64_t length;
    std::int64_t number;
};

// Longest first; of equal ones the first first.
bool is_before(const Item &one, const Item &other) {
    return one.length != other.length ? one.length > other.length : one.number < other.number;
}

struct Span {
    std::int64_t row, step, item, offset, length;
};

// The columns of the span table, filled grid after grid.
class Table {
  public:
    Table(const WritableInts &grid, const WritableInts &row, const WritableInts &step, const WritableInts &item,
          const WritableInts &offset, const WritableInts &length)
        : grid_{grid.data()}, row_{row.data()}, step_{step.data()}, item_{item.data()}, offset_{offset.data()},
          length_{length.data()}, room_{static_cast<std::int64_t>(grid.size())} {
        for (const auto *column : {&row, &step, &item, &offset, &length})
            if (static_cast<std::int64_t>(column->size()) != room_)
                throw std::invalid_argument("the columns to fill must be of one length.");
    }

    // Adds the spans of a grid in the order of rows; those of one row are in the order of steps already.
    void add(std::int64_t grid, const std::vector<Span> &spans, std::int64_t rows) {
        if (size_ + static_cast<std::int64_t>(spans.size()) > room_)
            throw std::invalid_argument("the columns to fill are too short.");
        place_.assign(rows + 1, 0);
        for (const Span &span : spans) ++place_[span.row + 1];
        for (std::int64_t row = 0; row < rows; ++row) place_[row + 1] += place_[row];
        for (const Span &span : spans) {
            const std::int64_t at = size_ + place_[span.row]++;
            grid_[at] = grid;
            row_[at] = span.row;
            step_[at] = span.step;
            item_[at] = span.item;
            offset_[at] = span.offset;
            length_[at] = span.length;
        }
        size_ += static_cast<std::int64_t>(spans.size());
    }

    std::int64_t size() const { return size_; }

  private:
    std::int64_t *grid_, *row_, *step_, *item_, *offset_, *length_;
    std::int64_t room_, size_ = 0;
    std::vector<std::int64_t> place_;
};

// The grids so far, and what goes on or waits; see numpy_packing.py, which it follows line by line.
class Grids {
  public:
    Grids(const Ints &lengths, std::int64_t rows, std::int64_t steps, std::int64_t gap, const Ints &carried)
        : lengths_{lengths.data()}, count_{static_cast<std::int64_t>(lengths.size())}, rows_{rows}, steps_{steps},
          gap_{gap}, going_(rows, Going{-1, 0}), taken_{static_cast<std::int64_t>(carried.size())} {
        for (std::int64_t item = 0; item < taken_; ++item) going_.at(carried(item)) = {item, 0};
        num_going_ = taken_;
    }

    bool goes_on() const { return num_going_ > 0 || !waiting_.empty() || taken_ < count_; }

    void fill_one(Table &table) {
        spans_.clear();
        rooms_.clear(steps_, rows_);
        free_ = 0;
        num_going_ = 0;
        for (std::int64_t row = rows_ - 1; row >= 0; --row) {
            const Going begun = going_[row];
            going_[row].item = -1;
            const std::int64_t room = begun.item < 0 ? steps_ : lay(row, steps_, begun.item, begun.offset);
            rooms_.push(room, row);
            if (room > 0) free_ += room + gap_;
        }
        draw();
        std::sort(waiting_.begin(), waiting_.end(), is_before);
        left_.clear();
        for (const Item &item : waiting_) {
            const Room room = rooms_.pop(item.length);
            if (room.row < 0)
                left_.push_back(item);
            else
                rooms_.push(lay(room.row, room.cells, item.number, 0), room.row);
        }
        waiting_.swap(left_);
        table.add(grid_++, spans_, rows_);
    }

  private:
    struct Going {
        std::int64_t item;  // -1 where nothing goes on
        std::int64_t offset;
    };

    // Lays a sequence, as far as there is room, and returns the room that is left.
    std::int64_t lay(std::int64_t row, std::int64_t room, std::int64_t item, std::int64_t offset) {
        const std::int64_t length = std::min(lengths_[item] - offset, room);
        spans_.push_back({row, steps_ - room, item, offset, length});
        if (offset + length < lengths_[item]) {
            going_[row] = {item, offset + length};
            ++num_going_;
        }
        return room - length - gap_;
    }

    // Takes the next sequences, as long as all that could find room add up to no more than there is.
    void draw() {
        for (const Item &item : waiting_)
            if (item.length <= rooms_.largest()) free_ -= item.length + gap_;
        for (; taken_ < count_; ++taken_) {
            const std::int64_t length = lengths_[taken_];
            if (length > steps_) {
                const Room room = rooms_.pop(1);
                if (room.row < 0) return;
                lay(room.row, room.cells, taken_, 0);
                free_ -= room.cells + gap_;
                continue;
            }
            const bool is_too_long = length > rooms_.largest();
            if (!is_too_long && length + gap_ > free_) return;
            waiting_.push_back({length, taken_});
            free_ -= length + gap_;
            if (is_too_long) {
                ++taken_;
                return;
            }
        }
    }

    const std::int64_t *lengths_;
    std::int64_t count_, rows_, steps_, gap_;
    std::vector<Going> going_;
    std::int64_t num_going_ = 0, taken_, grid_ = 0, free_ = 0;
    Rooms rooms_;
    std::vector<Item> waiting_, left_;
    std::vector<Span> spans_;
};

std::int64_t fill_grids(const Ints &lengths, std::int64_t rows, std::int64_t steps, std::int64_t gap,
                        const Ints &carried, const WritableInts &grid, const WritableInts &row,
                        const WritableInts &step, const WritableInts &item, const WritableInts &offset,
                        const WritableInts &length) {
    nb::gil_scoped_release release;
    Table table{grid, row, step, item, offset, length};
    Grids grids{lengths, rows, steps, gap, carried};
    while (grids.goes_on()) grids.fill_one(table);
    return table.size();
}

// One group of sequences, longest first.
class Group {
  public:
    void take(const Ints &lengths, std::int64_t start, std::int64_t stop, std::int64_t gap) {
        items_.clear();
        gap_ = gap;
        cells_ = 0;
        for (std::int64_t item = start; item < stop; ++item) {
            items_.push_back({lengths(item), item});
            cells_ += lengths(item) + gap;
        }
        std::sort(items_.begin(), items_.end(), is_before);
    }

    std::int64_t size() const { return static_cast<std::int64_t>(items_.size()); }
    std::int64_t cells() const { return cells_; }
    std::int64_t longest() const { return items_.front().length; }

    // Whether best fit finds room for all; the spans are kept.
    bool fits(std::int64_t rows, std::int64_t steps) {
        spans_.clear();
        rooms_.clear(steps, rows);
        for (std::int64_t row = rows - 1; row >= 0; --row) rooms_.push(steps, row);
        for (const Item &item : items_) {
            const Room room = rooms_.pop(item.length);
            if (room.row < 0) return false;
            spans_.push_back({room.row, steps - room.cells, item.number, 0, item.length});
            rooms_.push(room.cells - item.length - gap_, room.row);
        }
        return true;
    }

    // The least steps into which the group is seen to fit (multifit, Coffman et al. 1978).
    std::int64_t least_steps(std::int64_t rows) {
        std::int64_t low = std::max(longest(), (cells_ + rows - 1) / rows - gap_);
        std::int64_t high = low + longest() + gap_;
        while (low < high) {
            const std::int64_t middle = low + (high - low) / 2;
            if (fits(rows, middle))
                high = middle;
            else
                low = middle + 1;
        }
        return high;
    }

    std::int64_t used_rows() const {
        std::int64_t rows = 0;
        for (const Span &span : spans_) rows = std::max(rows, span.row + 1);
        return rows;
    }

    const std::vector<Span> &spans() const { return spans_; }

  private:
    std::vector<Item> items_;
    std::int64_t gap_ = 0, cells_ = 0;
    Rooms rooms_;
    std::vector<Span> spans_;
};

std::int64_t chosen_rows(std::int64_t cells, std::int64_t longest, std::int64_t multiple) {
    const std::int64_t rows = std::max<std::int64_t>(1, cells / longest);
    return rows < multiple ? rows : rows - rows % multiple;
}

struct Shape {
    std::int64_t rows, steps;
};

// As many rows as the group fills, or half of them as long as that saves a thirtieth.
Shape snug_shape(Group &group, std::int64_t gap, std::int64_t multiple) {
    Shape shape{chosen_rows(group.cells(), group.longest() + gap, multiple), 0};
    shape.steps = group.least_steps(shape.rows);
    while (shape.rows >= 2 * multiple) {
        Shape half{shape.rows / 2 - shape.rows / 2 % multiple, 0};
        half.steps = group.least_steps(half.rows);
        if (30 * half.rows * half.steps > 29 * shape.rows * shape.steps) break;
        shape = half;
    }
    return shape;
}

void pack_groups(const Ints &lengths, std::int64_t group_size, std::int64_t rows, std::int64_t steps, std::int64_t gap,
                 std::int64_t multiple, const WritableInts &grid, const WritableInts &row, const WritableInts &step,
                 const WritableInts &item, const WritableInts &offset, const WritableInts &length,
                 const WritableInts &rows_of, const WritableInts &steps_of) {
    nb::gil_scoped_release release;
    Table table{grid, row, step, item, offset, length};
    Group group;
    const auto count = static_cast<std::int64_t>(lengths.size());
    std::int64_t number = 0;
    for (std::int64_t start = 0; start < count; start += group_size, ++number) {
        group.take(lengths, start, std::min(count, start + group_size), gap);
        Shape shape{group.size(), steps};
        if (steps == 0) shape = rows > 0 ? Shape{rows, group.least_steps(rows)} : snug_shape(group, gap, multiple);
        if (!group.fits(shape.rows, shape.steps)) throw std::logic_error("a group did not fit its own grid.");
        table.add(number, group.spans(), shape.rows);
        rows_of(number) = steps > 0 ? group.used_rows() : shape.rows;
        steps_of(number) = shape.steps;
    }
}

}  // namespace

void bind_packing(nb::module_ &module) {
    module.def("fill_grids", &fill_grids, "Lays sequences on grids; see drystone.native.fill_grids.");
    module.def("pack_groups", &pack_groups, "Lays groups of sequences; see drystone.native.pack_groups.");
}

}  // namespace drystone
