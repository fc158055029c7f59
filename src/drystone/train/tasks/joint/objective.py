"""What the joint model is trained on: the likelihood of the label and of all tags of a sequence."""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from drystone.torch.batch import TensorBatch
from drystone.train.loop.objective import Outcome, on_device
from drystone.train.tasks.joint.model import JointModel
from drystone.train.tasks.outputs.loss import Loss


class JointLosses:
    """The loss of each sequence: that of its label, and those of its steps; each sequence has weight 1.

    Predictions are of steps: what is said of the sequence stands beside its last one, and is 0 at the others. Targets are
    the numbers of the tag, then of the label, which is −1 but for the last step.

    Args:
        labels: of each sequence, encoded.
        tags: the field of encoded tags.
        of_sequences, of_steps: the losses of either.
    """

    def __init__(self, labels: npt.NDArray[Any], tags: str, of_sequences: Loss, of_steps: Loss) -> None:
        self._labels, self._tags = labels, tags
        self._of_sequences, self._of_steps = of_sequences, of_steps

    def __call__(self, model: nn.Module, batch: TensorBatch, _state: Any) -> Outcome:
        assert isinstance(model, JointModel)
        cells = batch.grid.cells
        sequences, steps = model(batch, on_device(cells, batch))
        labels_on_host = self._labels[batch.host.ends.sequence]
        labels = on_device(labels_on_host, batch)
        tags_on_host = _at(batch.host[self._tags], cells)
        tags = on_device(tags_on_host, batch)
        loss_of_sequences, weight = self._of_sequences.sums(sequences, labels, lambda: labels_on_host)
        loss_of_steps, _ = self._of_steps.sums(steps, tags, lambda: tags_on_host)
        ends = on_device(places_of_ends(batch), batch)
        return Outcome(
            loss=loss_of_sequences + loss_of_steps,
            weight=weight,
            predictions=_beside(model, sequences, steps, ends),
            targets=_targets(tags, labels, ends),
            cells=cells,
        )


def said_only(model: nn.Module, batch: TensorBatch, _state: Any) -> Outcome:
    """Predicts, where no target is known; predictions as `JointLosses` has them."""
    assert isinstance(model, JointModel)
    sequences, steps = model(batch, on_device(batch.grid.cells, batch))
    found = _beside(model, sequences, steps, on_device(places_of_ends(batch), batch))
    return Outcome(loss=found.new_zeros(()), weight=0.0, predictions=found)


def places_of_ends(batch: TensorBatch) -> npt.NDArray[np.int64]:
    """Returns where the last step of each sequence lies among `batch.grid.cells`."""
    grid, ends = batch.grid, batch.grid.ends
    place = np.zeros(grid.num_rows * grid.num_steps, dtype=np.int64)
    place[grid.cells] = np.arange(len(grid.cells))
    return place[ends.row * grid.num_steps + ends.step]


def _beside(model: JointModel, sequences: Tensor, steps: Tensor, ends: Tensor) -> Tensor:
    at_ends = sequences.new_zeros(len(steps), sequences.shape[1]).index_copy(0, ends, sequences)
    return model.side_by_side(at_ends, steps)


def _targets(tags: Tensor, labels: Tensor, ends: Tensor) -> Tensor:
    """Returns [steps, numbers of a tag and of a label]."""
    tags, labels = (each.reshape(len(each), -1).long() for each in (tags, labels))
    at_ends = torch.full((len(tags), labels.shape[1]), -1, device=tags.device).index_copy(0, ends, labels)
    return torch.cat([tags, at_ends], dim=1)


def _at(values: npt.NDArray[Any], cells: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
    return values.reshape(-1, *values.shape[2:])[cells]
