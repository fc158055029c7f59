"""The labels of each sequence: one class, or several yes/no."""

from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from drystone.core.column import Column
from drystone.core.errors import DataError
from drystone.core.field import Field
from drystone.core.sequences import Sequences
from drystone.train.tasks.outputs.classes import Classes
from drystone.train.tasks.outputs.outputs import Outputs, refuse_first
from drystone.train.tasks.outputs.yes_no import YesNo, is_yes_no


def label_field(seqs: Sequences, target: str) -> Field:
    """Returns the target as a field with a value a sequence: a class, or a vector of 0 and 1, or bools, for several labels.

    A target with a value a step serves too, if it is the same at all steps of a sequence.

    Raises:
        DataError: it changes within a sequence, or is neither.
    """
    try:
        found = seqs.collapsed(target)
    except DataError as error:
        if target in seqs.step_columns:
            raise DataError(
                f"{error} Several labels of a sequence are 0 or 1 each: one field a label, or a vector."
            ) from None
        raise
    field = found.field(target)
    if field.item_shape and (not field.is_numeric or not prod(field.item_shape)):
        raise DataError(
            f"target {target!r} has shape {field.item_shape} a sequence; a class is one value, and several labels are 0 or 1 "
            f"each."
        )
    if field.item_shape:
        known = is_yes_no(field.values).reshape(len(found), -1)
        refuse_first(
            np.asarray((~known).any(axis=1)),
            found,
            target,
            f", of shape {field.item_shape}; several labels of a sequence are 0 or 1 each, or bools. task='regress' learns "
            f"vectors of numbers.",
        )
    return field


def kind_for(seqs: Sequences, target: str) -> type[Outputs]:
    """Returns the kind of output that suits a target: several yes/no for a vector, else classes.

    Raises:
        DataError: as `label_field`.
    """
    return YesNo if label_field(seqs, target).item_shape else Classes


def labelled(seqs: Sequences, target: str) -> Sequences:
    """Returns the sequences with their target a value a sequence: text, whole numbers or bools; or several 0 and 1.

    Raises:
        DataError: as `label_field`; or a label is missing, or is no class.
    """
    field = label_field(seqs, target)
    found, values = seqs.collapsed(target), field.values
    if field.item_shape:
        return found
    missing = np.array([value in (None, "") for value in values], dtype=bool) if field.is_text else _missing(values)
    if missing.any():
        raise DataError(
            f"target {target!r} is missing in {seqs.place(int(np.argmax(missing)))}; label it or leave it out."
        )
    if values.dtype.kind == "f":
        whole = Column(_whole_numbers(values, seqs, target))
        columns = {name: found.field(name).compact for name in found.sequence_columns} | {target: whole}
        return replace(found, sequence_columns=columns, rows=np.arange(len(found)), sources=found.source)
    if not field.is_text and values.dtype.kind not in "iub":
        raise DataError(f"target {target!r} is {field.describe()}; classes are text or whole numbers.")
    return found


def strata_of(seqs: Sequences, target: str) -> npt.NDArray[Any]:
    """Returns [sequences] what each part should hold its share of: the class; of several labels the rarest that is yes.

    Args:
        seqs: what `labelled` returned.
        target: the field.
    """
    field = seqs.field(target)
    if not field.item_shape:
        return field.values
    is_yes = (field.values == 1).reshape(len(seqs), -1)
    rarest_first = np.argsort(is_yes.sum(axis=0), kind="stable")
    return np.where(is_yes.any(axis=1), is_yes[:, rarest_first].argmax(axis=1), -1)


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
