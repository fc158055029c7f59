"""A window of a stream: the sequences that are laid together, with their numbers in the source."""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pyarrow as pa

from drystone.core import storage
from drystone.core.errors import DataError
from drystone.core.grid import Ints, Spans
from drystone.core.position import check_count
from drystone.core.sequences import Sequences
from drystone.core.streams.source import Place


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Held:
    """Sequences in the buffer, or what is left of them.

    Args:
        seqs: the steps that were not delivered yet. Sequences that were begun stand first.
        numbers: [sequences], their numbers in the source.
        offsets: [sequences], the steps of each that were delivered.
        rows: [sequences that were begun], the row on which each goes on.
    """

    seqs: Sequences
    numbers: Ints
    offsets: Ints
    rows: Ints

    def __len__(self) -> int:
        return len(self.numbers)

    def names(self, spans: Spans) -> Spans:
        """Returns spans of them with the numbers and steps that the source knows them by."""
        offset = spans.offset + self.offsets[spans.sequence]
        return replace(spans, sequence=self.numbers[spans.sequence], offset=offset, is_first=offset == 0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Window:
    """The sequences that are laid together.

    Args:
        index: 0 for the first window of an epoch.
        held: the sequences; behind those that were begun, in the order of the source.
        place: of the source, when all of them were read.
    """

    index: int
    held: Held
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
            "offsets": self.held.offsets.tolist(),
            "rows": self.held.rows.tolist(),
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
            numbers, offsets, rows = (np.array(saved[name], np.int64) for name in ("numbers", "offsets", "rows"))
            place, index = Place.load(saved["source"]), check_count(saved, "index")
        except DataError:
            raise
        except (KeyError, TypeError, ValueError, pa.ArrowException) as error:
            raise DataError(f"the saved position is damaged: its buffer cannot be read ({error}).") from error
        if not len(rows) <= len(numbers) == len(offsets) == len(parts.lengths):
            raise DataError(
                f"the saved position is damaged: {len(numbers)} numbers for {len(parts.lengths)} sequences."
            )
        held = Held(seqs=Sequences.from_parts(parts, "error"), numbers=numbers, offsets=offsets, rows=rows)
        return cls(index=index, held=held, place=place)
