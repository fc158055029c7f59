"""What is minimised: a model and a batch become a sum of losses and a sum of weights."""

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from numbers import Real
from types import NoneType
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from drystone.core.errors import ConfigError
from drystone.torch.batch import TensorBatch


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcome:
    """What a model makes of one batch.

    Args:
        loss: Σ weighted loss, a scalar: over the sequences that end in the batch, or over its scored cells.
        weight: Σ weight; 1 for each sequence or scored cell, as a rule. A number on the host, so that no device is
            waited for.
        predictions, targets: what metrics are updated with, one row each a sequence or scored cell.
        cells: [rows of predictions] on the host, where each is said of a cell: its number row × steps + step. Metrics whose
            `update` takes `places` get from it the sequence and the step of each row, [rows, 2].
        state: of the rows, carried to the next batch: tensors, in any nest of tuples, lists and dicts; None where
            rows carry nothing.

    Raises:
        ConfigError: the loss is no scalar tensor, the weight no finite number ≥ 0, or predictions or targets
            are no tensor.
    """

    loss: Tensor
    weight: float | int
    predictions: Tensor | None = None
    targets: Tensor | None = None
    cells: npt.NDArray[np.int64] | None = None
    state: Any = None

    def __post_init__(self) -> None:
        if not isinstance(self.loss, Tensor) or self.loss.ndim:
            raise ConfigError(f"Outcome: loss must be a scalar tensor, Σ weighted loss; got {_kind(self.loss)}.")
        if not isinstance(self.weight, Real) or not isfinite(self.weight) or self.weight < 0:
            got = self.weight if isinstance(self.weight, Real) else _kind(self.weight)
            raise ConfigError(f"Outcome: weight must be a finite number ≥ 0, and no tensor; got {got}.")
        for name, value in (("predictions", self.predictions), ("targets", self.targets)):
            if not isinstance(value, (Tensor, NoneType)):
                raise ConfigError(f"Outcome: {name} must be a tensor, or be left out; got {_kind(value)}.")


# Any function of a model, a batch and the state that its rows carried here: None where no row goes on from before.
Objective = Callable[[nn.Module, TensorBatch, Any], Outcome]


def outcome_of(objective: Objective, model: nn.Module, batch: TensorBatch, state: Any) -> Outcome:
    """Returns what the objective makes of a batch.

    Raises:
        ConfigError: it returns something else than an Outcome.
    """
    outcome: Any = objective(model, batch, state)
    if not isinstance(outcome, Outcome):
        raise ConfigError(
            f"the objective must return Outcome(loss=Σ weighted loss, weight=Σ weight); it returned {_kind(outcome)}."
        )
    return outcome


def on_device(values: npt.NDArray[Any], batch: TensorBatch) -> Tensor:
    """Returns an array as a tensor where the batch lies; the device is not waited for."""
    return torch.from_numpy(values).to(batch.device, non_blocking=True)


def forward_of(objective: Objective, model: nn.Module) -> Callable[[TensorBatch, Any], tuple[Outcome, Any]]:
    """Returns what `CarriedState.run` calls: from a batch and a state to what is made of it, and the state after."""

    def forward(batch: TensorBatch, state: Any) -> tuple[Outcome, Any]:
        outcome = outcome_of(objective, model, batch, state)
        return outcome, outcome.state

    return forward


class Box:
    """Holds what goes into and comes out of a wrapped model, so that wrappers look for no tensors in it."""

    __slots__ = ("held",)

    def __init__(self, *held: Any) -> None:
        self.held = held


class Forward(nn.Module):
    """Model and objective as one module, for a library that wraps modules."""

    def __init__(self, model: nn.Module, objective: Objective) -> None:
        super().__init__()
        self.model = model
        self.objective = objective

    def forward(self, box: Box) -> Box:
        batch, carried = box.held
        return Box(*carried.run(forward_of(self.objective, self.model), batch))


def _kind(value: Any) -> str:
    return f"a tensor of shape {list(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
