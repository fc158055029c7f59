"""An LSTM over a batch in plain NumPy and float64, span by span, with its gradients: what every run is held against.

The loss is Σ (value × weight) over all outputs and both final states of the rows; gradients end at batch borders.
"""

from typing import Any, NamedTuple

import numpy as np

import drystone as ds

Array = np.ndarray[Any, Any]


class Parameters(NamedTuple):
    kernel: Array  # [features, 4 × units], gates in the order i, f, c, o
    recurrent: Array  # [units, 4 × units]
    bias: Array  # [4 × units]


class Run(NamedTuple):
    """Outputs [rows, steps, units], h and c [rows, units], and gradients of the inputs and of all parameters."""

    output: Array
    h: Array
    c: Array
    x_gradient: Array
    gradients: list[Array]


class Loss(NamedTuple):
    """The weights of all values in the loss."""

    output: Array
    h: Array
    c: Array


def random_loss(rows: int, steps: int, units: int, rng: np.random.Generator) -> Loss:
    return Loss(rng.normal(size=(rows, steps, units)), rng.normal(size=(rows, units)), rng.normal(size=(rows, units)))


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def forward(x: Array, h: Array, c: Array, parameters: Parameters) -> list[tuple[Array, ...]]:
    """Returns of every step: x, the state before, the gates, and the state after."""
    tape = []
    for step in x:
        gates = np.split(step @ parameters.kernel + h @ parameters.recurrent + parameters.bias, 4)
        i, f, g, o = sigmoid(gates[0]), sigmoid(gates[1]), np.tanh(gates[2]), sigmoid(gates[3])
        c_new = f * c + i * g
        h_new = o * np.tanh(c_new)
        tape.append((step, h, c, i, f, g, o, h_new, c_new))
        h, c = h_new, c_new
    return tape


def backward(
    tape: list[tuple[Array, ...]], by_output: Array, by_h: Array, by_c: Array, parameters: Parameters
) -> tuple[Array, list[Array]]:
    """Returns the gradients of the inputs, and of all parameters."""
    by_x = np.zeros((len(tape), len(parameters.kernel)))
    sums = [np.zeros_like(parameter) for parameter in parameters]
    for at in reversed(range(len(tape))):
        x, h, c, i, f, g, o, _, c_new = tape[at]
        by_h = by_h + by_output[at]
        tanh_c = np.tanh(c_new)
        by_c = by_c + by_h * o * (1 - tanh_c**2)
        by_gates = np.concatenate(
            [by_c * g * i * (1 - i), by_c * c * f * (1 - f), by_c * i * (1 - g**2), by_h * tanh_c * o * (1 - o)]
        )
        parts = np.outer(x, by_gates), np.outer(h, by_gates), by_gates
        sums = [total + part for total, part in zip(sums, parts, strict=True)]
        by_x[at] = parameters.kernel @ by_gates
        by_h, by_c = parameters.recurrent @ by_gates, by_c * f
    return by_x, sums


def over_batch(batch: ds.Batch, state: tuple[Array, Array], parameters: Parameters, loss: Loss) -> Run:
    """Runs the spans of a batch one by one, each from zeros or from the state that its row carries."""
    x = batch["x"].astype(np.float64)
    h, c = state[0].astype(np.float64), state[1].astype(np.float64)
    output, by_x = np.zeros((*batch.shape, h.shape[1])), np.zeros_like(x)
    sums = [np.zeros_like(parameter) for parameter in parameters]
    spans = batch.spans
    for at, (row, start, stop) in enumerate(zip(spans.row, spans.start, spans.stop, strict=True)):
        zeros = np.zeros_like(h[row])
        h_before, c_before = (zeros, zeros) if spans.is_first[at] else (h[row].copy(), c[row].copy())
        tape = forward(x[row, start:stop], h_before, c_before, parameters)
        output[row, start:stop] = [step[-2] for step in tape]
        h[row], c[row] = tape[-1][-2:]
        is_last_of_row = at == len(spans) - 1 or spans.row[at + 1] != row
        by_h, by_c = (loss.h[row], loss.c[row]) if is_last_of_row else (zeros, zeros)
        by_x[row, start:stop], parts = backward(tape, loss.output[row, start:stop], by_h, by_c, parameters)
        sums = [total + part for total, part in zip(sums, parts, strict=True)]
    return Run(output, h, c, by_x, sums)


def turned(batch: ds.Batch) -> ds.Batch:
    """Returns a batch of whole sequences with every sequence turned round in its place."""
    x = batch["x"].copy()
    for row, start, stop in zip(batch.spans.row, batch.spans.start, batch.spans.stop, strict=True):
        x[row, start:stop] = x[row, start:stop][::-1]
    return ds.Batch(grid=batch.grid, step_fields={"x": x}, span_fields={}, scored=batch.scored, epoch=batch.epoch)


def turned_back(values: Array, batch: ds.Batch) -> Array:
    """Returns values [rows, steps, ...] of a turned batch in the order of the batch itself."""
    result = values.copy()
    for row, start, stop in zip(batch.spans.row, batch.spans.start, batch.spans.stop, strict=True):
        result[row, start:stop] = values[row, start:stop][::-1]
    return result


def assert_close(found: Any, expected: Array, *, what: str, tolerance: float = 2e-6) -> None:
    """Norm-wise: the error as a fraction of the largest value."""
    found = np.asarray(found, np.float64)
    assert found.shape == expected.shape, what
    error = np.abs(found - expected).max() / max(np.abs(expected).max(), 1e-3)
    assert error <= tolerance, f"{what}: relative error {error:.2e}"
