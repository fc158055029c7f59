"""What every layout shares: it places sequences of given lengths on grids, and the placement becomes a plan."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from operator import index
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self, SupportsIndex, cast, final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from drystone.core.errors import LayoutError
from drystone.core.lengths import Lengths, check_lengths, offsets_of
from drystone.core.plan import BATCH_COLUMNS, SPAN_COLUMNS, Plan
from drystone.core.shuffle import check_seed, permutation

if TYPE_CHECKING:
    from drystone.core.sequences import Sequences

Ints = npt.NDArray[np.int64]
Order = Literal["random", "given"]
Remainder = Literal["keep", "drop"]


NO_INTS: Ints = np.zeros(0, np.int64)


class Shuffle(Protocol):
    """The random orders of one epoch."""

    def __call__(self, count: int, purpose: int, groups: npt.NDArray[np.integer] | None = None) -> Ints:
        """Returns a random order of 0 … count − 1; with groups (numbers ≥ 0), random within each, rising over all."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Epoch:
    """What a layout lays out.

    Args:
        lengths: [sequences], each ≥ 1.
        shuffle: the random orders.
        carried: the rows on which the first sequences go on, from column 0 of the first batch.
        times: [steps of all sequences], end to end, when each step was; None where the layout needs none.
    """

    lengths: Lengths
    shuffle: Shuffle
    carried: Ints
    times: npt.NDArray[Any] | None = None

    def order(self, order: str, purpose: int) -> Ints:
        """Returns the sequences as they come, or in random order behind those that are carried."""
        if order == "given":
            return np.arange(len(self.lengths))
        first = len(self.carried)
        shuffled = self.shuffle(len(self.lengths) - first, purpose)
        return np.concatenate([np.arange(first), shuffled + first]) if first else shuffled


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Placement:
    """Where sequences lie: one entry a span, one entry a batch, and what was left out.

    Args:
        batch, row, step, sequence: [spans], in the order of batch, row and step.
        offset, length: [spans] which steps of the sequence.
        rows, steps: [batches] the shape of each batch.
        cost: [batches], whole numbers; its cells by default.
        dropped: sequences left out ...
        dropped_from: ... from this step on.
        max_cells: the budget that every batch keeps to, or None.
    """

    batch: Ints
    row: Ints
    step: Ints
    sequence: Ints
    offset: Ints
    length: Ints
    rows: Ints
    steps: Ints
    cost: Ints | None = None
    dropped: Ints = field(default_factory=lambda: NO_INTS)
    dropped_from: Ints = field(default_factory=lambda: NO_INTS)
    max_cells: int | None = None

    @classmethod
    def one_a_row(cls, sequence: Ints, lengths: Lengths, rows: Ints, **rest: Any) -> Self:
        """Lays one sequence a row, whole, from column 0.

        Args:
            sequence: [sequences], batch after batch.
            lengths: [sequences], of each.
            rows: [batches], of each batch.
            rest: `steps`, where it is not the longest of the batch, and what else there is.
        """
        starts = offsets_of(rows)[:-1]
        zeros = np.zeros(len(sequence), np.int64)
        row = np.arange(len(sequence))
        row -= np.repeat(starts, rows)
        rest.setdefault("steps", np.maximum.reduceat(lengths, starts) if len(starts) else NO_INTS)
        batch = np.repeat(np.arange(len(rows)), rows)
        places = {"batch": batch, "row": row, "step": zeros, "offset": zeros}
        return cls(sequence=sequence, length=lengths, rows=rows, **places, **rest)

    def up_to(self, batch: int) -> Self:
        """Drops this batch and all behind it."""
        kept = int(np.searchsorted(self.batch, batch))
        order = np.lexsort((self.offset[kept:], self.sequence[kept:]))
        sequence, offset = self.sequence[kept:][order], self.offset[kept:][order]
        first = np.append(True, sequence[1:] != sequence[:-1])[: len(sequence)]
        spans = {name: getattr(self, name)[:kept] for name in SPAN_COLUMNS}
        return replace(
            self,
            **spans,
            rows=self.rows[:batch],
            steps=self.steps[:batch],
            dropped=sequence[first],
            dropped_from=offset[first],
        )


class Layout(ABC):
    """The rule that turns lengths into spans."""

    __slots__ = ()

    def __repr__(self) -> str:
        words = ", ".join(f"{name}={value!r}" for name, value in self.arguments.items())
        return f"{type(self).__name__}({words})"

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments that differ from their defaults, by name."""
        every = {each.name: (getattr(self, each.name), each.default) for each in fields(cast("Any", self))}
        return {name: value for name, (value, default) in every.items() if value != default}

    @property
    @abstractmethod
    def longest(self) -> int | None:
        """The longest sequence that a batch can hold, in steps; None where there is no limit."""

    @property
    def carries(self) -> bool:
        """Whether a sequence may go on in the next batch, so that a row's state has to be carried."""
        return False

    @property
    def time_field(self) -> str | None:
        """The field that says when each step was, where the layout needs one."""
        return None

    @abstractmethod
    def place(self, epoch: Epoch) -> Placement:
        """Lays sequences on grids."""

    @final
    def plan(
        self,
        lengths: "Sequences | npt.ArrayLike | Sequence[int]",
        seed: int = 0,
        epoch: int = 0,
        *,
        carried: npt.ArrayLike | Sequence[int] = (),
    ) -> Plan:
        """Returns the plan of one epoch: the same for the same arguments on every machine.

        Args:
            lengths: [sequences], whole numbers ≥ 1; or the sequences themselves, for layouts that look at their times.
            seed: 0 … 2⁶⁴ − 1.
            epoch: 0 … 2⁶⁴ − 1; each has random orders of its own.
            carried: the rows on which the first sequences go on, from column 0 of the first batch: the rests of
                sequences that an earlier plan began. Only for layouts that carry state.

        Raises:
            DataError: a length that is no whole number ≥ 1, or times that do not rise.
            LayoutError: a sequence that the layout cannot hold; the message names it.

        Example:
            >>> from drystone import Packed
            >>> Packed(rows=2, steps=4).plan([3, 1, 4]).padding_fraction
            0.0
        """
        whole = check_lengths(cast("Lengths", getattr(lengths, "lengths", lengths)))
        self.check(whole)
        check_seed("seed", seed)
        check_seed("epoch", epoch)
        placed = self.place(
            Epoch(
                lengths=whole,
                shuffle=lambda count, purpose, groups=None: permutation(count, seed, epoch, purpose, groups),
                carried=self._check_carried(np.asarray(carried), len(whole)),
                times=self._times(lengths),
            )
        )
        return _plan_of(placed, whole)

    def _check_carried(self, rows: npt.NDArray[Any], count: int) -> Ints:
        if len(rows) and not self.carries:
            raise LayoutError(f"{type(self).__name__} carries no state; carried= is for layouts that do.")
        if len(rows) > count or len(np.unique(rows)) != len(rows) or (len(rows) and rows.min() < 0):
            raise LayoutError(f"carried is {rows.tolist()}; expected a row of its own for each of the first sequences.")
        return rows.astype(np.int64)

    def _times(self, lengths: Any) -> npt.NDArray[Any] | None:
        if self.time_field is None:
            return None
        if not hasattr(lengths, "field"):
            raise LayoutError(f"{self} looks at the field {self.time_field!r}: plan the sequences, not their lengths.")
        return lengths.field(self.time_field).values

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


def _plan_of(placed: Placement, lengths: Lengths) -> Plan:
    cells = placed.rows * placed.steps
    cost = cells if placed.cost is None else placed.cost
    batches = (placed.rows, placed.steps, np.arange(len(cells)), cells, cost)
    dropped = {
        "sequence": placed.dropped,
        "offset": placed.dropped_from,
        "length": lengths[placed.dropped] - placed.dropped_from,
        "reason": pa.array(["remainder"] * len(placed.dropped), pa.string()),
    }
    return Plan(
        table=_table(SPAN_COLUMNS, [getattr(placed, name) for name in SPAN_COLUMNS]),
        batches=_table(BATCH_COLUMNS, batches),
        dropped=pa.table(dropped),
        lengths=lengths,
        max_cells=placed.max_cells,
    )


def _table(names: Sequence[str], columns: Sequence[Ints]) -> pa.Table:
    return pa.Table.from_arrays([pa.array(column) for column in columns], names=list(names))
