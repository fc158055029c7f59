"""The masks that an LSTM is called with: checked, put together, and turned round in time for a backward run."""

from typing import Any, NamedTuple, Self

import keras
from keras import ops

from drystone.core.errors import ShapeError
from drystone.keras.guard import guard

Tensor = Any  # of TensorFlow, JAX or PyTorch, or a symbolic one of Keras

NOT_WHOLE = (
    "a backward direction needs every sequence whole in one batch; the first sequence of a row does not start with a "
    "reset, so it goes on from another batch. Use a layout that keeps sequences whole (Padded, Bucketed, Packed), or no "
    "backward direction."
)


class GridMasks(NamedTuple):
    """What a run must know of its cells; bool tensors [rows, steps], in the order in which the run goes."""

    reset: Tensor | None  # None where no cell resets
    valid: Tensor | None  # None where every cell is valid

    @classmethod
    def of(cls, reset: Tensor | None, valid: Tensor | None, mask: Tensor | None) -> Self:
        """Puts masks that were checked together: a cell is valid where `valid` and a mask of Keras both say so."""
        if mask is not None:
            mask = ops.cast(mask, "bool")
            valid = mask if valid is None else ops.logical_and(valid, mask)
        return cls(reset, valid)

    def backward(self) -> "GridMasks":
        """Returns the masks of a run that goes backward through the same cells.

        It starts a sequence at its last step, so the state is zeroed on the way from a cell that resets to the one
        before it, and at the end of the row.
        """
        valid = None if self.valid is None else ops.flip(self.valid, axis=1)
        if self.reset is None:
            return GridMasks(None, valid)
        at_end = ops.ones_like(self.reset[:, :1])
        return GridMasks(ops.flip(ops.concatenate([self.reset[:, 1:], at_end], axis=1), axis=1), valid)

    def guard_whole(self, x: Tensor) -> Tensor:
        """Returns the inputs; raises ShapeError where a row's first valid cell comes before any reset, if that is known."""
        if self.reset is None:
            return x
        resets_so_far: Tensor = ops.cumsum(ops.cast(self.reset, "int32"), axis=1)
        begun = resets_so_far > 0
        whole = begun if self.valid is None else ops.logical_or(begun, ops.logical_not(self.valid))
        return guard(x, ops.all(whole), NOT_WHOLE)

    def output_at_last(self, outputs: Tensor) -> Tensor:
        """Returns the output at the last valid cell of each row, [rows, units]; 0 where there is none."""
        if self.valid is None:
            return outputs[:, -1]
        turned: Tensor = ops.cast(ops.flip(self.valid, axis=1), "int32")
        cells: Any = ops.shape(turned)
        last: Tensor = cells[1] - 1 - ops.cast(ops.argmax(turned, axis=1), "int32")
        taken: Tensor = ops.take_along_axis(outputs, last[:, None, None], axis=1)
        return taken[:, 0]


def check_masks(cells: tuple[int | None, ...], **masks: Tensor | None) -> None:
    """Raises ShapeError where a mask is not bool, or has not the rows and steps of the inputs.

    Args:
        cells: the rows and steps of the inputs, None where they are not known yet.
        **masks: each mask by its name, None where there is none.
    """
    for name, mask in masks.items():
        if mask is None:
            continue
        if not hasattr(mask, "dtype"):
            raise ShapeError(f"{name} is a {type(mask).__name__}; pass a bool array or tensor [rows, steps].")
        dtype, shape = keras.backend.standardize_dtype(mask.dtype), tuple(mask.shape)
        known = len(shape) == 2 and _agree(shape, cells)
        if dtype != "bool" or not known:
            expected = tuple("any" if size is None else size for size in cells)
            remedy = " Convert it with mask.astype(bool)." if known else ""
            raise ShapeError(
                f"{name} is {dtype} of shape {shape}; expected bool [rows, steps] of shape {expected}.{remedy}"
            )


def _agree(shape: tuple[Any, ...], cells: tuple[Any, ...]) -> bool:
    """Whether all sizes are equal that are known to be numbers."""
    pairs = zip(shape, cells, strict=True)
    return all(a == b for a, b in pairs if isinstance(a, int) and isinstance(b, int))


def check_state(state: Any, num_rows: int | None, units: int) -> None:
    """Raises ShapeError where a passed-in state is not h and c of all rows, [rows, units] each."""
    if state is None:
        return
    shapes = [tuple(part.shape) for part in state] if isinstance(state, list | tuple) else []
    if len(shapes) != 2:
        found = f"{type(state).__name__} of {len(shapes)}" if shapes else type(state).__name__
        raise ShapeError(
            f"initial_state must be a list of two arrays, h and c; got a {found}. "
            f"Masks are passed by name: lstm(x, reset=..., valid=...)."
        )
    for name, shape in zip("hc", shapes, strict=True):
        if len(shape) != 2 or shape[1] != units or not _agree(shape[:1], (num_rows,)):
            raise ShapeError(
                f"{name} of the initial state has shape {shape}; expected {(num_rows, units)}: rows, units."
            )
