"""Views in plain Python: sequences as runs of steps of lists, one loop a rule; slow, and nothing but the rules."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from drystone import DataError, Sequences


@dataclass(frozen=True)
class Run:
    """Steps start … stop − 1 of one list; the first `lead` are not scored, and targets lie in floor … ceiling − 1."""

    source: int
    start: int
    stop: int
    lead: int
    floor: int
    ceiling: int

    def counts(self, step: int) -> bool:
        return step >= self.start + self.lead and step >= self.floor

    @property
    def counted(self) -> list[int]:
        return [step for step in range(self.start, self.stop) if self.counts(step)]


@dataclass(frozen=True)
class Plain:
    lists: list[list[int]]
    runs: list[Run]
    offsets: tuple[int, ...] = ()

    @classmethod
    def of(cls, lengths: list[int]) -> "Plain":
        lists = [[1000 * source + step + 1 for step in range(length)] for source, length in enumerate(lengths)]
        return cls(lists, [Run(source, 0, length, 0, 0, length) for source, length in enumerate(lengths)])

    def values(self, run: Run) -> list[int]:
        return self.lists[run.source][run.start : run.stop]

    def ahead(self, run: Run) -> list[list[int]]:
        return [
            [self.lists[run.source][step + k] if step + k < run.ceiling else 0 for k in self.offsets]
            for step in range(run.start, run.stop)
        ]

    def scored(self, run: Run) -> list[bool]:
        return [
            step >= run.start + run.lead and all(run.floor <= step + k < run.ceiling for k in self.offsets or (0,))
            for step in range(run.start, run.stop)
        ]

    def targets(self) -> set[tuple[int, int]]:
        """Every (list, step) that some scored step predicts."""
        return {
            (run.source, step + k)
            for run in self.runs
            for step, is_scored in zip(range(run.start, run.stop), self.scored(run), strict=True)
            if is_scored
            for k in self.offsets or (0,)
        }


def windows(plain: Plain, steps: int, stride: int, horizon: int) -> Plain:
    return replace(plain, runs=[window for run in plain.runs for window in _windows(run, steps, stride, horizon)])


def _windows(run: Run, steps: int, stride: int, horizon: int) -> list[Run]:
    found: list[Run] = []
    for start in range(run.start, run.stop - steps + 1):
        last = start + steps - 1
        if horizon:
            is_one = last >= run.start + run.lead and last + 1 >= run.floor and last + horizon < run.ceiling
            window = replace(run, start=start, stop=last + 1, lead=steps - 1, floor=start)
        else:
            is_one = any(run.counts(step) for step in range(start, last + 1)) and start < run.ceiling
            lead = sum(step < run.start + run.lead for step in range(start, last + 1))
            window = replace(run, start=start, stop=last + 1, lead=lead)
        if is_one and (not found or start - found[-1].start == stride):
            found.append(window)
    return found


def cut(plain: Plain, parts: int, lead: int) -> Plain:
    runs: list[Run] = []
    for run in plain.runs:
        counted = run.counted or [run.stop]
        pieces = [piece for piece in np.array_split(counted, parts) if len(piece)]
        for number, piece in enumerate(pieces):
            first, last = int(piece[0]), int(piece[-1])
            stop = min(last + 1, run.stop)
            if number == 0:
                runs.append(replace(run, stop=stop))
            else:
                start = max(run.start, first - lead)
                runs.append(replace(run, start=start, stop=stop, lead=first - start))
    return replace(plain, runs=runs)


def truncate(plain: Plain, max_steps: int, keep: str) -> Plain:
    runs: list[Run] = []
    for run in plain.runs:
        lost = max(run.stop - run.start - max_steps, 0)
        if keep == "last":
            runs.append(replace(run, start=run.start + lost, lead=max(run.lead - lost, 0)))
        elif lost:
            runs.append(replace(run, stop=run.stop - lost, ceiling=min(run.ceiling, run.stop - lost)))
        else:
            runs.append(run)
    return replace(plain, runs=runs)


def join(plain: Plain, groups: list[int]) -> Plain:
    """Raises ValueError where steps inside a joined sequence would not be scored."""
    lists: list[list[int]] = []
    runs: list[Run] = []
    for group in dict.fromkeys(groups):
        members = [run for run, other in zip(plain.runs, groups, strict=True) if other == group]
        for place, run in enumerate(members):
            if place > 0 and (run.lead > 0 or run.floor > run.start):
                raise ValueError("late")
            if place < len(members) - 1 and run.ceiling < run.stop:
                raise ValueError("early")
        first, last = members[0], members[-1]
        lists.append([value for run in members for value in plain.values(run)])
        size = len(lists[-1])
        ceiling = size - (last.stop - min(last.ceiling, last.stop))
        runs.append(Run(len(lists) - 1, 0, size, first.lead, first.floor - first.start, ceiling))
    return replace(plain, lists=lists, runs=runs)


def split(plain: Plain, times: list[int], context: Any) -> list[Plain]:
    """Cuts where the values, which rise in each list, reach these times."""
    found: list[Plain] = []
    for part in range(len(times) + 1):
        runs: list[Run] = []
        for run in plain.runs:
            reach = range(run.start, max(run.stop, run.ceiling))
            values = plain.lists[run.source]
            borders = [next((step for step in reach if values[step] >= time), reach.stop) for time in times]
            lower = borders[part - 1] if part else run.start
            upper = borders[part] if part < len(times) else reach.stop
            own = [step for step in range(max(lower, run.start), min(upper, run.stop)) if run.counts(step)]
            if own:
                back = {None: lower, "before": run.start}.get(context, lower - context if context in range(99) else 0)
                start = max(back, run.start)
                runs.append(
                    Run(
                        run.source,
                        start,
                        min(upper, run.stop),
                        max(run.start + run.lead - start, 0),
                        max(run.floor, lower) if part else run.floor,
                        min(run.ceiling, upper),
                    )
                )
        found.append(replace(plain, runs=runs))
    return found


def check_same(seqs: Sequences, plain: Plain) -> None:
    """Compares values, values ahead and what is scored, sequence by sequence."""
    assert seqs.lengths.tolist() == [run.stop - run.start for run in plain.runs]
    first, stop = seqs.scored_steps()
    for number, run in enumerate(plain.runs):
        assert seqs[number]["x"].tolist() == plain.values(run)
        steps = range(run.stop - run.start)
        assert [first[number] <= step < stop[number] for step in steps] == plain.scored(run)
        if plain.offsets:
            assert seqs[number]["x_ahead"].tolist() == plain.ahead(run)


def refused(call: Any) -> bool:
    try:
        call()
    except (ValueError, DataError):
        return True
    return False
