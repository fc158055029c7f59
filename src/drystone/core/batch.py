"""A batch: a grid, filled with the values of its sequences."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from drystone.core.errors import DataError
from drystone.core.grid import Bools, Ends, Grid, Ints, Spans
from drystone.core.words import so_many

Values = npt.NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Batch:
    """One grid of values and masks; it owns its memory.

    `batch[name]` is [rows, steps, *shape] for a field with a value a step (0 at padding), and
    [sequences that end here, *shape], in the order of `ends`, for one with a value a sequence.

    Args:
        grid: what lies where.
        step_fields: of each field with a value a step, [rows, steps, *shape].
        span_fields: of each field with a value a sequence, [spans, *shape].
        scored: bool [rows, steps], true where a cell counts in loss and metrics.
        epoch: the pass over the data that it belongs to, counted from 0.
    """

    grid: Grid
    step_fields: Mapping[str, Values]
    span_fields: Mapping[str, Values]
    scored: Bools
    epoch: int

    def __repr__(self) -> str:
        fields = ", ".join(f"{name} {self[name].dtype}{list(self[name].shape)}" for name in self.field_names)
        rows, steps = self.shape
        return f"Batch({rows:,} × {steps:,} cells, {so_many(int(self.valid.sum()), 'valid one')}; {fields})"

    def __getitem__(self, name: str) -> Values:
        if name in self.step_fields:
            return self.step_fields[name]
        return self.by_span(name)[self.ends.span]

    def __iter__(self) -> Iterator[str]:
        return iter(self.field_names)

    @property
    def field_names(self) -> tuple[str, ...]:
        return (*self.step_fields, *self.span_fields)

    @property
    def shape(self) -> tuple[int, int]:
        """The rows and steps of the grid."""
        return self.grid.num_rows, self.grid.num_steps

    @property
    def valid(self) -> Bools:
        """[rows, steps]: the cell holds a real step."""
        return self.grid.valid

    @property
    def reset(self) -> Bools:
        """[rows, steps]: a sequence starts here, so the state is zeroed just before."""
        return self.grid.reset

    @property
    def sequence(self) -> Ints:
        """[rows, steps]: the sequence in each cell, −1 at padding."""
        return self.grid.sequence

    @property
    def spans(self) -> Spans:
        return self.grid.spans

    @property
    def ends(self) -> Ends:
        """Where the sequences that end in this batch have their last step."""
        return self.grid.ends

    def by_span(self, name: str) -> Values:
        """Returns a field with a value a sequence, one value a span: [spans, *shape].

        Raises:
            DataError: there is no such field, or it has a value a step.
        """
        if name in self.step_fields:
            raise DataError(f"field {name!r} has a value a step already: use batch[{name!r}].")
        if name not in self.span_fields:
            raise DataError(f"there is no field {name!r} in this batch; the fields are: {', '.join(self.field_names)}.")
        return self.span_fields[name]

    def by_step(self, name: str) -> Values:
        """Returns a field with a value a sequence, repeated at each of its steps: [rows, steps, *shape].

        Raises:
            DataError: there is no such field, or it has a value a step.
        """
        values = self.by_span(name)
        filler = "" if values.dtype == object else np.zeros((), values.dtype)
        result = np.full((self.grid.num_rows * self.grid.num_steps, *values.shape[1:]), filler, dtype=values.dtype)
        result[self.grid.cells] = np.repeat(values, self.spans.length, axis=0)
        return result.reshape(*self.shape, *values.shape[1:])
