"""The state of rows, carried from batch to batch, and how far gradients go back: truncated backpropagation."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from drystone.core.errors import ConfigError
from drystone.torch.batch import TensorBatch, to_tensors
from drystone.torch.plain_batch import from_plain, to_plain

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CarriedState:
    """The state of the rows after a batch, cut off from the gradients behind it; a value, which `run` makes anew.

    Gradients end at the batch's border. With `backprop_steps` they go back further: the batches before, which make
    up the rest of so many steps, run once more ahead of each batch, from the state that was before them. That costs
    as many times the work as there are batches in `backprop_steps`; what of it is random, such as plain dropout, is
    drawn anew.

    Rows that start with a sequence of their own are reset by the batch's masks. Where all rows do, nothing is carried.
    A row that has no step in a batch, as in a gap of aligned series, keeps its state.

    Args:
        backprop_steps: how far back the gradient of a batch's last step goes; a multiple of the steps of a batch. By
            default those of one batch.

    Example:
        >>> import drystone as ds
        >>> from drystone.torch import LSTM, batches
        >>> lstm = LSTM(1, 4)
        >>> def forward(batch, state):  # an output of any kind, and the state of the rows after the batch
        ...     return lstm(batch["x"], state, reset=batch.reset, valid=batch.valid)
        >>> seqs = ds.Sequences.from_arrays({"x": [torch.ones(9, 1).numpy(), torch.ones(4, 1).numpy()]})
        >>> carried = CarriedState(backprop_steps=4)
        >>> for batch in batches(ds.Loader(seqs, ds.Stateful(rows=2, steps=2))):
        ...     output, carried = carried.run(forward, batch)
        ...     output[batch.scored].sum().backward()
    """

    backprop_steps: int | None = None
    before: Any = None
    """The state before the first of `lead`; tensors in any nest of tuples, lists and dicts."""
    lead: tuple[TensorBatch, ...] = ()
    """The batches that run once more ahead of the next one."""
    num_rows: int | None = None
    """Of the batch before; None where there is none."""

    def __post_init__(self) -> None:
        steps = self.backprop_steps
        if steps is not None and (isinstance(steps, bool) or not isinstance(steps, int) or steps < 1):
            raise ConfigError(f"backprop_steps must be a whole number ≥ 1; got {steps!r}.")

    def run(
        self, forward: Callable[[TensorBatch, Any], tuple[Result, Any]], batch: TensorBatch
    ) -> "tuple[Result, CarriedState]":
        """Runs a batch from the carried state.

        Args:
            forward: takes a batch and the state of its rows (None for zeros); returns a result, and the state after.
            batch: the next one of the loader.

        Returns:
            The result of this batch, and the state to carry on.

        Raises:
            ConfigError: `backprop_steps` is no multiple of the steps of the batch.
        """
        now = self if self._goes_on(batch) else self.restarted()
        most, state, states = self._batches_ahead(batch), now.before, [now.before]
        for each in now.lead:
            _, state = forward(each, state)
            states.append(state)
        result, state = forward(batch, state)
        states.append(state)
        lead = (*now.lead, batch)
        first = max(len(lead) - most, 0)
        num_rows, _ = batch.shape
        return result, replace(now, before=detached(states[first]), lead=lead[first:], num_rows=num_rows)

    def restarted(self) -> "CarriedState":
        """Returns the same with nothing carried, as before the first batch."""
        return CarriedState(backprop_steps=self.backprop_steps)

    def state_dict(self) -> dict[str, Any]:
        """Returns all that is carried, in tensors and plain values."""
        return {
            "before": self.before,
            "lead": [to_plain(batch.host) for batch in self.lead],
            "num_rows": self.num_rows,
        }

    def loaded(self, state: Mapping[str, Any], device: torch.device) -> "CarriedState":
        """Returns the same with what `state_dict` returned, on a device."""
        lead = tuple(to_tensors(from_plain(plain), device) for plain in state["lead"])
        before = each_tensor(state["before"], lambda tensor: tensor.to(device))
        return replace(self, before=before, lead=lead, num_rows=state["num_rows"])

    def _goes_on(self, batch: TensorBatch) -> bool:
        """Whether a row may need its state: a sequence goes on on it, or it has no step here and waits for one."""
        spans, (num_rows, _) = batch.spans, batch.shape
        if not spans.is_first.all():
            return True
        return num_rows == self.num_rows and len(np.unique(spans.row)) < num_rows

    def _batches_ahead(self, batch: TensorBatch) -> int:
        _, steps = batch.shape
        wanted = self.backprop_steps or steps
        if wanted % steps:
            low = wanted // steps * steps
            nearest = f"{low} or {low + steps}" if low else f"{steps}"
            raise ConfigError(
                f"backprop_steps must be a multiple of the steps of a batch, {steps}; got {wanted}. Give {nearest}."
            )
        return wanted // steps - 1


def detached(state: Any) -> Any:
    """Returns a state cut off from the gradients behind it."""
    return each_tensor(state, Tensor.detach)


def each_tensor(state: Any, change: Callable[[Tensor], Tensor]) -> Any:
    """Returns a nest of tuples, lists and dicts with its tensors changed, one after the other; what is no tensor stays."""
    if isinstance(state, Tensor):
        return change(state)
    if isinstance(state, Mapping):
        return {name: each_tensor(part, change) for name, part in state.items()}
    if isinstance(state, tuple) and hasattr(state, "_fields"):
        return type(state)(*(each_tensor(part, change) for part in state))
    if isinstance(state, (tuple, list)):
        return type(state)(each_tensor(part, change) for part in state)
    return state
