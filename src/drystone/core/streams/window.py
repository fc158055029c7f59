"""A window of a stream: the sequences that are laid together, with their numbers in the source."""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pyarrow as pa

from drystone.core import storage
from drystone.core.batch import Batch
from drystone.core.errors import DataError
from drystone.core.feed import check_count
from drystone.core.grid import Ints
from drystone.core.sequences import Sequences
from drystone.core.streams.reading import Place


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Numbered:
    """Sequences, and their numbers in the source: [sequences], rising."""

    seqs: Sequences
    numbers: Ints

    def __len__(self) -> int:
        return len(self.numbers)

    def select(self, indices: Ints) -> Self:
        """Returns some of them, without a copy of values."""
        return replace(self, seqs=self.seqs.select(indices), numbers=self.numbers[indices])

    def renumber(self, batch: Batch) -> Batch:
        """Returns a batch of them that calls its sequences by their numbers in the source."""
        grid = batch.grid
        spans = replace(grid.spans, sequence=self.numbers[grid.spans.sequence])
        ends = replace(grid.ends, sequence=self.numbers[grid.ends.sequence])
        return replace(batch, grid=replace(grid, spans=spans, ends=ends))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Window:
    """The sequences that are laid together.

    Args:
        index: 0 for the first window of an epoch.
        held: the sequences, in the order of the source.
        place: of the source, when all of them were read.
    """

    index: int
    held: Numbered
    place: Place

    def save(self) -> dict[str, Any]:
        """Returns the window as plain data; values as the bytes of an Arrow table."""
        table = storage.to_table(self.held.seqs)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        return {
            "index": self.index,
            "numbers": self.held.numbers.tolist(),
            "sequences": sink.getvalue().to_pybytes(),
            "source": self.place.save(),
        }

    @classmethod
    def load(cls, saved: Any) -> Self:
        """Returns the window that `save` wrote.

        Raises:
            DataError: the data is damaged.
        """
        try:
            parts, _ = storage.parts_from_table(pa.ipc.open_stream(saved["sequences"]).read_all())
            numbers = np.array(saved["numbers"], dtype=np.int64)
            place, index = Place.load(saved["source"]), check_count(saved, "index")
        except DataError:
            raise
        except (KeyError, TypeError, ValueError, pa.ArrowException) as error:
            raise DataError(f"the saved position is damaged: its buffer cannot be read ({error}).") from error
        if len(numbers) != len(parts.lengths):
            raise DataError(
                f"the saved position is damaged: {len(numbers)} numbers for {len(parts.lengths)} sequences."
            )
        held = Numbered(seqs=Sequences.from_parts(parts, "error"), numbers=numbers)
        return cls(index=index, held=held, place=place)
