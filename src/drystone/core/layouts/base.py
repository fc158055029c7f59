"""What every layout shares: it places sequences of given lengths on grids, and the placement becomes a plan."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, cast, final

import numpy as np
import numpy.typing as npt

from drystone.core.errors import LayoutError
from drystone.core.layouts.epoch import Epoch
from drystone.core.layouts.placement import NO_INTS, Ints, Placement, plan_of
from drystone.core.lengths import Lengths, check_lengths
from drystone.core.plan import Plan
from drystone.core.shuffle import check_seed, permutation

if TYPE_CHECKING:
    from drystone.core.sequences import Sequences


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
        epoch = check_seed("epoch", epoch)
        placed = self.place(
            Epoch(
                lengths=whole,
                shuffle=lambda count, purpose, groups=None: permutation(count, seed, epoch, purpose, groups),
                carried=self._check_carried(np.asarray(carried), len(whole)),
                times=self._times(lengths),
            )
        )
        return plan_of(placed, whole, epoch)

    def _check_carried(self, rows: npt.NDArray[Any], count: int) -> Ints:
        if rows.size and not self.carries:
            raise LayoutError(f"{type(self).__name__} carries no state; carried= is for layouts that do.")
        is_whole = rows.ndim == 1 and (rows.dtype.kind in "iu" or not rows.size)
        found = rows.astype(np.int64) if is_whole else NO_INTS
        if not is_whole or len(found) > count or len(np.unique(found)) != len(found) or (found < 0).any():
            raise LayoutError(f"carried is {rows.tolist()}; expected a row of its own for each of the first sequences.")
        return found

    def _times(self, lengths: Any) -> npt.NDArray[Any] | None:
        if self.time_field is None:
            return None
        if not hasattr(lengths, "field"):
            raise LayoutError(f"{self} looks at the field {self.time_field!r}: plan the sequences, not their lengths.")
        field = lengths.field(self.time_field)
        if not field.per_step or field.is_text:
            kind = "text" if field.is_text else "one value a sequence"
            raise LayoutError(f"{self}: field {self.time_field!r} holds {kind}; expected a number or timestamp a step.")
        return field.values

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
