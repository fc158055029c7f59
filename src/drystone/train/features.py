"""The inputs of a model: which fields they are, and their statistics."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from drystone.core.errors import DataError
from drystone.core.lengths import offsets_of, place_of
from drystone.core.sequences import Sequences
from drystone.torch.batch import TensorBatch

SMALLEST_SPREAD = 1e-12  # of a feature's largest number


@dataclass(frozen=True, slots=True)
class Feature:
    """One input field, and the shape of one step of it."""

    name: str
    shape: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Features:
    """The input fields of a model, in order."""

    fields: tuple[Feature, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields)

    @property
    def columns(self) -> tuple[str, ...]:
        """The name of each number of one step, in the order of `matrix`: load, x[0], x[1], ..."""
        return tuple(
            f"{field.name}[{', '.join(map(str, at))}]" if at else field.name
            for field in self.fields
            for at in np.ndindex(field.shape)
        )

    @property
    def size(self) -> int:
        """The numbers of one step, of all fields together."""
        return sum(prod(field.shape) for field in self.fields)

    def check(self, seqs: Sequences) -> None:
        """Proves that the sequences have these fields, with finite numbers of these shapes.

        Raises:
            DataError: a field is missing or of another type or shape, or a value is NaN or infinite.
        """
        for wanted in self.fields:
            field = seqs.field(wanted.name)
            if not field.per_step or not field.is_numeric:
                raise DataError(f"field {wanted.name!r} is {field.describe()}; a feature needs numbers, one a step.")
            if field.item_shape != wanted.shape:
                raise DataError(
                    f"a step of field {wanted.name!r} has shape {field.item_shape}; the model needs {wanted.shape}."
                )
            check_finite(seqs, wanted.name, "features")

    def statistics(self, seqs: Sequences) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Returns the mean and the standard deviation of each number, over all real steps; 1 for constant ones."""
        columns = [mean_and_spread(seqs, name) for name in self.names]
        return np.concatenate([mean for mean, _ in columns]), np.concatenate([spread for _, spread in columns])

    def matrix(self, batch: TensorBatch) -> torch.Tensor:
        """Returns the inputs of a batch side by side: float64 [rows, steps, size]."""
        return torch.cat([batch[name].reshape(*batch.shape, -1).double() for name in self.names], dim=2)


def choose_features(seqs: Sequences, names: Sequence[str] | None, not_inputs: Collection[str] = ()) -> Features:
    """Returns the named fields; by default all that can tell something: see `usual_features`.

    Args:
        seqs: the sequences.
        names: the fields, or None.
        not_inputs: fields that cannot be inputs: the target, where it is what is to be found out.

    Raises:
        DataError: a named field cannot be an input, or no field can.
    """
    if names is None:
        names = usual_features(seqs, not_inputs)
        if not names:
            raise DataError(
                f"no field has numbers a step to learn from; the fields are: {', '.join(seqs.field_names)}."
            )
    if not names:
        raise DataError("features is empty; name at least one field.")
    if len(set(names)) < len(names):
        raise DataError(f"features names a field twice: {', '.join(names)}.")
    for name in names:
        if name in not_inputs:
            raise DataError(f"field {name!r} is the target; it cannot be a feature too.")
    features = Features(tuple(Feature(name, seqs.field(name).item_shape) for name in names))
    features.check(seqs)
    return features


def usual_features(seqs: Sequences, not_inputs: Collection[str]) -> list[str]:
    """Returns the fields with numbers a step that can be inputs, but for the order, unnamed columns and what never changes.

    A number that never changes within any sequence is an id or a label more often than a measurement.
    """
    candidates = [name for name in seqs.step_columns if name not in (*not_inputs, seqs.order_by, "")]
    return [name for name in candidates if seqs.field(name).is_numeric and changes(seqs, name)]


def changes(seqs: Sequences, name: str) -> bool:
    """Whether a field takes two values in some sequence, or all sequences have one step."""
    values = seqs.field(name).values.reshape(seqs.num_steps, -1)
    starts = np.zeros(seqs.num_steps, dtype=bool)
    starts[offsets_of(seqs.lengths)[:-1]] = True
    return bool(starts.all() or (values[1:] != values[:-1])[~starts[1:]].any())


def mean_and_spread(seqs: Sequences, name: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Returns mean and standard deviation of each number of a field; scaled first, so that squares stay within range."""
    values: npt.NDArray[Any] = seqs.field(name).values
    values = values.reshape(len(values), -1)
    largest = np.abs(values).max(axis=0).astype(np.float64)
    scale = np.where(largest > 0, largest, 1.0)
    scaled = values / scale
    spread = scaled.std(axis=0)
    is_constant = spread <= SMALLEST_SPREAD  # rounding alone spreads equal numbers this far
    return scaled.mean(axis=0) * scale, np.where(is_constant, 1.0, spread * scale)


def check_finite(seqs: Sequences, name: str, what: str) -> None:
    """Raises DataError at the first step where a field is NaN or infinite; `what` is what the field is for."""
    values: npt.NDArray[Any] = seqs.field(name).values
    if values.dtype.kind != "f":
        return
    finite = np.isfinite(values)
    if finite.all():
        return
    at, *inside = (int(axis[0]) for axis in np.nonzero(~finite))
    sequence, step = place_of(at, seqs.lengths)
    column = f"{name}[{', '.join(map(str, inside))}]" if inside else name
    raise DataError(
        f"column {column!r} is {values[(at, *inside)]} in {seqs.place(sequence, step)}; {what} must be finite "
        f"numbers. Fill in missing values, or leave the sequence out."
    )
