#include "tapes.hpp"

#include <nanobind/ndarray.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <stdexcept>
#include <utility>
#include <vector>

namespace nb = nanobind;

namespace drystone {
namespace {

using Ints = nb::ndarray<const std::int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using WritableInts = nb::ndarray<std::int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using WritableBools = nb::ndarray<bool, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

void lay_tapes(const Ints &lengths, std::int64_t rows, const Ints &carried, const WritableInts &tape,
               const WritableInts &start) {
    nb::gil_scoped_release release;
    using End = std::pair<std::int64_t, std::int64_t>;  // where the tape ends, and its row
    std::vector<End> ends(rows);
    for (std::int64_t row = 0; row < rows; ++row) ends[row] = {0, row};
    for (std::size_t item = 0; item < carried.size(); ++item) {
        tape(item) = carried(item);
        start(item) = 0;
        ends.at(carried(item)).first = lengths(item);
    }
    const std::greater<End> ends_later;
    std::make_heap(ends.begin(), ends.end(), ends_later);
    for (std::size_t item = carried.size(); item < lengths.size(); ++item) {
        std::pop_heap(ends.begin(), ends.end(), ends_later);
        tape(item) = ends.back().second;
        start(item) = ends.back().first;
        ends.back().first += lengths(item);
        std::push_heap(ends.begin(), ends.end(), ends_later);
    }
}

std::int64_t pieces(std::int64_t start, std::int64_t length, std::int64_t steps) {
    return (start + length - 1) / steps - start / steps + 1;
}

std::int64_t count_pieces(const Ints &start, const Ints &length, std::int64_t steps) {
    nb::gil_scoped_release release;
    std::int64_t count = 0;
    for (std::size_t run = 0; run < start.size(); ++run) count += pieces(start(run), length(run), steps);
    return count;
}

// [rows + 1] where the runs of each row begin in `by_row`, which lists them row after row.
std::vector<std::int64_t> sort_by_row(const Ints &row, std::int64_t rows, std::vector<std::int64_t> &by_row) {
    std::vector<std::int64_t> begins(rows + 1, 0);
    for (std::size_t run = 0; run < row.size(); ++run) ++begins.at(row(run) + 1);
    for (std::int64_t at = 0; at < rows; ++at) begins[at + 1] += begins[at];
    std::vector<std::int64_t> next(begins.begin(), begins.end() - 1);
    for (std::size_t run = 0; run < row.size(); ++run) by_row[next[row(run)]++] = static_cast<std::int64_t>(run);
    return begins;
}

void cut_runs(const Ints &row, const Ints &start, const Ints &length, std::int64_t rows, std::int64_t steps,
              const WritableInts &batch_of, const WritableInts &row_of, const WritableInts &step_of,
              const WritableInts &run_of, const WritableInts &offset_of, const WritableInts &length_of) {
    nb::gil_scoped_release release;
    std::vector<std::int64_t> by_row(row.size());
    const std::vector<std::int64_t> begins = sort_by_row(row, rows, by_row);
    std::vector<std::int64_t> next(begins.begin(), begins.end() - 1);
    const std::size_t count = batch_of.size();
    std::size_t at = 0;
    for (std::int64_t batch = 0; at < count; ++batch) {
        const std::int64_t left = batch * steps, right = left + steps;
        for (std::int64_t r = 0; r < rows; ++r) {
            for (; next[r] < begins[r + 1]; ++next[r]) {
                const std::int64_t run = by_row[next[r]];
                const std::int64_t begin = std::max(left, start(run));
                const std::int64_t end = std::min(right, start(run) + length(run));
                if (begin >= right) break;
                if (at == count) throw std::invalid_argument("the columns to fill are too short.");
                batch_of(at) = batch;
                row_of(at) = r;
                step_of(at) = begin - left;
                run_of(at) = run;
                offset_of(at) = begin - start(run);
                length_of(at) = end - begin;
                ++at;
                if (end == right && end < start(run) + length(run)) break;
            }
        }
    }
}

// Returns the number of batches; sizes and full are as long as there are sequences.
std::int64_t cut_batches(const Ints &costs, const Ints &counts, const Ints &max_rows, std::int64_t budget,
                         std::int64_t multiple, const WritableInts &sizes, const WritableBools &full) {
    nb::gil_scoped_release release;
    std::int64_t batch = 0, stop = 0;
    for (std::size_t bucket = 0; bucket < counts.size(); ++bucket) {
        std::int64_t start = stop;
        stop += counts(bucket);
        const std::int64_t most = max_rows(bucket);
        while (start < stop) {
            std::int64_t size = 0, whole = 0, top = 0, whole_top = 0;
            while (start + size < stop && size < most) {
                const std::int64_t next_top = std::max(top, costs(start + size));
                if (size > 0 && (size + 1) * next_top > budget) break;
                top = next_top;
                ++size;
                if (size < multiple || size % multiple == 0) {
                    whole = size;
                    whole_top = top;
                }
            }
            const std::int64_t more = whole + (whole >= multiple ? multiple : 1);
            sizes(batch) = whole;
            full(batch) = size < stop - start || more > most || more * whole_top > budget;
            ++batch;
            start += whole;
        }
    }
    return batch;
}

}  // namespace

void bind_tapes(nb::module_ &module) {
    module.def("lay_tapes", &lay_tapes, "Lays sequences on tapes; see drystone.native.lay_tapes.");
    module.def("count_pieces", &count_pieces, "How many spans cut_runs makes.");
    module.def("cut_runs", &cut_runs, "Cuts runs at the batches' borders; see drystone.native.cut_runs.");
    module.def("cut_batches", &cut_batches, "Cuts buckets into batches; see drystone.native.cut_batches.");
}

}  // namespace drystone
