"""Layers one on the other, in one direction or both: what an LSTM does once all is checked and prepared."""

from collections.abc import Callable, Sequence
from itertools import cycle
from typing import NamedTuple

import torch
from torch import Tensor

from drystone.torch.directions import Direction, LastSteps
from drystone.torch_ops.choose import choose
from drystone.torch_ops.kernel import Layer, LayerResult, Lookup, Weights, without_invalid_cells

Pair = tuple[Tensor, Tensor]


class Stacked(NamedTuple):
    """The output of the last layer, [rows, steps, directions × units], and the results of all in the order of `nn.LSTM`."""

    output: Tensor
    results: list[LayerResult]

    def state(self) -> Pair:
        """Returns h and c after each row's last valid cell, of all layers."""
        h, c = zip(*((result.h, result.c) for result in self.results), strict=True)
        return (h[0][None], c[0][None]) if len(h) == 1 else (torch.stack(h), torch.stack(c))

    def final_h(self, last_steps: Sequence[LastSteps]) -> Tensor:
        """Returns h after the last step of each sequence, of all layers."""
        return torch.stack([at.h(result) for at, result in self._by_direction(last_steps)])

    def final_c(self, last_steps: Sequence[LastSteps]) -> Tensor:
        """Returns c after the last step of each sequence, of all layers; this may have to be worked out."""
        return torch.stack([at.c(result) for at, result in self._by_direction(last_steps)])

    def _by_direction(self, last_steps: Sequence[LastSteps]) -> list[tuple[LastSteps, LayerResult]]:
        return list(zip(cycle(last_steps), self.results, strict=False))


def run_stack(
    x: Tensor,
    state: Pair | None,
    directions: Sequence[Direction],
    weights: Sequence[Sequence[Weights]],
    kernel: str,
    dropped: Callable[[Tensor, int], Tensor],
    lookup: Lookup | None = None,
) -> Stacked:
    """Runs all layers.

    Args:
        x: the inputs, [rows, steps, features].
        state: h and c that rows start from, one a layer and direction; None for zeros.
        directions: the masks of each direction.
        weights: of each layer and direction.
        kernel: the name of a kernel, or "auto".
        dropped: returns the inputs of a layer after dropout.
        lookup: what x holds the vectors of, where that is so and dropout leaves them whole.
    """
    values = x
    results: list[LayerResult] = []
    for layer, both in enumerate(weights):
        values = dropped(values, layer)
        outputs: list[Tensor] = []
        for direction, weight in zip(directions, both, strict=True):
            before = None if state is None else (state[0][len(results)], state[1][len(results)])
            source = lookup if layer == 0 and not direction.is_backward else None
            work = Layer(direction.turned(values), before, weight, direction.masks, source)
            chosen = choose(kernel, work)
            if layer == 0 and chosen.reads_invalid_cells:  # outputs of a layer are 0 there
                work = without_invalid_cells(work)
            results.append(chosen.run(work))
            outputs.append(direction.turned(results[-1].output))
        values = torch.cat(outputs, dim=2) if len(outputs) > 1 else outputs[0]
    return Stacked(values, results)
