"""How weights are changed, and for how long."""

from dataclasses import dataclass
from math import isfinite

from torch import nn
from torch.optim import AdamW, Optimizer

from drystone.core.errors import ConfigError
from drystone.train.loop.rate import ScheduleName, check_schedule, rate_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Optimiser, learning rate and limits; training ends at the first limit that is reached.

    Args:
        epochs: passes over the data.
        updates: optimiser steps.
        seconds: wall time, over all of its continuations. Where it decides, a run does not repeat to the bit.
        learning_rate: the highest.
        schedule: how it moves: "one-cycle", "cosine" or "constant".
        warmup: the share of the training in which the rate rises, 0 … 1; by default 0.3, 0.05 and 0.
        weight_decay: of AdamW.
        gradient_clip: the largest norm of a gradient; None for no clipping.
        batches_per_update: gradients add up over so many batches.
        backprop_steps: for layouts that carry state: how many steps gradients go back, a multiple of those of a batch;
            None for one batch. See `drystone.torch.CarriedState`.
        evaluate_every: updates between evaluations; None for one at the end of each epoch.

    Raises:
        ConfigError: no limit, or a value out of range.

    Example:
        >>> round(Recipe(updates=1000, schedule="cosine").rate(0.525), 9)
        0.0005
    """

    epochs: int | None = None
    updates: int | None = None
    seconds: float | int | None = None
    learning_rate: float | int = 1e-3
    schedule: ScheduleName = "one-cycle"
    warmup: float | int | None = None
    weight_decay: float | int = 0.01
    gradient_clip: float | int | None = 1.0
    batches_per_update: int = 1
    backprop_steps: int | None = None
    evaluate_every: int | None = None

    def __post_init__(self) -> None:
        if self.epochs is self.updates is self.seconds is None:
            raise ConfigError("Recipe: training needs a limit; give epochs=, updates= or seconds=.")
        for name in ("epochs", "updates", "batches_per_update", "backprop_steps", "evaluate_every"):
            _check_count(name, getattr(self, name))
        for name in ("seconds", "learning_rate", "gradient_clip"):
            _check_positive(name, getattr(self, name))
        if not (isfinite(self.weight_decay) and self.weight_decay >= 0):
            raise ConfigError(f"Recipe: weight_decay must be a number ≥ 0; got {self.weight_decay!r}.")
        check_schedule(self.schedule, self.warmup)

    def rate(self, progress: float) -> float:
        """Returns the learning rate at a share of the training, 0 … 1."""
        return self.learning_rate * rate_at(self.schedule, self.warmup, progress)

    def progress(self, epochs: float, updates: int, seconds: float) -> float:
        """Returns the share of the training that is done, 0 … 1: that of the limit which is nearest."""
        done = ((epochs, self.epochs), (updates, self.updates), (seconds, self.seconds))
        return min(max(count / limit for count, limit in done if limit is not None), 1.0)

    def limit_reached(self, epochs: int, updates: int, seconds: float) -> str | None:
        """Returns the name of a limit that is reached, or None."""
        done = {"epochs": (epochs, self.epochs), "updates": (updates, self.updates), "seconds": (seconds, self.seconds)}
        return next((name for name, (count, limit) in done.items() if limit is not None and count >= limit), None)

    def optimizer(self, model: nn.Module, *, fused: bool = True) -> Optimizer:
        """Returns AdamW over the parameters that are trained.

        Args:
            model: whose parameters.
            fused: whether its step is one kernel, which is fastest; Fabric cannot clip its gradients where losses
                are scaled.
        """
        trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
        if not trained:
            raise ConfigError("the model has no parameters to train.")
        return AdamW(trained, lr=self.learning_rate, weight_decay=self.weight_decay, fused=fused)


def _check_count(name: str, value: object) -> None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
        raise ConfigError(f"Recipe: {name} must be a whole number ≥ 1; got {value!r}.")


def _check_positive(name: str, value: float | int | None) -> None:
    if value is not None and not (isfinite(value) and value > 0):
        raise ConfigError(f"Recipe: {name} must be a number > 0; got {value!r}.")
