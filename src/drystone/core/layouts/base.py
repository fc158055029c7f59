"""What every layout shares: it places sequences of given lengths on grids, and the placement becomes a plan."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from operator import index
from typing import Literal, SupportsIndex, final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from drystone.core.errors import LayoutError
from drystone.core.lengths import Lengths, check_lengths
from drystone.core.plan import BATCH_COLUMNS, SPAN_COLUMNS, Plan
from drystone.core.shuffle import check_seed, permutation

Ints = npt.NDArray[np.int64]
Order = Literal["random", "given"]
Remainder = Literal["keep", "drop"]
Shuffle = Callable[[int, int], Ints]


def no_ints() -> Ints:
    """Returns an empty array of integers."""
    return np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placement:
    """Where sequences lie: one entry a span, one entry a batch, and what was left out.

    Args:
        batch, row, step, sequence: [spans], in any order.
        offset, length: [spans] which steps of the sequence; all of them by default.
        rows, steps: [batches] the shape of each batch.
        dropped: sequences left out, whole.
        max_cells: the budget that every batch keeps to, or None.
    """

    batch: Ints
    row: Ints
    step: Ints
    sequence: Ints
    rows: Ints
    steps: Ints
    offset: Ints | None = None
    length: Ints | None = None
    dropped: Ints = field(default_factory=no_ints)
    max_cells: int | None = None


class Layout(ABC):
    """The rule that turns lengths into spans."""

    __slots__ = ()

    @property
    @abstractmethod
    def longest(self) -> int | None:
        """The longest sequence that a batch can hold, in steps; None where there is no limit."""

    @abstractmethod
    def place(self, lengths: Lengths, shuffle: Shuffle) -> Placement:
        """Lays sequences on grids.

        Args:
            lengths: [sequences], each ≥ 1.
            shuffle: shuffle(count, purpose) is a random order of 0 … count − 1.
        """

    @final
    def plan(self, lengths: npt.ArrayLike | Sequence[int], seed: int = 0, epoch: int = 0) -> Plan:
        """Returns the plan of one epoch: the same for the same arguments on every machine.

        Args:
            lengths: [sequences], whole numbers ≥ 1.
            seed: 0 … 2⁶⁴ − 1.
            epoch: 0 … 2⁶⁴ − 1; each has random orders of its own.

        Raises:
            DataError: a length that is no whole number ≥ 1.
            LayoutError: a sequence that the layout cannot hold; the message names it.

        Example:
            >>> from drystone import Packed
            >>> Packed(rows=2, steps=4).plan([3, 1, 4]).padding_fraction
            0.0
        """
        whole = check_lengths(lengths)
        self.check(whole)
        check_seed("seed", seed)
        check_seed("epoch", epoch)
        placed = self.place(whole, lambda count, purpose: permutation(count, seed, epoch, purpose))
        return _plan_of(placed, whole)

    @final
    def check(self, lengths: Lengths, numbers: Ints | None = None) -> None:
        """Raises LayoutError, naming the first sequence that is longer than a batch can hold.

        Args:
            lengths: [sequences].
            numbers: [sequences], what the sequences are called; 0, 1, 2, ... by default.
        """
        if self.longest is None:
            return
        at = int(np.argmax(lengths > self.longest))
        if lengths[at] > self.longest:
            number = at if numbers is None else int(numbers[at])
            raise LayoutError(
                f"lengths[{number}] is {lengths[at]}; this {type(self).__name__} layout holds sequences of up to "
                f"{self.longest} steps. Give it more room, or cut the sequence."
            )


def check_positive(layout: str, **numbers: object) -> None:
    """Raises LayoutError where a number is not a whole number ≥ 1."""
    for name, number in numbers.items():
        if isinstance(number, bool) or not isinstance(number, (int, np.integer)) or number < 1:
            raise LayoutError(f"{layout}: {name} must be a whole number of at least 1; got {number!r}.")


def freeze(layout: "Layout", *names: str) -> None:
    """Makes numbers Python ints and lists of them tuples, so that equal layouts compare, hash and print alike."""
    for name in names:
        value = getattr(layout, name)
        if value is not None:
            plain = index(value) if isinstance(value, SupportsIndex) else tuple(index(number) for number in value)
            object.__setattr__(layout, name, plain)


def check_choice(layout: str, name: str, value: str, choices: Sequence[str]) -> None:
    """Raises LayoutError where a value is none of the choices."""
    if value not in choices:
        raise LayoutError(f"{layout}: {name} must be one of {', '.join(map(repr, choices))}; got {value!r}.")


def longest_of_each(lengths: Lengths, starts: Ints) -> Ints:
    """Returns the longest of each run of lengths; `starts` is where each run begins."""
    return np.maximum.reduceat(lengths, starts).astype(np.int64) if len(starts) else no_ints()


def _plan_of(placed: Placement, lengths: Lengths) -> Plan:
    order = np.lexsort((placed.step, placed.row, placed.batch))
    sequence = placed.sequence[order]
    offset = np.zeros_like(sequence) if placed.offset is None else placed.offset[order]
    length = lengths[sequence] if placed.length is None else placed.length[order]
    spans = (placed.batch[order], placed.row[order], placed.step[order], sequence, offset, length)
    cells = placed.rows * placed.steps
    batches = (placed.rows, placed.steps, np.arange(len(cells)), cells, cells)
    dropped = {
        "sequence": placed.dropped,
        "offset": np.zeros_like(placed.dropped),
        "length": lengths[placed.dropped],
        "reason": pa.array(["remainder"] * len(placed.dropped), pa.string()),
    }
    return Plan(
        table=_table(SPAN_COLUMNS, spans),
        batches=_table(BATCH_COLUMNS, batches),
        dropped=pa.table(dropped),
        lengths=lengths,
        max_cells=placed.max_cells,
    )


def _table(names: Sequence[str], columns: Sequence[Ints]) -> pa.Table:
    return pa.Table.from_arrays([pa.array(column) for column in columns], names=list(names))
