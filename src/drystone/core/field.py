"""One field of some sequences, to look at."""

from collections.abc import Iterator
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

BLOCK_BYTES = 4 << 20
BYTES_OF_TEXT = 64  # of a text, about, in Python


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

    def blocks(self, overlap: int = 0) -> Iterator[tuple[int, Self]]:
        """Yields all values in order as fields of some megabytes each, with the position of the first of its values.

        What looks at all values of data that may be larger than memory takes them so: `values` may copy them.

        Args:
            overlap: how many values before its own a block repeats, where there are as many.

        Example:
            >>> from drystone import Sequences
            >>> field = Sequences.from_arrays(per_step={"x": [[1, 2], [3]]}).field("x")
            >>> [(first, block.values.tolist()) for first, block in field.blocks()]
            [(0, [1, 2, 3])]
        """
        bounds = offsets_of(self.lengths)
        a_value = self.column.empty((1,)).nbytes * max(1, len(self.offsets))
        size = max(1, BLOCK_BYTES // (BYTES_OF_TEXT if self.is_text else a_value))
        for own in range(0, int(bounds[-1]), size):
            first, stop = max(0, own - overlap), min(own + size, int(bounds[-1]))
            begin = int(np.searchsorted(bounds, first, side="right")) - 1
            chosen = slice(begin, int(np.searchsorted(bounds, stop)))
            skipped = np.maximum(first - bounds[:-1][chosen], 0)
            taken = np.minimum(self.lengths[chosen], stop - bounds[:-1][chosen]) - skipped
            ceiling = self.starts[chosen] + self.lengths[chosen] if self.ceiling is None else self.ceiling[chosen]
            yield first, replace(self, starts=self.starts[chosen] + skipped, lengths=taken, ceiling=ceiling)

    def content(self) -> Iterator[memoryview]:
        """Yields memory that differs where any value does, or which are missing; no copy of all values but of text."""
        parts = [self] if self.is_text else (block for _, block in self.blocks())
        return (content for part in parts for content in part.compact.content())

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
