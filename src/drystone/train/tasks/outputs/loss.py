"""What is summed over the items of a batch: weighted losses, and weights."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor

from drystone.core.errors import ConfigError
from drystone.train.settings import Settings
from drystone.train.tasks.outputs.outputs import Outputs
from drystone.train.tasks.outputs.weights import Weights, weighed, weights_of


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Loss:
    """How answers are scored: as they are where a model is measured, weighted and smoothed where it is trained.

    Args:
        outputs: what is said.
        label_smoothing: the share of each target that is spread over all choices.
        weights: of answers, by their values; None where all count the same.
    """

    outputs: Outputs
    label_smoothing: float = 0.0
    weights: Weights | None = None

    @classmethod
    def in_training(cls, outputs: Outputs, settings: Settings, targets: npt.NDArray[Any]) -> "Loss":
        """Returns what settings ask for.

        Args:
            outputs: what is said.
            settings: of the run.
            targets: [items, *target_shape], encoded; of the training part.

        Raises:
            ConfigError: they do not suit the outputs.
        """
        smoothing, asked = settings.label_smoothing or 0.0, settings.class_weights
        if smoothing and not outputs.choices(settings.target):
            raise ConfigError(
                f"label_smoothing is {smoothing}, and target {settings.target!r} is {outputs}, which have no classes. Leave it "
                f"out."
            )
        weights = None if asked is None else weights_of(outputs, settings.target, asked, targets)
        return cls(outputs=outputs, label_smoothing=smoothing, weights=weights)

    def sums(
        self, said: Tensor, targets: Tensor, on_host: Callable[[], npt.NDArray[Any]]
    ) -> tuple[Tensor, float | int]:
        """Returns Σ weighted loss and Σ weight of some items.

        Args:
            said: [items, outputs], as the model gives them.
            targets: [items, *target_shape], scaled where the outputs are.
            on_host: returns the targets as they were encoded; asked only where there are weights, so that no device is
                waited for.
        """
        losses = self.outputs.losses(
            said.to(torch.promote_types(said.dtype, torch.float32)), targets, self.label_smoothing
        )
        if self.weights is None:
            return losses.sum(), len(losses)
        weights = weighed(self.weights, on_host())
        counted = torch.from_numpy(weights).to(losses.device, losses.dtype, non_blocking=True)
        return (losses * counted).sum(), float(weights.mean(axis=1).sum())
