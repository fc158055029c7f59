"""A grid of rows × steps: its spans, and the masks that follow from them."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from drystone.core.errors import ShapeError
from drystone.core.lengths import ranges
from drystone.native import fill_masks

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Spans:
    """Runs of consecutive steps of one sequence, in row-major order; each attribute is [spans].

    Args:
        row: the row that it lies on.
        start, stop: its first column, and the one after its last.
        sequence: which sequence.
        offset: the step of the sequence at `start`.
        is_first: whether the sequence starts here.
        is_last: whether the sequence ends here.
    """

    row: Ints
    start: Ints
    stop: Ints
    sequence: Ints
    offset: Ints
    is_first: Bools
    is_last: Bools

    def __len__(self) -> int:
        return len(self.row)

    @property
    def length(self) -> Ints:
        return self.stop - self.start


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ends:
    """Where sequences have their last step, in row-major order; each attribute is [sequences ending here].

    Args:
        row, step: the cell of the last step.
        sequence: which sequence.
        span: which of the grid's spans it ends.
    """

    row: Ints
    step: Ints
    sequence: Ints
    span: Ints

    def __len__(self) -> int:
        return len(self.row)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grid:
    """What lies where on a grid; masks are bool [rows, steps].

    Args:
        num_rows, num_steps: its shape.
        spans: its spans, in row-major order.
        ends: where sequences end.
        valid: true where a cell holds a real step.
        reset: true where the state is zeroed just before the cell.
    """

    num_rows: int
    num_steps: int
    spans: Spans
    ends: Ends
    valid: Bools
    reset: Bools

    @classmethod
    def from_spans(cls, num_rows: int, num_steps: int, spans: Spans) -> Self:
        """Derives the masks: valid inside spans, reset where a sequence starts."""
        cells = spans.row * num_steps + spans.start
        valid, reset = (np.empty(num_rows * num_steps, dtype=bool) for _ in range(2))
        fill_masks(cells, spans.length, spans.is_first, valid, reset)
        return cls(
            num_rows=num_rows,
            num_steps=num_steps,
            spans=spans,
            ends=_ends_of(spans),
            valid=valid.reshape(num_rows, num_steps),
            reset=reset.reshape(num_rows, num_steps),
        )

    @classmethod
    def from_masks(cls, reset: npt.ArrayLike, valid: npt.ArrayLike) -> Self:
        """Finds the spans that raw masks describe.

        A span ends where the row, its valid cells or its sequence end. Spans are numbered as their own
        sequences, from one reset to the next; the last one of a row is taken to end there.

        Args:
            reset: bool [rows, steps].
            valid: bool [rows, steps].

        Raises:
            ShapeError: a mask that is not bool, or masks of two shapes.

        Example:
            >>> grid = Grid.from_masks(reset=[[True, False, True]], valid=[[True, True, True]])
            >>> grid.spans.start, grid.ends.step
            (array([0, 2]), array([1, 2]))
        """
        resets, valids = _check_mask("reset", reset), _check_mask("valid", valid)
        if resets.shape != valids.shape:
            raise ShapeError(f"reset has shape {resets.shape} and valid {valids.shape}; they must be equal.")
        return cls(
            num_rows=valids.shape[0],
            num_steps=valids.shape[1],
            spans=(spans := _spans_of(resets, valids)),
            ends=_ends_of(spans),
            valid=valids,
            reset=resets,
        )

    @property
    def sequence(self) -> Ints:
        """[rows, steps]: the sequence in each cell, −1 at padding."""
        result = np.full((self.num_rows, self.num_steps), -1, dtype=np.int64)
        result.reshape(-1)[self.cells] = np.repeat(self.spans.sequence, self.spans.length)
        return result

    @property
    def first_cells(self) -> Ints:
        """[spans]: the number row × steps + step of the cell where each span starts."""
        return self.spans.row * self.num_steps + self.spans.start

    @property
    def cells(self) -> Ints:
        """[valid cells]: their numbers row × steps + step, span after span."""
        return ranges(self.first_cells, self.spans.length)

    def places(self, cells: Ints) -> Ints:
        """Returns [cells, 2]: the sequence of valid cells, and which of its steps they hold.

        Args:
            cells: their numbers row × steps + step.

        Example:
            >>> grid = Grid.from_masks(reset=[[True, False, True]], valid=[[True, True, True]])
            >>> grid.places(np.array([1, 2]))
            array([[0, 1],
                   [1, 0]])
        """
        span = np.searchsorted(self.first_cells, cells, side="right") - 1
        step = self.spans.offset[span] + cells - self.first_cells[span]
        return np.stack([self.spans.sequence[span], step], axis=1)


def _check_mask(name: str, mask: npt.ArrayLike) -> Bools:
    array = np.asarray(mask)
    if array.dtype != bool or array.ndim != 2 or array.shape[1] == 0:
        raise ShapeError(f"{name} must be bool of shape [rows, steps]; got {array.dtype} of shape {array.shape}.")
    return array


def _ends_of(spans: Spans) -> Ends:
    last = np.flatnonzero(spans.is_last)
    return Ends(row=spans.row[last], step=spans.stop[last] - 1, sequence=spans.sequence[last], span=last)


def _spans_of(reset: Bools, valid: Bools) -> Spans:
    segment = np.cumsum(reset, axis=1, dtype=np.int64)  # the resets so far tell the sequences of a row apart
    gap = np.ones((len(valid), 1), dtype=bool)
    opens = valid & (reset | np.hstack([gap, ~valid[:, :-1]]))
    closes = valid & np.hstack([reset[:, 1:] | ~valid[:, 1:], gap])
    row, start = np.nonzero(opens)
    stop = np.nonzero(closes)[1] + 1
    changes = np.ones(len(row), dtype=bool)  # a span that is the first of its (row, segment)
    changes[1:] = (row[1:] != row[:-1]) | (segment[row, start][1:] != segment[row, start][:-1])
    sequence = np.cumsum(changes) - 1
    length = stop - start
    before = np.cumsum(length) - length
    return Spans(
        row=row,
        start=start,
        stop=stop,
        sequence=sequence,
        offset=before - before[changes][sequence] if len(row) else before,
        is_first=changes & (segment[row, start] > 0),
        is_last=np.append(changes[1:], True)[: len(row)],
    )
