"""One sequence at a time through `torch.nn.LSTM`: what every result is held against."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

import drystone as ds
from drystone.core.layouts import Layout
from drystone.torch import LSTM, TensorBatch, batches


class Results(NamedTuple):
    """Of each sequence: outputs, final h and c, gradient of its inputs; and the gradients of all parameters."""

    outputs: list[Tensor]
    h: list[Tensor]
    c: list[Tensor]
    input_gradients: list[Tensor]
    parameter_gradients: dict[str, Tensor]


def relative_error(found: Tensor, expected: Tensor) -> float:
    """The largest difference, as a fraction of the largest value."""
    if expected.numel() == 0:
        return 0.0
    return float((found - expected).abs().max() / expected.abs().max().clamp(min=1e-300))


def worst_error(found: Results, expected: Results) -> float:
    """The largest relative error of any result."""
    pairs = [
        pair
        for name in ("outputs", "h", "c", "input_gradients")
        for pair in zip(getattr(found, name), getattr(expected, name), strict=True)
    ]
    gradients, wanted = found.parameter_gradients, expected.parameter_gradients
    pairs += [(gradients[name], wanted[name]) for name in wanted]
    return max(relative_error(*pair) for pair in pairs)


def loss_of(outputs: Iterable[Tensor], h: Iterable[Tensor], c: Iterable[Tensor], numbers: Iterable[int]) -> Tensor:
    """A loss that every output, h and c moves, each sequence with a weight of its own."""
    parts = [
        (1 + number % 3) * (output.sin().sum() + (final_h**2).sum() + (final_c * 1.5).cos().sum())
        for output, final_h, final_c, number in zip(outputs, h, c, numbers, strict=True)
    ]
    return torch.stack(parts).sum()


def expected_results(reference: nn.LSTM, arrays: list[Tensor]) -> Results:
    reference.zero_grad()
    inputs = [array.clone().requires_grad_() for array in arrays]
    runs = [reference(array[None]) for array in inputs]
    outputs = [output[0] for output, _ in runs]
    h = [state[0][:, 0] for _, state in runs]
    c = [state[1][:, 0] for _, state in runs]
    loss_of(outputs, h, c, range(len(arrays))).backward()
    return _results(outputs, h, c, [array.grad for array in inputs], reference)


def grid_results(lstm: LSTM, arrays: list[Tensor], layout: Layout, dtype: torch.dtype) -> Results:
    """Runs all batches of one epoch, and sorts what comes out by sequence."""
    lstm.zero_grad()
    seqs = ds.Sequences.from_arrays(per_step={"x": [array.numpy() for array in arrays]})
    outputs, h, c, gradients = ({} for _ in range(4))
    pending: list[tuple[TensorBatch, Tensor]] = []
    for batch in batches(ds.Loader(seqs, layout, seed=5), dtype=dtype):
        x = batch["x"].clone().requires_grad_()
        pending.append((batch, x))
        run = lstm.run(x, batch.grid)
        assert (run.output[~batch.valid] == 0).all()
        for end, span in enumerate(batch.host.ends.span):
            number, row = int(batch.spans.sequence[span]), int(batch.spans.row[span])
            outputs[number] = run.output[row, int(batch.spans.start[span]) : int(batch.spans.stop[span])]
            h[number], c[number] = run.final[0][:, end], run.final[1][:, end]
    numbers = range(len(arrays))
    loss_of(*([part[number] for number in numbers] for part in (outputs, h, c)), numbers).backward()
    for batch, x in pending:
        for row, start, stop, number in zip(*_columns(batch), strict=True):
            gradients[number] = x.grad[row, start:stop]
    return _results(*([part[number] for number in numbers] for part in (outputs, h, c, gradients)), lstm)


def _columns(batch: TensorBatch) -> list[list[int]]:
    spans = batch.spans
    return [column.tolist() for column in (spans.row, spans.start, spans.stop, spans.sequence)]


def _results(
    outputs: list[Tensor], h: list[Tensor], c: list[Tensor], input_gradients: list[Tensor], module: nn.Module
) -> Results:
    gradients = {name: parameter.grad.clone() for name, parameter in module.named_parameters()}
    detached = [[tensor.detach() for tensor in part] for part in (outputs, h, c, input_gradients)]
    return Results(*detached, gradients)


def random_arrays(lengths: Iterable[int], features: int, dtype: torch.dtype, seed: int) -> list[Tensor]:
    rng = np.random.default_rng(seed)
    return [torch.from_numpy(rng.normal(size=(length, features))).to(dtype) for length in lengths]
