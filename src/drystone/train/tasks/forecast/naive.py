"""Naive forecasts: the last value again, or the value one season before."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from drystone.core.batch import Batch
from drystone.core.column import Column
from drystone.core.free_name import free_name
from drystone.core.lengths import ranges
from drystone.core.sequences import Sequences
from drystone.train.features.encode import filled_forward

Ints = npt.NDArray[np.int64]
LAST: tuple[int, ...] = (0,)


def naive_offsets(season: int | None, horizon: int) -> tuple[int, ...]:
    """Returns how far from a step the values lie that stand for those at the next steps; each ≤ 0.

    Args:
        season: in steps; the smallest number of seasons before a step that has come by now is taken. None for the last
            value, which stands for all steps ahead.
        horizon: how many steps ahead.

    Example:
        >>> naive_offsets(3, 5), naive_offsets(None, 5)
        ((-2, -1, 0, -2, -1), (0,))
    """
    if season is None:
        return LAST
    return tuple((ahead - 1) % season + 1 - season for ahead in range(1, horizon + 1))


def with_beginnings(seqs: Sequences, target: str) -> Sequences:
    """Returns the sequences with where they begin among all values as their last field a sequence: views of them keep it."""
    name = free_name(f"{target} begins", seqs.field_names)
    columns: Mapping[str, Column] = {key: seqs.field(key).compact for key in seqs.sequence_columns}
    return replace(
        seqs,
        sequence_columns={**columns, name: Column(seqs.starts)},
        rows=np.arange(len(seqs)),
        sources=seqs.source,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class Naive:
    """What naive forecasts say, from the past of each sequence as it was before any view of it was taken.

    Where no value lies so far back, the last one stands for it; for one that misses, the last one before that is known, or
    NaN where none is.

    Args:
        seqs: of the batches, made from what `with_beginnings` returned.
        target: the field, a number or a vector of numbers a step.
        offsets: as `naive_offsets` has them.
    """

    seqs: Sequences
    target: str
    offsets: tuple[int, ...]

    def at(self, batch: Batch, cells: Ints) -> npt.NDArray[np.float64]:
        """Returns the forecasts at valid cells: [cells, horizon, numbers], or [cells, 1, numbers] of the last value.

        Args:
            batch: of the sequences.
            cells: their numbers row × steps + step.
        """
        seqs, spans = self.seqs, batch.spans
        step, begin = np.zeros((2, batch.grid.num_rows * batch.grid.num_steps), dtype=np.int64)
        step[batch.grid.cells] = ranges(seqs.starts[spans.sequence] + spans.offset, spans.length)
        begin[batch.grid.cells] = np.repeat(self._beginnings[spans.sequence], spans.length)
        now = step[cells, None]
        then = now + np.array(self.offsets)
        found = self._values.take(np.where(then < begin[cells, None], now, then), axis=0)
        return (found if found.ndim > 2 else found[:, :, None]).astype(np.float64)

    @cached_property
    def _values(self) -> npt.NDArray[Any]:
        """Of the whole column; a value that misses is the last one before that is known, in the same source."""
        column = self.seqs.step_columns[self.target]
        return filled_forward(column.slice(0, len(column)), self.seqs.source_starts)

    @property
    def _beginnings(self) -> Ints:
        return self.seqs.field(next(reversed(dict(self.seqs.sequence_columns)))).values
