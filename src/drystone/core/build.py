"""The parts of a Sequences, made from arrays in the forms that people have them in, and checked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from drystone.core.bounds import Bounds
from drystone.core.column import Column
from drystone.core.convert import column_of, concatenate
from drystone.core.documents import characters_of, documents_in
from drystone.core.errors import DataError
from drystone.core.lengths import Lengths, offsets_of

OnEmpty = Literal["error", "drop"]
"""What becomes of sequences of 0 steps."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Parts:
    """Columns, where each sequence lies in those with a value a step, and what counts (None: every step)."""

    step_columns: Mapping[str, Column]
    sequence_columns: Mapping[str, Column]
    starts: npt.NDArray[np.int64]
    lengths: Lengths
    bounds: Bounds | None = None


def parts_from_arrays(
    per_step: Mapping[str, Sequence[Any]], per_sequence: Mapping[str, Any], text: str | None = None
) -> Parts:
    """Lays one array a sequence end to end; of the field `text`, the characters of one str a sequence."""
    _check_names(per_step, per_sequence)
    if text is not None and text not in per_step:
        raise DataError(f"text is {text!r}, which is no field of per_step; those are: {', '.join(per_step)}.")
    found = {name: characters_of(documents_in(per_step[name], name)) for name in per_step if name == text}
    lengths_of = {
        name: found[name][1] if name in found else _lengths_of_arrays(arrays, name) for name, arrays in per_step.items()
    }
    lengths = _equal_lengths(lengths_of)
    steps = {
        name: Column(found[name][0]) if name in found else concatenate(arrays, name)
        for name, arrays in per_step.items()
    }
    return _parts(steps, per_sequence, offsets_of(lengths)[:-1], lengths)


def parts_from_documents(documents: pa.LargeStringArray, text: str, per_sequence: Mapping[str, Any]) -> Parts:
    """Takes documents, none missing: their characters are the steps of the field `text`."""
    characters, lengths = characters_of(documents)
    return parts_from_ragged(offsets_of(lengths), {text: characters}, per_sequence)


def parts_from_ragged(offsets: npt.ArrayLike, per_step: Mapping[str, Any], per_sequence: Mapping[str, Any]) -> Parts:
    """Takes values that lie end to end already."""
    _check_names(per_step, per_sequence)
    bounds = _check_offsets(offsets)
    steps = {name: column_of(values, name) for name, values in per_step.items()}
    for name, column in steps.items():
        if len(column) != bounds[-1]:
            raise DataError(f"field {name!r} has {len(column)} steps, but the offsets end at {bounds[-1]}.")
    return _parts(steps, per_sequence, bounds[:-1], np.diff(bounds))


def parts_from_padded(
    per_step: Mapping[str, Any],
    per_sequence: Mapping[str, Any],
    lengths: npt.ArrayLike | None,
    mask: npt.ArrayLike | None,
    side: Literal["right", "left"],
) -> Parts:
    """Takes arrays [sequences, steps, *shape] and the place of the real steps in each row."""
    _check_names(per_step, per_sequence)
    arrays = {name: np.asarray(values) for name, values in per_step.items()}
    num_rows, num_columns = _padded_shape(arrays)
    if (lengths is None) == (mask is None):
        raise DataError("give either lengths= or mask=, so that real steps can be told from padding.")
    if mask is not None:
        first, real = _runs_of_mask(np.asarray(mask), (num_rows, num_columns))
    else:
        real = _padded_lengths(np.asarray(lengths), num_rows, num_columns)
        first = np.zeros_like(real) if _check_side(side) == "right" else num_columns - real
    starts = np.arange(num_rows) * num_columns + first
    flat = {name: column_of(array.reshape(-1, *array.shape[2:]), name) for name, array in arrays.items()}
    return _parts(flat, per_sequence, starts, real)


def check_indices(indices: npt.ArrayLike, count: int) -> npt.NDArray[np.int64]:
    """Returns indices as int64 in 0 … count − 1.

    Raises:
        DataError: an index out of range, or a bool array of another length.
    """
    array = np.asarray(indices)
    if array.dtype == bool:
        if array.shape != (count,):
            raise DataError(f"a bool selection needs one value for each of {count} sequences; got {array.shape}.")
        return np.flatnonzero(array)
    if array.size == 0:
        return np.zeros(0, np.int64)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise DataError(f"indices must be whole numbers in one dimension; got {array.dtype} of shape {array.shape}.")
    wide = array.astype(np.int64)
    wrong = (wide < -count) | (wide >= count)
    if wrong.any():
        raise DataError(f"index {wide[wrong][0]} is out of range; there are {count} sequences.")
    return np.where(wide < 0, wide + count, wide)


def _parts(
    steps: Mapping[str, Column], per_sequence: Mapping[str, Any], starts: npt.NDArray[np.int64], lengths: Lengths
) -> Parts:
    wholes = {name: column_of(values, name) for name, values in per_sequence.items()}
    for name, column in wholes.items():
        if len(column) != len(lengths):
            raise DataError(f"field {name!r} has {len(column)} values for {len(lengths)} sequences.")
    return Parts(step_columns=steps, sequence_columns=wholes, starts=starts.astype(np.int64), lengths=lengths)


def _check_names(per_step: Mapping[str, Any], per_sequence: Mapping[str, Any]) -> None:
    given: dict[str, object] = {"per_step": per_step, "per_sequence": per_sequence}
    for name, fields in given.items():
        if not isinstance(fields, Mapping):
            raise DataError(f'{name} must be a dict of fields, such as {{"x": ...}}; got {type(fields).__name__}.')
    if not per_step:
        raise DataError("per_step is empty; at least one field with a value a step is needed.")
    both = sorted(per_step.keys() & per_sequence.keys())
    if both:
        raise DataError(f"field {both[0]!r} is in per_step and in per_sequence; a name can stand in one of them only.")


def _lengths_of_arrays(arrays: Sequence[Any], name: str) -> Lengths:
    try:
        lengths = np.array([len(array) for array in arrays], dtype=np.int64)
    except TypeError as error:
        raise DataError(f"field {name!r} must be a list of arrays, one a sequence; {error}.") from error
    if len(lengths) == 0:
        raise DataError(f"field {name!r} holds no sequences.")
    return lengths


def _equal_lengths(lengths_of: Mapping[str, Lengths]) -> Lengths:
    (first, lengths), *others = lengths_of.items()
    for name, other in others:
        if len(other) != len(lengths):
            raise DataError(f"field {first!r} has {len(lengths)} sequences and field {name!r} has {len(other)}.")
        if (other != lengths).any():
            index = int(np.argmax(other != lengths))
            raise DataError(
                f"sequence {index} has {lengths[index]} steps in field {first!r} and {other[index]} in field {name!r}; "
                f"all fields with a value a step need one length."
            )
    return lengths


def _check_offsets(offsets: npt.ArrayLike) -> npt.NDArray[np.int64]:
    array = np.asarray(offsets)
    if array.ndim != 1 or len(array) < 2 or array.dtype.kind not in "iu":
        raise DataError(f"offsets must be [sequences + 1] whole numbers; got {array.dtype} of shape {array.shape}.")
    bounds = array.astype(np.int64)
    if bounds[0] < 0 or (np.diff(bounds) < 0).any():
        index = int(np.argmax(np.diff(bounds) < 0)) + 1 if bounds[0] >= 0 else 0
        raise DataError(f"offsets[{index}] is {bounds[index]}; offsets start at 0 or later and never fall.")
    return bounds


def _padded_shape(arrays: Mapping[str, npt.NDArray[Any]]) -> tuple[int, int]:
    shapes = {name: array.shape[:2] for name, array in arrays.items()}
    (first, shape), *others = shapes.items()
    if len(shape) < 2 or 0 in shape:
        raise DataError(f"field {first!r} has shape {arrays[first].shape}; expected [sequences, steps, ...].")
    for name, other in others:
        if other != shape:
            raise DataError(f"field {first!r} has {shape} sequences and steps, field {name!r} has {other}.")
    return shape[0], shape[1]


def _check_side(side: str) -> str:
    if side not in ("right", "left"):
        raise DataError(f'side must be "right" or "left"; got {side!r}.')
    return side


def _padded_lengths(lengths: npt.NDArray[Any], num_rows: int, num_columns: int) -> Lengths:
    if lengths.shape != (num_rows,) or lengths.dtype.kind not in "iu":
        raise DataError(f"lengths must be {num_rows} whole numbers; got {lengths.dtype} of shape {lengths.shape}.")
    wrong = (lengths < 0) | (lengths > num_columns)
    if wrong.any():
        index = int(np.argmax(wrong))
        raise DataError(f"lengths[{index}] is {lengths[index]}; the padded arrays have {num_columns} steps.")
    return lengths.astype(np.int64)


def _runs_of_mask(mask: npt.NDArray[Any], shape: tuple[int, int]) -> tuple[npt.NDArray[np.int64], Lengths]:
    if mask.shape != shape:
        raise DataError(f"mask has shape {mask.shape}; expected {shape}, one value a step.")
    real = mask.astype(bool)
    if (real != mask).any():
        raise DataError(f"mask holds {mask[real != mask][0]}; expected true (or 1) at real steps, false elsewhere.")
    lengths = real.sum(axis=1)
    first = real.argmax(axis=1)
    last = shape[1] - 1 - real[:, ::-1].argmax(axis=1)
    gaps = (lengths > 0) & (last - first + 1 != lengths)
    if gaps.any():
        row = int(np.argmax(gaps))
        gap = int(first[row] + np.argmin(real[row, first[row] :]))
        raise DataError(
            f"mask[{row}] has a gap at step {gap}, between real steps; a sequence is one run of real steps. "
            f"Leave the missing steps out, or fill them in."
        )
    return first, lengths.astype(np.int64)
