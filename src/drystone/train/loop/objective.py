"""What is minimised: a model and a batch become a sum of losses and a sum of weights."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from drystone.core.batch import Batch
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
        state: of the rows, carried to the next batch: tensors, in any nest of tuples, lists and dicts; None where
            rows carry nothing.
    """

    loss: Tensor
    weight: float | int
    predictions: Tensor | None = None
    targets: Tensor | None = None
    state: Any = None

    def __post_init__(self) -> None:
        if isinstance(self.weight, Tensor):
            raise ConfigError("Outcome: weight must be a number on the host, as len(targets) is; got a Tensor.")
        if self.loss.ndim:
            shape = list(self.loss.shape)
            raise ConfigError(f"Outcome: loss must be a scalar, the sum of all losses; got shape {shape}.")


# Any function of a model, a batch and the state that its rows carried here: None where no row goes on from before.
Objective = Callable[[nn.Module, TensorBatch, Any], Outcome]


def outcome_of(objective: Objective, model: nn.Module, batch: TensorBatch, state: Any) -> Outcome:
    """Returns what an objective makes of a batch.

    Raises:
        ConfigError: it is no Outcome.
    """
    found = objective(model, batch, state)
    if not isinstance(found, Outcome):
        raise ConfigError(f"the objective must return an Outcome; got {type(found).__name__}.")
    return found


def carried(state: Any, batch: Batch) -> Any:
    """Returns the state that rows of a batch start from: None where all of them start with a sequence of their own."""
    return None if state is None or batch.spans.is_first.all() else state


def detached(state: Any) -> Any:
    """Returns a carried state cut off from the gradients behind it."""
    if state is None:
        return None
    if isinstance(state, Tensor):
        return state.detach()
    if isinstance(state, Mapping):
        return {name: detached(part) for name, part in state.items()}
    if isinstance(state, (tuple, list)):
        return type(state)(detached(part) for part in state)
    return state


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
        return Box(outcome_of(self.objective, self.model, *box.held))
