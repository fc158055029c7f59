"""DESIGN.md's contract, read aloud in plain NumPy; slow, and nothing but the rules."""

from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, Any]


class Span(NamedTuple):
    batch: int
    row: int
    step: int
    sequence: int
    offset: int
    length: int


class Weights(NamedTuple):
    input: Array  # [4 × hidden, features], gates in the order i, f, g, o
    hidden: Array  # [4 × hidden, hidden]
    bias: Array  # [4 × hidden]


# Plan: no two spans overlap; every step lies in exactly one span or is dropped; what goes on, goes on in its row.


def broken_rule(
    lengths: Array, spans: list[Span], shapes: list[tuple[int, int]], dropped: list[tuple[int, int, int]]
) -> str:
    """Returns the first rule that a plan breaks, or "" where it keeps them all."""
    taken: set[tuple[int, int, int]] = set()
    seen = {(sequence, offset + k) for sequence, offset, length in dropped for k in range(length)}
    if len(seen) != sum(length for _, _, length in dropped):
        return "a step is dropped twice"
    for span in spans:
        rows, steps = shapes[span.batch]
        if span.length < 1 or not (0 <= span.row < rows and 0 <= span.step <= steps - span.length):
            return f"outside its batch: {span}"
        for k in range(span.length):
            cell, step = (span.batch, span.row, span.step + k), (span.sequence, span.offset + k)
            if cell in taken:
                return f"overlap: {span}"
            if step in seen:
                return f"a step twice: {span}"
            taken.add(cell)
            seen.add(step)
        if span.offset > 0 and not goes_on(span, spans):
            return f"does not go on in its row: {span}"
    every_step = {(sequence, step) for sequence, length in enumerate(lengths) for step in range(length)}
    return "" if seen == every_step else "a step is missing, or there is one too many"


def goes_on(span: Span, spans: list[Span]) -> bool:
    """Whether a span continues the span before it on its row, in this batch or an earlier one."""
    before = [other for other in spans if other.row == span.row and place(other) < place(span)]
    if not before:
        return False
    last = max(before, key=place)
    return last.sequence == span.sequence and last.offset + last.length == span.offset


def place(span: Span) -> tuple[int, int]:
    return span.batch, span.step


# Batch: valid inside spans; reset exactly where a span with offset 0 starts.


def masks(spans: list[Span], rows: int, steps: int) -> tuple[Array, Array, Array]:
    """Returns valid, reset and sequence of one batch."""
    valid, reset = np.zeros((rows, steps), bool), np.zeros((rows, steps), bool)
    sequence = np.full((rows, steps), -1)
    for span in spans:
        valid[span.row, span.step : span.step + span.length] = True
        sequence[span.row, span.step : span.step + span.length] = span.sequence
        if span.offset == 0:
            reset[span.row, span.step] = True
    return valid, reset, sequence


# The recurrence: an invalid cell outputs 0 and leaves the state; a reset zeroes it, passed-in state too.


def sigmoid(x: Array) -> Array:
    return 1.0 / (1.0 + np.exp(-x))


def lstm_step(x: Array, h: Array, c: Array, weights: Weights) -> tuple[Array, Array]:
    i, f, g, o = np.split(weights.input @ x + weights.hidden @ h + weights.bias, 4)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def one_sequence(x: Array, weights: Weights) -> tuple[Array, Array]:
    """Returns h and c after every step of one sequence, from a zero state: [steps, hidden] each."""
    h = c = np.zeros(weights.hidden.shape[1])
    states = []
    for step in x:
        h, c = lstm_step(step, h, c, weights)
        states.append((h, c))
    return np.array([h for h, _ in states]), np.array([c for _, c in states])


def over_grid(x: Array, valid: Array, reset: Array, h: Array, c: Array, weights: Weights) -> tuple[Array, Array, Array]:
    """Returns the output [rows, steps, hidden], and the state [rows, hidden] that the next batch starts from."""
    output = np.zeros((*valid.shape, weights.hidden.shape[1]))
    h, c = h.copy(), c.copy()
    for row, step in np.ndindex(*valid.shape):
        if reset[row, step]:
            h[row], c[row] = 0.0, 0.0
        if valid[row, step]:
            h[row], c[row] = lstm_step(x[row, step], h[row], c[row], weights)
            output[row, step] = h[row]
    return output, h, c
