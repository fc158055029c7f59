"""A grid, with all that an LSTM must know of it on the device: made on the host, once, before any tensor is touched."""

from dataclasses import dataclass

import torch

from drystone.core.errors import ShapeError
from drystone.core.grid import Grid
from drystone.torch.directions import Direction, LastSteps, completed, directions_of, last_steps_of
from drystone.torch.dropout import DropoutSettings, SequenceDropout


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PreparedGrid:
    """What `LSTM.prepare` returns and `LSTM.run` takes in place of the grid: tensors and plain facts only.

    Args:
        num_rows, num_steps: its shape.
        directions: its masks, as each direction sees them.
        last_steps: where each direction has the last step of each sequence.
        dropout: what variational dropout drops, or None where no epoch was given.
    """

    num_rows: int
    num_steps: int
    directions: tuple[Direction, ...]
    last_steps: tuple[LastSteps, ...]
    dropout: SequenceDropout | None

    @classmethod
    def of(cls, grid: Grid, device: torch.device, *, both: bool, dropout: SequenceDropout | None) -> "PreparedGrid":
        """Reads a grid for one direction, or for both.

        Raises:
            ShapeError: a backward direction over sequences that are not whole.
        """
        return cls(
            num_rows=grid.num_rows,
            num_steps=grid.num_steps,
            directions=directions_of(grid, device, both=both),
            last_steps=last_steps_of(grid, device, both=both),
            dropout=dropout,
        )

    def complete(self) -> "PreparedGrid":
        """Returns the grid with all that any kernel may ask for."""
        completed(self.directions)
        return self

    def check_fits(self, device: torch.device, num_directions: int, dropout: DropoutSettings | None) -> None:
        """Raises ShapeError where it was prepared by an LSTM to which other things matter.

        Args:
            device: of the weights.
            num_directions: 1 or 2.
            dropout: what variational dropout, if any, must have been made for; None where none is to act.
        """
        if len(self.directions) != num_directions:
            raise ShapeError(f"the grid was prepared for {len(self.directions)} directions; use this LSTM's prepare.")
        prepared_on = self.last_steps[0].row.device
        if prepared_on != device:
            raise ShapeError(
                f"the grid was prepared on {prepared_on} and the weights are on {device}; prepare it anew."
            )
        if dropout is not None and self.dropout is not None and self.dropout.settings != dropout:
            raise ShapeError(
                "the grid was prepared for the variational dropout of another LSTM; use this LSTM's prepare."
            )
