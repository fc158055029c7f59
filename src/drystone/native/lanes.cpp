#include "lanes.hpp"

#include <algorithm>
#include <functional>
#include <numeric>
#include <queue>
#include <utility>

namespace drystone {
namespace {

std::int64_t num_lanes(const std::vector<Run> &sorted, std::int64_t num_threads) {
    std::int64_t cells = 0;
    for (const Run &run : sorted)
        cells += run.length;
    const std::int64_t needed = (cells + sorted[0].length - 1) / sorted[0].length;
    const std::int64_t even = (needed + num_threads - 1) / num_threads * num_threads;
    return std::min(even, static_cast<std::int64_t>(sorted.size()));
}

// The lane of each run.
std::vector<std::int64_t> choose_lanes(const std::vector<Run> &sorted, std::int64_t lanes) {
    std::vector<std::int64_t> chosen(sorted.size());
    if (lanes == static_cast<std::int64_t>(sorted.size())) {
        std::iota(chosen.begin(), chosen.end(), 0);
        return chosen;
    }
    using Filled = std::pair<std::int64_t, std::int64_t>;  // steps, lane: ties go to the first lane, on every machine
    std::priority_queue<Filled, std::vector<Filled>, std::greater<>> shortest;
    for (std::int64_t lane = 0; lane < lanes; ++lane)
        shortest.emplace(0, lane);
    for (std::size_t i = 0; i < sorted.size(); ++i) {
        const auto [steps, lane] = shortest.top();
        shortest.pop();
        chosen[i] = lane;
        shortest.emplace(steps + sorted[i].length, lane);
    }
    return chosen;
}

}  // namespace

Lanes lay_lanes(std::vector<Run> runs, std::int64_t num_threads) {
    Lanes laid;
    laid.of_thread.resize(num_threads);
    if (runs.empty())
        return laid;
    const auto is_longer = [](const Run &a, const Run &b) { return a.length > b.length; };
    if (!std::is_sorted(runs.begin(), runs.end(), is_longer))
        std::stable_sort(runs.begin(), runs.end(), is_longer);
    const std::vector<std::int64_t> lane_of = choose_lanes(runs, num_lanes(runs, num_threads));

    std::vector<Lane> lanes(*std::max_element(lane_of.begin(), lane_of.end()) + 1, Lane{});
    for (std::size_t i = 0; i < runs.size(); ++i) {
        ++lanes[lane_of[i]].num_runs;
        lanes[lane_of[i]].num_steps += runs[i].length;
    }
    laid.runs.resize(runs.size());
    std::vector<Run *> next;
    Run *start = laid.runs.data();
    for (Lane &lane : lanes) {
        lane.runs = start;
        next.push_back(start);
        start += lane.num_runs;
    }
    for (std::size_t i = 0; i < runs.size(); ++i)
        *next[lane_of[i]]++ = runs[i];

    const auto takes_longer = [](const Lane &a, const Lane &b) { return a.num_steps > b.num_steps; };
    if (!std::is_sorted(lanes.begin(), lanes.end(), takes_longer))
        std::stable_sort(lanes.begin(), lanes.end(), takes_longer);
    for (std::size_t i = 0; i < lanes.size(); ++i) {
        const std::size_t turn = i / num_threads, place = i % num_threads;  // to and fro, for about equal sums
        laid.of_thread[turn % 2 == 0 ? place : num_threads - 1 - place].push_back(lanes[i]);
    }
    return laid;
}

}  // namespace drystone
