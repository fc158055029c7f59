"""Packing in plain Python: best fit decreasing, over grids and over groups; the oracle of the C++."""

from bisect import bisect_left, insort

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Span = tuple[int, int, int, int, int, int]
Spans = tuple[Ints, Ints, Ints, Ints, Ints, Ints]


class Rooms:
    """Rows by the room that they have left."""

    def __init__(self) -> None:
        self._rooms: list[int] = []
        self._rows: dict[int, list[int]] = {}

    def push(self, room: int, row: int) -> None:
        """Adds a row; without room it is left out."""
        if room < 1:
            return
        if not self._rows.get(room):
            insort(self._rooms, room)
            self._rows[room] = []
        self._rows[room].append(row)

    def pop(self, length: int) -> tuple[int, int]:
        """Takes the row with the least room that suffices, of several the last added; (0, −1) where there is none."""
        at = bisect_left(self._rooms, length)
        if at == len(self._rooms):
            return 0, -1
        room = self._rooms[at]
        row = self._rows[room].pop()
        if not self._rows[room]:
            del self._rooms[at]
        return room, row

    @property
    def largest(self) -> int:
        return self._rooms[-1] if self._rooms else 0

    def total(self, gap: int) -> int:
        """The room of all rows together, with a gap for each."""
        return sum((room + gap) * len(self._rows[room]) for room in self._rooms)


def fill_grids(lengths: Ints, rows: int, steps: int, gap: int, carried: Ints) -> Spans:
    """Does what `drystone.native.fill_grids` says."""
    grids = _Grids(lengths.tolist(), rows, steps, gap, carried.tolist())
    while grids.goes_on:
        grids.fill_one()
    return _columns(grids.spans)


class _Grids:
    """The grids so far, and what goes on or waits."""

    def __init__(self, lengths: list[int], rows: int, steps: int, gap: int, carried: list[int]) -> None:
        self.spans: list[Span] = []
        self._lengths, self._rows, self._steps, self._gap = lengths, rows, steps, gap
        self._going = {row: (item, 0) for item, row in enumerate(carried)}
        self._waiting: list[int] = []
        self._taken = len(carried)
        self._grid = 0

    @property
    def goes_on(self) -> bool:
        return bool(self._going or self._waiting) or self._taken < len(self._lengths)

    def fill_one(self) -> None:
        rooms, begun = Rooms(), self._going
        self._going = {}
        for row in reversed(range(self._rows)):
            room = self._lay(row, self._steps, *begun[row]) if row in begun else self._steps
            rooms.push(room, row)
        self._draw(rooms)
        left: list[int] = []
        for item in sorted(self._waiting, key=lambda item: (-self._lengths[item], item)):
            room, row = rooms.pop(self._lengths[item])
            if row < 0:
                left.append(item)
            else:
                rooms.push(self._lay(row, room, item, 0), row)
        self._waiting = sorted(left)
        self._grid += 1

    def _lay(self, row: int, room: int, item: int, offset: int) -> int:
        """Lays a sequence, as far as there is room, and returns the room that is left."""
        length = min(self._lengths[item] - offset, room)
        self.spans.append((self._grid, row, self._steps - room, item, offset, length))
        if offset + length < self._lengths[item]:
            self._going[row] = item, offset + length
        return room - length - self._gap

    def _draw(self, rooms: Rooms) -> None:
        """Takes the next sequences, as long as all that could find room add up to no more than there is."""
        gap = self._gap
        free = rooms.total(gap) - sum(
            self._lengths[item] + gap for item in self._waiting if self._lengths[item] <= rooms.largest
        )
        while self._taken < len(self._lengths):
            length = self._lengths[self._taken]
            if length > self._steps:
                room, row = rooms.pop(1)
                if row < 0:
                    return
                self._lay(row, room, self._taken, 0)
                free -= room + gap
            elif length <= rooms.largest and length + gap > free:
                return
            else:
                self._waiting.append(self._taken)
                free -= length + gap
                if length > rooms.largest:
                    self._taken += 1
                    return
            self._taken += 1


def pack_groups(lengths: Ints, group: int, rows: int, steps: int, gap: int, multiple: int) -> tuple[Spans, Ints, Ints]:
    """Does what `drystone.native.pack_groups` says."""
    spans: list[Span] = []
    shapes: list[tuple[int, int]] = []
    for grid, start in enumerate(range(0, len(lengths), group)):
        part = lengths[start : start + group].tolist()
        order = sorted(range(len(part)), key=lambda item: (-part[item], item))
        ordered = [part[item] for item in order]
        if steps:
            num_rows, num_steps = len(part), steps
        elif rows:
            num_rows, num_steps = rows, least_steps(ordered, rows, gap)
        else:
            num_rows, num_steps = snug_shape(ordered, gap, multiple)
        placed = best_fit(ordered, num_rows, num_steps, gap)
        assert placed is not None
        spans += [(grid, *place, start + item, 0, part[item]) for item, place in zip(order, placed, strict=True)]
        shapes.append((max(row for row, _ in placed) + 1 if steps else num_rows, num_steps))
    shape = np.array(shapes, dtype=np.int64).reshape(-1, 2)
    return _columns(spans), shape[:, 0].copy(), shape[:, 1].copy()


def chosen_rows(total: int, longest: int, multiple: int) -> int:
    """Returns the rows that `total` cells fill when a row has `longest` cells, rounded down to a multiple."""
    rows = max(1, total // longest)
    return rows if rows < multiple else rows - rows % multiple


def snug_shape(ordered: list[int], gap: int, multiple: int) -> tuple[int, int]:
    """Returns the shape for a group: as many rows as it fills, or half of them as long as that saves a thirtieth."""
    rows = chosen_rows(sum(ordered) + gap * len(ordered), ordered[0] + gap, multiple)
    steps = least_steps(ordered, rows, gap)
    while rows >= 2 * multiple:
        fewer = rows // 2 - rows // 2 % multiple
        longer = least_steps(ordered, fewer, gap)
        if 30 * fewer * longer > 29 * rows * steps:
            break
        rows, steps = fewer, longer
    return rows, steps


def least_steps(ordered: list[int], rows: int, gap: int) -> int:
    """Returns the least steps into which the lengths, longest first, are seen to fit (multifit, Coffman et al. 1978)."""
    cells = sum(ordered) + gap * len(ordered)
    low = max(ordered[0], -(-cells // rows) - gap)
    high = low + ordered[0] + gap
    while low < high:
        middle = (low + high) // 2
        if best_fit(ordered, rows, middle, gap) is None:
            low = middle + 1
        else:
            high = middle
    return high


def best_fit(ordered: list[int], rows: int, steps: int, gap: int) -> list[tuple[int, int]] | None:
    """Returns the row and first step of each length, in this order; None where there is no room for one."""
    rooms = Rooms()
    for row in reversed(range(rows)):
        rooms.push(steps, row)
    placed: list[tuple[int, int]] = []
    for length in ordered:
        room, row = rooms.pop(length)
        if row < 0:
            return None
        placed.append((row, steps - room))
        rooms.push(room - length - gap, row)
    return placed


def _columns(spans: list[Span]) -> Spans:
    table = np.array(sorted(spans), dtype=np.int64).reshape(-1, 6)
    grid, row, step, item, offset, length = (table[:, column].copy() for column in range(6))
    return grid, row, step, item, offset, length
