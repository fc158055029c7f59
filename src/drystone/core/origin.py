"""Where sequences were read from, so that an error can name the place in the user's file."""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Origin:
    """The file behind some sequences, or several.

    Args:
        name: the file's name, or None for data that came from memory.
        unit: what one record of the file is called: "row" or "line".
        first: the number of the first record, as the user counts them.
        one_step_a_row: whether a record holds one step (else one whole sequence).
        order: [records] the record that each value came from, or None where the order was kept.
        names: of each record, the file that it is; () where all lie in one.
        members: where sequences of several sources lie one after the other, the first step, the first sequence and the
            origin of each.
    """

    name: str | None = None
    unit: str = "row"
    first: int = 0
    one_step_a_row: bool = False
    order: npt.NDArray[np.int64] | None = None
    names: tuple[str, ...] = ()
    members: tuple[tuple[int, int, "Origin"], ...] = ()

    def where(self, position: int, row: int) -> str:
        """Returns words such as "line 12 of pumps.csv", or "" for data from memory.

        Args:
            position: where the step lies among all steps.
            row: where the sequence lies among all sequences.
        """
        if self.members:
            # A series may go on in the next source, whose records are steps then.
            steps, sequences, origin = next(
                (steps, sequences, origin)
                for steps, sequences, origin in reversed(self.members)
                if (steps <= position if origin.one_step_a_row else sequences <= row)
            )
            return origin.where(position - steps, row - sequences)
        if self.name is None:
            return ""
        record = position if self.one_step_a_row else row
        if self.order is not None:
            record = int(self.order[record])
        if self.names:
            return self.names[record]
        return f"{self.unit} {record + self.first} of {self.name}"

    def taken(self, records: npt.NDArray[np.int64]) -> "Origin":
        """Returns the origin of values that were taken from these records, in this order."""
        return replace(self, order=records if self.order is None else self.order[records])
