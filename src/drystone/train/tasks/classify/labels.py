"""The class of each sequence."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from drystone.core.errors import DataError
from drystone.core.field import Field
from drystone.core.sequences import Sequences
from drystone.train.features.choose import changes

Label = str | int | bool
MAX_NUMBERS_SHOWN = 20


def labels_of(seqs: Sequences, target: str) -> npt.NDArray[Any]:
    """Returns the label of each sequence: text, whole numbers or bools.

    A target with a value a step serves too, if it is the same at all steps of a sequence.

    Raises:
        DataError: a label is missing, changes within a sequence, or is no class.
    """
    field = label_field(seqs, target)
    values = field.values
    missing = np.array([value in (None, "") for value in values], dtype=bool) if field.is_text else _missing(values)
    if missing.any():
        raise DataError(
            f"target {target!r} is missing in {seqs.place(int(np.argmax(missing)))}; label it or leave it out."
        )
    if values.dtype.kind == "f":
        return _whole_numbers(values, seqs, target)
    if not field.is_text and values.dtype.kind not in "iub":
        raise DataError(f"target {target!r} is {field.describe()}; classes are text or whole numbers.")
    return values


def label_field(seqs: Sequences, target: str) -> Field:
    """Returns the target as a field with a value a sequence.

    Raises:
        DataError: it changes within a sequence, or is more than one value.
    """
    try:
        field = seqs.collapsed(target).field(target)
    except DataError as error:
        if target in seqs.step_columns and changes(seqs, target):
            raise DataError(f"{error} For something at every step take task='tag' (--task tag).") from None
        raise
    if field.item_shape:
        raise DataError(f"target {target!r} has shape {field.item_shape} a sequence; a class is one value.")
    return field


def classes_of(labels: npt.NDArray[Any]) -> list[Label]:
    """Returns the classes that occur, sorted.

    Raises:
        DataError: there is only one.
    """
    classes: list[Label] = np.unique(labels).tolist()
    if len(classes) < 2:
        raise DataError(
            f"every training sequence has the label {classes[0]!r}; a classifier needs at least two classes."
        )
    return classes


def codes_of(labels: npt.NDArray[Any], classes: Sequence[Label], seqs: Sequences, target: str) -> npt.NDArray[np.int64]:
    """Returns the number of each label's class.

    Raises:
        DataError: a label that training did not see; the message names it and its sequence.
    """
    number_of = {label: number for number, label in enumerate(classes)}
    codes = np.array([number_of.get(label, -1) for label in labels.tolist()], dtype=np.int64)
    if (codes < 0).any():
        at = int(np.argmax(codes < 0))
        known = ", ".join(map(repr, classes[:MAX_NUMBERS_SHOWN]))
        raise DataError(
            f"{target!r} is {labels.tolist()[at]!r} in {seqs.place(at)}, which was not among the labels seen in training: {known}."
        )
    return codes


def _missing(values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    return ~np.isfinite(values) if values.dtype.kind == "f" else np.zeros(len(values), dtype=bool)


def _whole_numbers(values: npt.NDArray[Any], seqs: Sequences, target: str) -> npt.NDArray[np.int64]:
    broken = values != np.floor(values)
    if broken.any():
        at = int(np.argmax(broken))
        raise DataError(
            f"target {target!r} is {values[at]} in {seqs.place(at)}; classes are text or whole numbers. "
            f"Of a measurement with a value a sequence, task='regress' learns it; of one with a value a step, "
            f"task='forecast' learns the next values."
        )
    return values.astype(np.int64)
