"""One update: loss sums, backward, and a step on the gradient of the mean."""

from dataclasses import dataclass
from math import isfinite

from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import Optimizer

from drystone.core.batch import Batch
from drystone.core.errors import ConfigError, NotFiniteError
from drystone.torch.batch import to_tensors
from drystone.torch.carried_state import CarriedState
from drystone.train.loop.objective import Box, Forward, Objective, Outcome
from drystone.train.loop.totals import Totals


@dataclass(frozen=True, slots=True, kw_only=True)
class Stepped:
    """What an update came to; `gradient_norm` is that before clipping, None where nothing was clipped."""

    loss: float
    weight: float
    gradient_norm: float | None


class Stepper:
    """Makes updates, on one device and in one precision.

    Args:
        model, objective: what is trained on what.
        optimizer: over parameters of the model.
        gradient_clip: the largest norm of a gradient, or None.
        fabric: device and precision.
    """

    def __init__(
        self,
        model: nn.Module,
        objective: Objective,
        optimizer: Optimizer,
        gradient_clip: float | None,
        fabric: Fabric,
    ) -> None:
        self.fabric = fabric
        self._parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        self._clip = gradient_clip
        self._forward, self._optimizer = fabric.setup(Forward(model, objective), optimizer)

    def step(self, batches: tuple[Batch, ...], carried: CarriedState, totals: Totals) -> tuple[Stepped, CarriedState]:
        """Makes one update of several batches; returns what it came to and the state to carry on.

        Raises:
            NotFiniteError: loss or gradient is not finite; the weights are those before the update.
            ConfigError: the objective returns no Outcome, or a loss without a gradient.
        """
        self._optimizer.zero_grad()
        losses: list[Tensor] = []
        weight, unit = 0.0, 1.0
        for host in batches:
            batch = to_tensors(host, self.fabric.device)
            outcome: Outcome
            outcome, carried = self._forward(Box(batch, carried)).held
            if outcome.weight and not outcome.loss.requires_grad:
                raise ConfigError(
                    "the loss has no gradient: none of it comes from parameters that are trained, or it was detached."
                )
            unit = unit if weight else outcome.weight or 1.0  # keeps numbers small; the mean comes below
            if outcome.loss.requires_grad:
                self.fabric.backward(outcome.loss / unit)
            losses.append(outcome.loss.detach())
            weight += outcome.weight
            totals.add(batch, outcome)
        norm = self._finish_gradients(unit / weight) if weight else None
        stepped = self._read(losses, weight, norm)
        totals.loss += stepped.loss * (weight or 1.0)
        if weight:
            self._optimizer.step()
        return stepped, carried

    def _finish_gradients(self, factor: float) -> Tensor | None:
        """Makes the gradient of the mean, and clips it; returns its norm before."""
        if factor != 1.0:
            for parameter in self._parameters:
                if parameter.grad is not None:
                    parameter.grad.mul_(factor)
        if self._clip is None:
            return None
        return self.fabric.clip_gradients(self._forward, self._optimizer, max_norm=self._clip, error_if_nonfinite=False)

    def _read(self, losses: list[Tensor], weight: float, norm: Tensor | None) -> Stepped:
        """Reads loss and norm: the one moment of an update when the device is waited for."""
        loss = sum(loss.item() for loss in losses)
        if not isfinite(loss):
            raise NotFiniteError(f"the loss is {loss}")
        mean, length = loss / (weight or 1.0), None if norm is None else norm.item()
        # where losses are scaled, gradients may overflow at times
        if length is not None and not isfinite(length) and not scales_losses(self.fabric):
            raise NotFiniteError(f"the norm of the gradient is {length} at a loss of {mean:.6g}")
        return Stepped(loss=mean, weight=weight, gradient_norm=length)


def scales_losses(fabric: Fabric) -> bool:
    """Returns whether losses are scaled up, so that small gradients survive 16 bits."""
    return bool(fabric.strategy.precision.state_dict())
