"""One vector a sequence, from the outputs on a grid: the last ones, or the mean or maximum over real steps."""

from typing import Any, Literal, get_args

import keras
from keras import ops

from drystone.core.errors import ShapeError
from drystone.keras.segments import segment_max, segment_sum

How = Literal["last", "mean", "max"]


@keras.saving.register_keras_serializable(package="drystone")
class BySequence(keras.layers.Layer):
    """Gathers outputs by sequence: [rows, steps, units] and indices of the batch give [ends, units].

    The result is in the order of `ends`; the fillers of `ends` give 0 and pass no gradient on. Nothing is read but
    real steps, so NaN elsewhere stays where it is. Sums of half-precision outputs are taken in float32. Steps that
    share a maximum share its gradient evenly, on every backend.

    Args:
        how: "last": the output at the last step and, of a bidirectional output, the backward half at the first step,
            where that direction ends; or "mean" or "max" over the steps of each sequence.
        bidirectional: for "last": whether the second half of the units ran backward.
        **kwargs: of every Keras layer: name, dtype, ...

    Call:
        output: [rows, steps, units].
        ends: int32 [ends], the cell row × steps + step of each sequence's last step; −1 at fillers, which come last.
        segment: int32 [rows, steps], which of the ends the sequence in each cell has; −1 where there is none. Not
            needed for "last" of one direction, which serves sequences of several batches too.

    Raises:
        ShapeError: another `how`; inputs of other shapes or types; no `segment` where it is needed.

    Example:
        >>> import numpy as np
        >>> output = np.array([[[1.0], [3.0], [5.0], [9.0]]], "float32")
        >>> ends, segment = np.array([1, 2, -1], "int32"), np.array([[0, 0, 1, -1]], "int32")
        >>> keras.ops.convert_to_numpy(BySequence("mean")(output, ends=ends, segment=segment)).tolist()
        [[2.0], [5.0], [0.0]]
    """

    def __init__(self, how: How, *, bidirectional: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if how not in get_args(How):
            raise ShapeError(f"how must be one of {', '.join(get_args(How))}; got {how!r}.")
        self.how: How = how
        self.bidirectional = bidirectional
        self.supports_masking = True

    def call(self, output: Any, ends: Any, segment: Any = None) -> Any:
        self._check(output, ends, segment)
        cells = ops.reshape(output, (-1, output.shape[-1]))
        is_real = ops.expand_dims(ends >= 0, 1)
        if self.how == "last":
            return ops.where(is_real, self._last(cells, ends, segment), 0)
        segments = _Segments(segment, ops.shape(ends)[0])
        values = segments.real(cells)
        if keras.backend.standardize_dtype(values.dtype) in ("float16", "bfloat16"):
            values = ops.cast(values, "float32")
        pooled = segments.mean(values) if self.how == "mean" else segments.max(values)
        return ops.cast(ops.where(is_real, pooled, 0), output.dtype)

    def _last(self, cells: Any, ends: Any, segment: Any) -> Any:
        last = _take(cells, ends)
        if not self.bidirectional:
            return last
        forward, _ = ops.split(last, 2, axis=1)
        first = _Segments(segment, ops.shape(ends)[0]).first_cells()
        _, backward = ops.split(_take(cells, first), 2, axis=1)
        return ops.concatenate([forward, backward], axis=1)

    def compute_output_spec(self, output: Any, ends: Any, segment: Any = None) -> Any:
        self._check(output, ends, segment)
        return keras.KerasTensor((ends.shape[0], output.shape[-1]), dtype=self.compute_dtype)

    def compute_mask(self, *inputs: Any, **_more: Any) -> None:
        """A mask of steps ends here, since there are none any more."""

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"how": self.how, "bidirectional": self.bidirectional}

    def _check(self, output: Any, ends: Any, segment: Any) -> None:
        if len(output.shape) != 3:
            raise ShapeError(f"output has shape {tuple(output.shape)}; expected [rows, steps, units].")
        if self.bidirectional and output.shape[2] % 2:
            raise ShapeError(f"output has {output.shape[2]} units; two directions have an even number.")
        _check_indices("ends", "[ends]", ends, 1)
        if segment is not None:
            _check_indices("segment", "[rows, steps]", segment, 2)
        elif self.how != "last" or self.bidirectional:
            what = "the last output of a backward direction" if self.how == "last" else f"a {self.how} over all steps"
            raise ShapeError(f"{what} must know which steps each sequence has: pass segment= too.")


class _Segments:
    """Cells by sequence; those of no sequence make a last segment, which is left out again."""

    def __init__(self, segment: Any, num_ends: Any) -> None:
        flat = ops.reshape(segment, (-1,))
        self.is_real = ops.expand_dims(flat >= 0, 1)
        self.place = ops.where(flat >= 0, flat, num_ends)
        self.num_ends = num_ends

    def real(self, cells: Any) -> Any:
        # `where`, not multiplication, keeps NaN of other cells out.
        return ops.where(self.is_real, cells, 0)

    def mean(self, values: Any) -> Any:
        count = self._sum(ops.ones_like(values[:, :1]))
        return self._ends(self._sum(values) / ops.maximum(count, 1))

    def max(self, values: Any) -> Any:
        """Returns the maxima; backends disagree on their gradient, so it is spelt out: tops share it."""
        highest = segment_max(values, self.place, self.num_ends + 1)
        is_top = ops.equal(values, _take(highest, self.place))
        is_top = ops.logical_and(is_top, ops.isfinite(values))
        count = ops.maximum(self._sum(ops.cast(is_top, values.dtype)), 1)
        share = self._sum(ops.where(is_top, values, 0) / _take(count, self.place))
        return self._ends(highest + (share - ops.stop_gradient(share)))

    def first_cells(self) -> Any:
        cells = ops.arange(ops.shape(self.place)[0], dtype="int32")
        return -self._ends(segment_max(-cells[:, None], self.place, self.num_ends + 1))[:, 0]

    def _sum(self, values: Any) -> Any:
        return segment_sum(values, self.place, self.num_ends + 1)

    def _ends(self, found: Any) -> Any:
        return found[: self.num_ends]


def _take(cells: Any, at: Any) -> Any:
    return ops.take(cells, ops.maximum(at, 0), axis=0)


def _check_indices(name: str, expected: str, indices: Any, num_axes: int) -> None:
    dtype = keras.backend.standardize_dtype(indices.dtype)
    if not dtype.startswith("int") or len(indices.shape) != num_axes:
        raise ShapeError(f"{name} is {dtype} of shape {tuple(indices.shape)}; expected int32 {expected}.")
