"""What the compiler makes of the LSTM; a script of its own, since shapes are not checked at every call here."""

import sys

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_sequence

import drystone as ds
from drystone.torch import LSTM, PreparedGrid, TensorBatch, batches


def grids(layout: ds.Packed | ds.Padded) -> list[TensorBatch]:
    rng = np.random.default_rng(0)
    seqs = ds.Sequences.from_arrays({"x": [rng.normal(size=(length, 3)) for length in (5, 1, 4, 2, 6, 3)]})
    return list(batches(ds.Loader(seqs, layout), dtype=torch.float32))


def gradients(lstm: LSTM, output: Tensor) -> list[Tensor]:
    lstm.zero_grad()
    output.sin().sum().backward()
    return [parameter.grad.clone() for parameter in lstm.parameters()]


def check_training(layout: ds.Packed | ds.Padded, backend: str = "aot_eager") -> None:
    """Batches of several shapes give what they give uncompiled, in whole graphs."""
    lstm = LSTM(3, 4, bidirectional=True, variational_dropout=0.4)

    def train(x: Tensor, grid: PreparedGrid) -> Tensor:
        run = lstm.run(2 * x, grid)
        return run.output.sum(-1) + run.final[0].sum() + run.final[1].sum() + run.state[1].sum()

    compiled = torch.compile(train, fullgraph=True, backend=backend)
    first = grids(layout)[0]
    with pytest.raises(torch._dynamo.exc.Unsupported, match="prepare them before, with lstm.prepare"):
        compiled(first["x"], first.grid)
    for batch in grids(layout):
        grid = lstm.prepare(batch.grid, epoch=3)
        expected = gradients(lstm, train(batch["x"], grid))
        torch.testing.assert_close(gradients(lstm, compiled(batch["x"], grid)), expected, rtol=1e-4, atol=1e-5)


def check_inductor() -> None:
    """The compiler's own backend, over state carried from call to call."""
    check_training(ds.Padded(6), "inductor")
    lstm = LSTM(3, 4).eval()
    compiled = torch.compile(lstm, fullgraph=True)
    x = torch.randn(2, 5, 3)
    with torch.no_grad():
        torch.testing.assert_close(compiled(x, lstm(x)[1]), lstm(x, lstm(x)[1]))


def check_masks() -> None:
    """Raw masks and packed sequences break the graph, and change nothing."""
    lstm = LSTM(3, 4, bidirectional=True)
    compiled = torch.compile(lstm, backend="aot_eager")
    for batch in grids(ds.Packed(rows=2, steps=7)):
        masks = {"reset": batch.reset, "valid": batch.valid}
        expected = gradients(lstm, lstm(batch["x"], **masks)[0])
        torch.testing.assert_close(gradients(lstm, compiled(batch["x"], **masks)[0]), expected, rtol=1e-4, atol=1e-5)
    asking = torch.compile(lambda batch: (batch["x"] * batch.valid[..., None]).sum(), backend="aot_eager")
    for number, batch in enumerate(grids(ds.Padded(2))):
        with torch.inference_mode(number % 2 == 1):
            torch.testing.assert_close(asking(batch), batch["x"].sum())
        assert not batch.valid.is_inference()
    packed = pack_sequence([torch.randn(length, 3) for length in (2, 5, 1)], enforce_sorted=False)
    torch.testing.assert_close(compiled(packed)[0].data, lstm(packed)[0].data)


class Step(nn.Module):
    """One step of a sequence, with the state in and out."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = LSTM(3, 4, 2)

    def forward(self, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        output, (h, c) = self.lstm(x[:, None], (h, c))
        return output[:, 0], h, c


def check_export() -> None:
    step = Step().eval()
    state = torch.zeros(2, 2, 4), torch.zeros(2, 2, 4)
    rows = torch.export.Dim("rows", min=2, max=64)
    program = torch.export.export(
        step, (torch.randn(2, 3), *state), dynamic_shapes=({0: rows}, {1: rows}, {1: rows}), strict=False
    )
    assert "drystone" not in str(program.graph), "an exported step runs where drystone is not installed"
    x, state = torch.randn(7, 3), (torch.randn(2, 7, 4), torch.randn(2, 7, 4))
    torch.testing.assert_close(program.module()(x, *state), step(x, *state))


def check_states() -> None:
    """States may lie in memory in another order; so do their gradients then."""
    lstm = LSTM(3, 4)
    compiled = torch.compile(lstm, fullgraph=True, backend="aot_eager")
    x, state = torch.randn(2, 5, 3), tuple(torch.randn(1, 4, 2).transpose(1, 2).requires_grad_() for _ in range(2))
    found = torch.autograd.grad(compiled(x, state)[0].sin().sum(), state)
    torch.testing.assert_close(found, torch.autograd.grad(lstm(x, state)[0].sin().sum(), state))


def check_vectors() -> None:
    """Inputs may be vectors of a table: looked up where there are more cells than vectors."""
    batch, lstm, ids = grids(ds.Packed(rows=2, steps=7))[0], LSTM(3, 4), torch.arange(14).view(2, 7) % 5
    grid, table = lstm.prepare(batch.grid), torch.randn(5, 3, requires_grad=True)

    def output(table: Tensor) -> Tensor:
        return lstm.run(ids, grid, vectors=table).output

    compiled = torch.compile(output, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(table), output(table))
    found = torch.autograd.grad(compiled(table).sin().sum(), [table, *lstm.parameters()])
    expected = torch.autograd.grad(output(table).sin().sum(), [table, *lstm.parameters()])
    torch.testing.assert_close(found, expected)


def check_second_derivatives() -> None:
    lstm = LSTM(3, 4)
    compiled = torch.compile(lstm, backend="aot_eager")
    x = torch.randn(2, 5, 3, requires_grad=True)
    with pytest.raises(RuntimeError, match="double backward"):
        torch.autograd.grad(compiled(x)[0].sum(), x, create_graph=True)[0].sum().backward()


if __name__ == "__main__":
    checks = {
        "padded": lambda: check_training(ds.Padded(2)),
        "packed": lambda: check_training(ds.Packed(rows=2, steps=7)),
        "masks": check_masks,
        "inductor": check_inductor,
        "export": check_export,
        "states": check_states,
        "vectors": check_vectors,
        "second": check_second_derivatives,
    }
    for part in sys.argv[1:]:
        torch.compiler.reset()  # as in a process of its own, which would import torch again
        torch.manual_seed(0)
        checks[part]()
        sys.stdout.write(f"{part}\n")
