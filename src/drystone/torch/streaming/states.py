"""The table of states: one slot a stream, along axis 1 of every tensor."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from drystone.core.errors import ShapeError
from drystone.torch.streaming.nest import leaves_of, put_together, structure_of

Shape = tuple[tuple[int, ...], torch.dtype]


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What a model's state is made of.

    Args:
        structure: of the nest.
        shapes: the shape of each tensor with 1 row, and its type.
    """

    structure: Any
    shapes: tuple[Shape, ...]

    @classmethod
    def of(cls, state: Any, num_rows: int) -> "Form":
        """Returns the form of a state.

        Raises:
            ShapeError: a tensor without this number of rows on axis 1, or something that is no tensor.
        """
        leaves = leaves_of(state)
        for leaf in leaves:
            if leaf.ndim < 2 or leaf.shape[1] != num_rows:
                raise ShapeError(
                    f"the model returned a state of shape {tuple(leaf.shape)}; axis 1 must be the {num_rows} rows."
                )
        shapes = tuple(((leaf.shape[0], 1, *leaf.shape[2:]), leaf.dtype) for leaf in leaves)
        return cls(structure=structure_of(state), shapes=shapes)

    def zeros(self, num_rows: int, device: torch.device) -> list[Tensor]:
        """Returns the tensors of a state of zeros."""
        return [
            torch.zeros((first, num_rows, *rest), dtype=dtype, device=device)
            for (first, _, *rest), dtype in self.shapes
        ]

    def in_words(self) -> str:
        """Returns the shapes with 1 row, and the types."""
        return ", ".join(f"{list(shape)} {str(dtype).removeprefix('torch.')}" for shape, dtype in self.shapes)

    def nest(self, leaves: Sequence[Tensor]) -> Any:
        """Returns tensors as the state that the model knows."""
        return put_together(self.structure, iter(leaves))


class StateTable:
    """The states of all streams, which are read and written a few slots at a time.

    Args:
        device: where they are.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._leaves: list[Tensor] = []
        self.form: Form | None = None
        self.num_slots = 0

    def reserve(self, num_slots: int, form: Form) -> None:
        """Makes room for states of this form; what is there stays where it is."""
        if self.form is not None and num_slots <= self.num_slots:
            return
        grown = form.zeros(num_slots, self._device)
        for new, old in zip(grown, self._leaves, strict=False):
            new.narrow(1, 0, self.num_slots).copy_(old)
        self._leaves, self.form, self.num_slots = grown, form, num_slots

    def gather(self, slots: Tensor, is_new: Tensor | None) -> list[Tensor]:
        """Returns copies of the states in slots, with zeros where a stream is new."""
        found = [leaf.index_select(1, slots) for leaf in self._leaves]
        if is_new is not None:
            for leaf in found:
                leaf.index_fill_(1, is_new, 0)
        return found

    def put(self, slots: Tensor, leaves: Sequence[Tensor]) -> None:
        """Writes states into slots."""
        for held, leaf in zip(self._leaves, leaves, strict=True):
            held.index_copy_(1, slots, leaf)
