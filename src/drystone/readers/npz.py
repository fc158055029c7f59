"""NumPy .npz files, in the three forms that people save sequences in."""

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from drystone.core import build
from drystone.core.build import OnEmpty
from drystone.core.errors import DataError
from drystone.core.origin import Origin
from drystone.core.sequences import Sequences

Arrays = Mapping[str, npt.NDArray[Any]]

FORMS = """The forms that drystone reads are:
- offsets [sequences + 1], with arrays [all steps, ...] laid end to end and arrays [sequences, ...];
- lengths [sequences] or mask [sequences, steps], with padded arrays [sequences, steps, ...];
- neither, with arrays [sequences, steps, features] of equal length and arrays [sequences]."""


def read_npz(path: Path, on_empty: OnEmpty) -> Sequences:
    """Reads sequences from the arrays of a .npz file; pickled objects are never loaded.

    Args:
        path: the file.
        on_empty: what happens to sequences of 0 steps.

    Raises:
        DataError: a damaged file, pickled objects, or arrays in no known form.
    """
    arrays = _load(path)
    shapes = {"offsets", "lengths", "mask"} & arrays.keys()
    if len(shapes) > 1:
        raise DataError(f"{path.name} holds {' and '.join(sorted(shapes))}; expected one of them at most. {FORMS}")
    fields = {name: array for name, array in arrays.items() if name not in shapes}
    if "offsets" in shapes:
        parts = _ragged(arrays["offsets"], fields)
    elif shapes:
        parts = _padded(fields, arrays.get("lengths"), arrays.get("mask"))
    else:
        parts = _equal(fields)
    return Sequences.from_parts(parts, on_empty, origin=Origin(name=path.name))


def _load(path: Path) -> Arrays:
    # Opened by hand: NumPy leaves a file open that turns out to be damaged.
    with path.open("rb") as file:
        try:
            members = np.load(file, allow_pickle=False)
            if isinstance(members, np.lib.npyio.NpzFile):
                return {name: _member(members, name) for name in members.files}
        # A damaged zip file may also claim to be encrypted, or packed in a way of its own (RuntimeError).
        except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, RuntimeError) as error:
            raise DataError(f"{path.name} is cut off or damaged: {error}") from error
    raise DataError(f"{path.name} is no .npz file but one array; save it with np.savez(path, x=array).")


def _member(members: Any, name: str) -> npt.NDArray[Any]:
    try:
        return members[name]
    except ValueError as error:
        if "allow_pickle" not in str(error):
            raise
        raise DataError(
            f"array {name!r} holds Python objects, which could run code when they are loaded. "
            f"Save numbers or text: offsets and arrays laid end to end in place of an array of arrays."
        ) from error


def _ragged(offsets: npt.NDArray[Any], fields: Arrays) -> build.Parts:
    if offsets.ndim != 1 or len(offsets) < 2:
        raise DataError(f"offsets has shape {offsets.shape}; expected [sequences + 1]. {FORMS}")
    num_sequences, num_steps = len(offsets) - 1, int(offsets[-1])
    if num_sequences == num_steps:
        raise DataError(
            f"there are {num_steps} sequences and {num_steps} steps, so arrays with a value a step cannot be told "
            f"from those with a value a sequence. Use another format, such as Parquet with list columns."
        )
    per_step = {name: array for name, array in fields.items() if array.shape[:1] == (num_steps,)}
    per_sequence = {name: array for name, array in fields.items() if array.shape[:1] == (num_sequences,)}
    _refuse_others(fields, per_step, per_sequence, f"{num_steps} steps or {num_sequences} sequences")
    return build.parts_from_ragged(offsets, per_step, per_sequence)


def _padded(fields: Arrays, lengths: npt.NDArray[Any] | None, mask: npt.NDArray[Any] | None) -> build.Parts:
    if lengths is not None:
        _refuse_end_to_end(fields, lengths)
    shape = mask.shape[:2] if mask is not None else _padded_shape(fields, lengths)
    if len(shape) != 2:
        raise DataError(f"mask has shape {shape}; expected [sequences, steps]. {FORMS}")
    per_step = {name: array for name, array in fields.items() if array.ndim >= 2 and array.shape[:2] == shape}
    rest = {name: array for name, array in fields.items() if name not in per_step}
    per_sequence = {name: array for name, array in rest.items() if array.shape[:1] == shape[:1]}
    _refuse_others(fields, per_step, per_sequence, f"{shape[0]} sequences")
    return build.parts_from_padded(per_step, per_sequence, lengths, mask, "right")


def _refuse_end_to_end(fields: Arrays, lengths: npt.NDArray[Any]) -> None:
    for name, array in fields.items():
        if array.ndim and lengths.dtype.kind in "iu" and len(array) == lengths.sum() != lengths.size:
            raise DataError(
                f"array {name!r} of shape {array.shape} is laid end to end, but lengths go with padded arrays. "
                f"Save offsets=np.append(0, np.cumsum(lengths)) in place of lengths."
            )


def _padded_shape(fields: Arrays, lengths: Any) -> tuple[int, ...]:
    """Finds how many steps arrays are padded to: the second axis of those with features, else of those without."""
    deepest = 3 if any(array.ndim >= 3 for array in fields.values()) else 2
    padded = {name: array for name, array in fields.items() if array.ndim >= deepest}
    shapes = {(len(array), array.shape[1]) for array in padded.values()}
    if len(shapes) != 1 or lengths.ndim != 1:
        found = ", ".join(f"{name} {array.shape}" for name, array in fields.items()) or "none"
        raise DataError(f"the padded arrays need one shape [sequences, steps, ...]; found {found}. {FORMS}")
    return shapes.pop()


def _equal(fields: Arrays) -> build.Parts:
    per_step = {name: array for name, array in fields.items() if array.ndim >= 3}
    if not per_step:
        found = ", ".join(f"{name} {array.shape}" for name, array in fields.items()) or "no arrays"
        raise DataError(f"no array has 3 dimensions, and there are no offsets, lengths or mask; found {found}. {FORMS}")
    num_sequences, num_steps = next(iter(per_step.values())).shape[:2]
    per_sequence = {name: array for name, array in fields.items() if array.shape == (num_sequences,)}
    _refuse_others(fields, per_step, per_sequence, f"{num_sequences} sequences")
    return build.parts_from_padded(per_step, per_sequence, np.full(num_sequences, num_steps), None, "right")


def _refuse_others(fields: Arrays, per_step: Arrays, per_sequence: Arrays, expected: str) -> None:
    for name, array in fields.items():
        if name not in per_step and name not in per_sequence:
            raise DataError(f"array {name!r} has shape {array.shape}; expected a first axis of {expected}. {FORMS}")
