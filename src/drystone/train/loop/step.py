"""One update: loss sums, backward, and a step on the gradient of the mean."""

from dataclasses import dataclass
from math import isfinite

import numpy as np
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import Optimizer

from drystone.core.batch import Batch
from drystone.core.errors import ConfigError, NotFiniteError
from drystone.torch.batch import to_tensors
from drystone.torch.carried_state import CarriedState
from drystone.train.loop.objective import Box, Forward, Objective, Outcome
from drystone.train.loop.totals import Totals
from drystone.train.ranks.gradients import make_mean
from drystone.train.ranks.ranks import Ranks


@dataclass(frozen=True, slots=True, kw_only=True)
class Stepped:
    """What an update came to on all ranks; `gradient_norm` is that before clipping, None where nothing was clipped."""

    loss: float
    weight: float
    sequences: int
    steps: int
    gradient_norm: float | None


class SpoiledUpdateError(NotFiniteError):
    """Loss or gradient is not finite.

    Args:
        words: what is not.
        is_here: whether it came from the batches of this rank, as far as can be told.
    """

    def __init__(self, words: str, *, is_here: bool) -> None:
        super().__init__(words)
        self.is_here = is_here


class Stepper:
    """Makes updates, on one device and in one precision, together with all other ranks.

    Args:
        model, objective: what is trained on what.
        optimizer: over parameters of the model.
        gradient_clip: the largest norm of a gradient, or None.
        fabric: device and precision.
        ranks: those whose losses and gradients add up.
    """

    def __init__(
        self,
        model: nn.Module,
        objective: Objective,
        optimizer: Optimizer,
        gradient_clip: float | None,
        fabric: Fabric,
        ranks: Ranks,
    ) -> None:
        self.fabric = fabric
        self._ranks = ranks
        self._parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        self._clip = gradient_clip
        self._forward, self._optimizer = fabric.setup(Forward(model, objective), optimizer)

    def step(self, batches: tuple[Batch, ...], carried: CarriedState, totals: Totals) -> tuple[Stepped, CarriedState]:
        """Makes one update of several batches; returns what it came to and the state to carry on.

        Raises:
            SpoiledUpdateError: loss or gradient is not finite; the weights are those before the update.
            ConfigError: the objective returns no Outcome, or a loss without a gradient.
            RankError: another rank is lost.
        """
        self._optimizer.zero_grad()
        before = totals.weight, totals.sequences, totals.steps
        loss, unit, carried = self._backward(batches, carried, totals)
        here = [now - then for now, then in zip((totals.weight, totals.sequences, totals.steps), before, strict=True)]
        has_gradient = [parameter.grad is not None for parameter in self._parameters]
        sums = self._ranks.sums(np.array([*here, *has_gradient], dtype=np.float64))
        weight, sequences, steps, *has_gradient = sums.tolist()
        mean, norm = loss / (weight or 1.0), None
        if weight:
            trained = [each for each, count in zip(self._parameters, has_gradient, strict=True) if count]
            mean = make_mean(trained, unit / weight, mean, self._ranks)
            norm = self._clipped()
        else:
            mean = self._ranks.summed(mean)
        loss_here, loss_of_all, length = self._read(loss, mean, norm)
        totals.loss += loss_here
        if weight:
            self._optimizer.step()
        stepped = Stepped(
            loss=loss_of_all, weight=weight, sequences=int(sequences), steps=int(steps), gradient_norm=length
        )
        return stepped, carried

    def _backward(
        self, batches: tuple[Batch, ...], carried: CarriedState, totals: Totals
    ) -> tuple[Tensor, float, CarriedState]:
        """Adds up Σ weighted loss and its gradients, which are those of the loss ÷ a unit, so that numbers stay small."""
        losses: list[Tensor] = []
        unit, has_weight = 1.0, False
        for host in batches:
            batch = to_tensors(host, self.fabric.device)
            outcome: Outcome
            outcome, carried = self._forward(Box(batch, carried)).held
            if outcome.weight and not outcome.loss.requires_grad:
                raise ConfigError(
                    "the loss has no gradient: none of it comes from parameters that are trained, or it was detached."
                )
            unit = unit if has_weight else outcome.weight or 1.0
            has_weight = has_weight or bool(outcome.weight)
            if outcome.loss.requires_grad:
                self.fabric.backward(outcome.loss / unit)
            losses.append(outcome.loss.detach().double())
            totals.add(batch, outcome)
        return sum(losses[1:], start=losses[0]), float(unit), carried

    def _clipped(self) -> Tensor | None:
        """Clips the gradients; returns their norm before."""
        if self._clip is None:
            return None
        return self.fabric.clip_gradients(self._forward, self._optimizer, max_norm=self._clip, error_if_nonfinite=False)

    def _read(self, loss: Tensor, mean: Tensor, norm: Tensor | None) -> tuple[float, float, float | None]:
        """Reads losses and norm: the one moment of an update when the device is waited for."""
        here, of_all, length = loss.item(), mean.item(), None if norm is None else norm.item()
        if not isfinite(of_all):
            raise SpoiledUpdateError(f"the loss is {of_all}", is_here=not isfinite(here))
        # where losses are scaled, gradients may overflow at times
        if length is not None and not isfinite(length) and not scales_losses(self.fabric):
            words = f"the norm of the gradient is {length} at a loss of {of_all:.6g}"
            raise SpoiledUpdateError(words, is_here=True)
        return here, of_all, length


def scales_losses(fabric: Fabric) -> bool:
    """Returns whether losses are scaled up, so that small gradients survive 16 bits."""
    return bool(fabric.strategy.precision.state_dict())
