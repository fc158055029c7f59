"""One field of some sequences, to look at."""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from drystone.core.ahead import gather_ahead
from drystone.core.arrow import column_to_arrow
from drystone.core.column import Column
from drystone.core.lengths import Lengths, offsets_of, ranges
from drystone.core.words import so_many


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Field:
    """One field: `field[i]` is what sequence i holds, `field.values` everything end to end.

    A field made by `ahead` holds values of its source's column some steps ahead; they are gathered when asked for.

    Args:
        name: what it is called.
        per_step: whether it has a value a step (else a value a sequence).
        column: the values.
        starts, lengths: [sequences] where each sequence lies in the column.
        offsets: of a field made by `ahead`, how many steps ahead its values lie; () otherwise.
        ceiling: [sequences] where values ahead no longer exist; the end of the sequence by default.

    Example:
        >>> from drystone import Sequences
        >>> field = Sequences.from_arrays(per_step={"x": [[1, 2], [3]]}).field("x")
        >>> field.values, field[1]
        (array([1, 2, 3]), array([3]))
        >>> field
        Field(x: int64 a step, of 2 sequences)
    """

    name: str
    per_step: bool
    column: Column
    starts: npt.NDArray[np.int64]
    lengths: Lengths
    offsets: tuple[int, ...] = ()
    ceiling: npt.NDArray[np.int64] | None = None

    def __repr__(self) -> str:
        kind = "step" if self.per_step else "sequence"
        return f"Field({self.name}: {self.describe()} a {kind}, of {so_many(len(self), 'sequence')})"

    def __len__(self) -> int:
        return len(self.lengths)

    def __getitem__(self, index: int) -> Any:
        index = range(len(self))[index]
        if self.offsets:
            return self._gathered(slice(index, index + 1))
        found = self.column.slice(int(self.starts[index]), int(self.lengths[index]))
        return found if self.per_step else found[0]

    @property
    def values(self) -> npt.NDArray[Any]:
        """All values end to end: [steps or sequences, *shape]; a copy only where they lie apart in memory."""
        if self.offsets:
            return self._gathered(slice(None))
        return self.column.slice(*self._run) if self._is_one_run else self.column.take(self._positions)

    @property
    def is_text(self) -> bool:
        return self.column.is_text

    @property
    def is_numeric(self) -> bool:
        return self.column.is_numeric

    @property
    def item_shape(self) -> tuple[int, ...]:
        """The shape of one step (or of one sequence's value); () for scalars."""
        return (len(self.offsets), *self.column.item_shape) if self.offsets else self.column.item_shape

    def describe(self) -> str:
        """The type and shape in short, such as float32[12]."""
        shape = "×".join(str(size) for size in self.item_shape)
        return f"{self.column.type_name}[{shape}]" if shape else self.column.type_name

    def to_arrow(self) -> pa.Array:
        """The field as an Arrow array with one entry a sequence; without a copy where the values lie together."""
        values = column_to_arrow(self.compact)
        if not self.per_step:
            return values
        return pa.LargeListArray.from_arrays(pa.array(offsets_of(self.lengths)), values)

    @property
    def compact(self) -> Column:
        """The values end to end, as a column; a copy only where they lie apart in memory."""
        if self.column.is_text:
            arrow = column_to_arrow(self.column)
            return Column(arrow.slice(*self._run) if self._is_one_run else arrow.take(pa.array(self._positions)))
        return Column(self.values)

    def part(self, sequence: int, offset: int, length: int) -> Self:
        """Returns a run of steps of one sequence, without a copy of values.

        Args:
            sequence: which.
            offset: its first step that is wanted.
            length: how many; of a field with a value a sequence, 0 and 1.
        """
        ceiling = None if self.ceiling is None else self.ceiling[[sequence]]
        starts = self.starts[[sequence]]
        if ceiling is None and self.offsets:
            ceiling = starts + self.lengths[[sequence]]
        return replace(self, starts=starts + offset, lengths=np.array([length]), ceiling=ceiling)

    def _gathered(self, chosen: slice) -> npt.NDArray[Any]:
        starts, lengths = self.starts[chosen], self.lengths[chosen]
        ceiling = starts + lengths if self.ceiling is None else self.ceiling[chosen]
        return gather_ahead(self.column, self.offsets, ranges(starts, lengths), np.repeat(ceiling, lengths))

    @property
    def _is_one_run(self) -> bool:
        return bool((self.starts[1:] == self.starts[:-1] + self.lengths[:-1]).all())

    @property
    def _run(self) -> tuple[int, int]:
        return (int(self.starts[0]) if len(self) else 0), int(self.lengths.sum())

    @property
    def _positions(self) -> npt.NDArray[np.int64]:
        return ranges(self.starts, self.lengths)
