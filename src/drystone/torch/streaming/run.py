"""What came in one call through the model, as few full grids."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from drystone.core.errors import ShapeError
from drystone.torch.streaming.arrived import Arrived, Ints
from drystone.torch.streaming.model_call import Model, call
from drystone.torch.streaming.nest import leaves_of
from drystone.torch.streaming.pieces import Piece, pieces
from drystone.torch.streaming.states import Form


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rows:
    """The streams of a call as rows, those with the most steps first.

    Args:
        arrived: the steps; the values on the device of the model.
        stream: the number of each row's stream; None where all have as many steps, and keep their order.
    """

    arrived: Arrived
    stream: Ints | None

    @classmethod
    def of(cls, arrived: Arrived) -> "Rows":
        """Orders what came."""
        are_equal = bool((arrived.num_steps == arrived.num_steps[0]).all())
        return cls(arrived=arrived, stream=None if are_equal else np.argsort(-arrived.num_steps, kind="stable"))

    def in_order(self, by_stream: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Returns what belongs to the streams as it belongs to the rows."""
        return by_stream if self.stream is None else by_stream[self.stream]

    def is_one_piece(self, piece: Piece) -> bool:
        """Whether a piece holds all steps of all rows."""
        return (piece.num_rows, piece.num_steps) == (len(self.arrived.streams), int(self.arrived.num_steps.max()))

    def cells(self, piece: Piece) -> Tensor | None:
        """Returns where the steps of a piece lie among the values, [rows × steps]; None for all in their order."""
        if self.is_one_piece(piece) and self.arrived.order is None:
            return None
        first = self.in_order(self.arrived.first)[piece.first_row : piece.stop_row]
        found = (first[:, None] + np.arange(piece.first_step, piece.stop_step)).ravel()
        if self.arrived.order is not None:
            found = self.arrived.order[found]
        return torch.from_numpy(found).to(self.arrived.values.device)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ran:
    """What the model made of a call.

    Args:
        outputs: [a, b, ...], where a × b are the steps of all streams, in the order of the values.
        state: tensors whose axis 1 is the rows.
        form: of the state.
    """

    outputs: Tensor
    state: list[Tensor]
    form: Form


def run(model: Model, rows: Rows, state: list[Tensor] | None, form: Form | None) -> Ran:
    """Runs the model over all steps; it never sees a padded cell.

    Args:
        model: called once a piece.
        rows: what came.
        state: that the rows start from; None for zeros. It is written over.
        form: of the states so far; None before the first call.

    Raises:
        ShapeError: the model returned something of another shape or form.
    """
    values, outputs = rows.arrived.values, None
    for piece in pieces(rows.in_order(rows.arrived.num_steps)):
        cells = rows.cells(piece)
        x = (values if cells is None else values[cells]).view(piece.num_rows, piece.num_steps, -1)
        found, after = call(model, x, _before(state, form, piece))
        form = _same_form(form, Form.of(after, piece.num_rows))
        if cells is None:
            return Ran(outputs=found, state=leaves_of(after), form=form)
        found = found.flatten(0, 1)
        state = form.zeros(len(rows.arrived.streams), values.device) if state is None else state
        for held, leaf in zip(state, leaves_of(after), strict=True):
            held.narrow(1, piece.first_row, piece.num_rows).copy_(leaf)
        outputs = found.new_empty(len(values), *found.shape[1:]) if outputs is None else outputs
        if outputs.shape[1:] != found.shape[1:]:
            raise ShapeError(f"the model returned outputs of {found.shape[1:]} a step, after {outputs.shape[1:]}.")
        outputs[cells] = found
    assert outputs is not None, "there is at least one step"
    assert state is not None
    assert form is not None
    return Ran(outputs=outputs[None], state=state, form=form)


def _before(state: list[Tensor] | None, form: Form | None, piece: Piece) -> Any:
    if state is None or form is None:
        return None
    return form.nest([leaf.narrow(1, piece.first_row, piece.num_rows).contiguous() for leaf in state])


def _same_form(known: Form | None, found: Form) -> Form:
    if known not in (None, found):
        raise ShapeError(f"the model returned a state of {found.in_words()}; those before were {known.in_words()}.")
    return found
