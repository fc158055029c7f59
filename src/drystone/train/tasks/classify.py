"""Classify: one class a sequence."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional
from torchmetrics import Metric
from torchmetrics.classification import MulticlassAccuracy

from drystone.core.errors import DataError
from drystone.core.sequences import Sequences
from drystone.torch.batch import TensorBatch
from drystone.train.loop.objective import Outcome

Label = str | int | bool
MAX_NUMBERS_SHOWN = 20


class Classify:
    """Cross-entropy of the sequences that end in a batch, each of weight 1.

    Args:
        codes: [sequences] the number of the class of each.
        label_smoothing: share of each target that is spread over all classes.
    """

    def __init__(self, codes: npt.NDArray[np.int64], label_smoothing: float = 0.0) -> None:
        self._codes = torch.from_numpy(codes)
        self._label_smoothing = label_smoothing

    def __call__(self, model: nn.Module, batch: TensorBatch, state: Any) -> Outcome:
        logits = model(batch)
        targets = self._codes[batch.host.ends.sequence].to(logits.device, non_blocking=True)
        loss = functional.cross_entropy(logits, targets, label_smoothing=self._label_smoothing, reduction="sum")
        return Outcome(loss=loss, weight=len(targets), predictions=logits, targets=targets)


def metrics(num_classes: int) -> dict[str, Metric]:
    """Returns what is told of a classifier beside its loss."""
    return {"accuracy": MulticlassAccuracy(num_classes, average="micro", validate_args=False)}


def labels_of(seqs: Sequences, target: str) -> npt.NDArray[Any]:
    """Returns the label of each sequence: text, whole numbers or bools.

    A target with a value a step serves too, if it is the same at all steps of a sequence.

    Raises:
        DataError: a label is missing, changes within a sequence, or is no class.
    """
    field = seqs.collapsed(target).field(target)
    values = field.values
    if field.item_shape:
        raise DataError(f"target {target!r} has shape {field.item_shape} a sequence; a class is one value.")
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


def classes_of(labels: npt.NDArray[Any]) -> tuple[Label, ...]:
    """Returns the classes that occur, sorted.

    Raises:
        DataError: there is only one.
    """
    classes: list[Label] = np.unique(labels).tolist()
    if len(classes) < 2:
        raise DataError(
            f"every training sequence has the label {classes[0]!r}; a classifier needs at least two classes."
        )
    return tuple(classes)


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
            f"target {target!r} is {values[at]} in {seqs.place(at)}; classes are text or whole numbers, and "
            f"other targets cannot be learned yet."
        )
    return values.astype(np.int64)
