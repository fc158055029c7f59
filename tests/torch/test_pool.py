"""Pools and gathering by sequence, against a loop over the cells of each sequence."""

from collections.abc import Callable
from typing import Any

import jaxtyping
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

import drystone as ds
from drystone.core.grid import Grid, Spans
from drystone.torch import LSTM, by_sequence, pool, to_tensors
from tests.contract import strategies

UNITS = 4
REDUCE: dict[str, Callable[[Tensor], Tensor]] = {
    "mean": lambda steps: steps.mean(0),
    "max": lambda steps: steps.amax(0),
    "sum": lambda steps: steps.sum(0),
}


@st.composite
def whole_grids(draw: Any) -> Grid:
    """Grids of whole sequences, in one span or several of their row; rows without any, too."""
    num_rows, num_steps = draw(st.integers(1, 4)), draw(st.integers(1, 12))
    spans: list[tuple[int, int, int, int, int, bool, bool]] = []
    numbers = iter(draw(st.permutations(range(60))))
    for row in range(num_rows):
        column, number, offset = 0, next(numbers), 0
        while (column := column + draw(st.integers(0, 2))) < num_steps:
            stop = min(num_steps, column + draw(st.integers(1, 4)))
            is_last = draw(st.booleans()) or stop >= num_steps - 2
            spans.append((row, column, stop, number, offset, offset == 0, is_last))
            column, offset = stop, offset + stop - column
            if is_last:
                number, offset = next(numbers), 0
                if stop >= num_steps - 2:
                    break
    columns = list(zip(*spans, strict=True)) if spans else [()] * 7
    parts = [np.array(column, dtype=bool if at > 4 else np.int64) for at, column in enumerate(columns)]
    names = ("row", "start", "stop", "sequence", "offset", "is_first", "is_last")
    return Grid.from_spans(num_rows, num_steps, Spans(**dict(zip(names, parts, strict=True))))


def cells_of(grid: Grid, sequence: int) -> list[tuple[int, int]]:
    return [(int(row), int(step)) for row, step in np.argwhere(grid.sequence == sequence)]


def steps_of(output: Tensor, grid: Grid, sequence: int) -> Tensor:
    return torch.stack([output[cell] for cell in cells_of(grid, sequence)])


def random_output(grid: Grid, dtype: torch.dtype = torch.float64) -> Tensor:
    rng = np.random.default_rng(grid.num_steps)
    values = rng.integers(-3, 4, size=(grid.num_rows, grid.num_steps, UNITS))  # few values, so that maxima tie
    return torch.from_numpy(values / 3).to(dtype).requires_grad_()


def assert_same(found: Tensor, expected: list[Tensor], output: Tensor, rtol: float = 1e-12) -> None:
    """Values and, of a loss that weighs all of them differently, gradients."""
    wanted = torch.stack(expected) if expected else output.new_zeros(0, UNITS)
    torch.testing.assert_close(found, wanted, rtol=rtol, atol=rtol)
    weight = torch.arange(1.0, found.numel() + 1, dtype=torch.float64).reshape(found.shape).to(found.dtype)
    gradients = [torch.autograd.grad((part * weight).sum() + 0 * output.sum(), output)[0] for part in (found, wanted)]
    torch.testing.assert_close(*gradients, rtol=rtol, atol=rtol)


@given(grid=whole_grids(), how=st.sampled_from(sorted(REDUCE)))
def test_pools_are_those_of_each_sequence(grid: Grid, how: Any) -> None:
    output = random_output(grid)
    junk = torch.where(torch.from_numpy(grid.valid)[..., None], output, torch.nan)
    expected = [REDUCE[how](steps_of(output, grid, number)) for number in grid.ends.sequence.tolist()]
    assert_same(pool(junk, grid, how), expected, output)


@given(grid=whole_grids(), how=st.sampled_from(sorted(REDUCE)), seed=st.integers(0, 99))
def test_only_scored_steps_count(grid: Grid, how: Any, seed: int) -> None:
    output = random_output(grid)
    scored = torch.from_numpy(np.random.default_rng(seed).random(grid.valid.shape) < 0.5)
    expected: list[Tensor] = []
    for number in grid.ends.sequence.tolist():
        counted = [output[cell] for cell in cells_of(grid, number) if scored[cell]]
        expected.append(REDUCE[how](torch.stack(counted)) if counted else torch.zeros(UNITS, dtype=torch.float64))
    junk = torch.where(scored[..., None], output, torch.nan)
    assert_same(pool(junk, grid, how, scored=scored), expected, output)


@given(grid=whole_grids(), bidirectional=st.booleans())
def test_the_last_output_of_each_direction(grid: Grid, bidirectional: bool) -> None:
    output = random_output(grid)
    expected: list[Tensor] = []
    for number in grid.ends.sequence.tolist():
        steps = steps_of(output, grid, number)
        expected.append(torch.cat([steps[-1, :2], steps[0, 2:]]) if bidirectional else steps[-1])
    assert_same(pool(output, grid, "last", bidirectional=bidirectional), expected, output)


@pytest.mark.parametrize("layout", [ds.Padded(3), ds.Packed(rows=2, steps=12)], ids=["padded", "packed"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_the_last_output_is_the_final_state_of_an_lstm(layout: ds.Layout, bidirectional: bool) -> None:
    seqs = ds.Sequences.from_arrays({"x": [np.ones((length, 2), "f") * length for length in (3, 1, 5)]})
    lstm = LSTM(2, 3, bidirectional=bidirectional)
    batch = to_tensors(ds.collate(seqs, layout.plan(seqs.lengths), 0))
    run = lstm.run(batch["x"], batch.grid)
    final = torch.cat(list(run.final[0]), dim=1)
    assert torch.equal(pool(run.output, batch.grid, "last", bidirectional=bidirectional), final)


@given(strategies.lengths, strategies.whole_layouts)
def test_any_layout_of_whole_sequences_pools_alike(lengths: np.ndarray[Any, Any], layout: ds.Layout) -> None:
    rng = np.random.default_rng(0)
    seqs = ds.Sequences.from_arrays({"x": [rng.normal(size=(length, 3)) for length in lengths]})
    for host in ds.Loader(seqs, layout):
        batch = to_tensors(host)
        found = pool(batch["x"], batch.grid, "mean")
        for place, number in enumerate(batch.ends.sequence.tolist()):
            torch.testing.assert_close(found[place].numpy(), seqs[number]["x"].mean(0), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
@pytest.mark.parametrize("how", ["last", *sorted(REDUCE)])
@pytest.mark.parametrize("masked", [False, True])
def test_half_precision_sums_are_taken_in_float32(dtype: torch.dtype, how: Any, masked: bool) -> None:
    reset = np.zeros((1, 3000), dtype=bool)
    reset[0, [0, 1000]] = True
    grid = Grid.from_masks(reset=reset, valid=np.ones_like(reset))
    output = torch.full((1, 3000, UNITS), 1.5, dtype=dtype)
    scored = torch.ones(1, 3000, dtype=torch.bool) if masked and how != "last" else None
    found = pool(output, grid, how, scored=scored)
    assert found.dtype == dtype
    expected = [1500.0, 3000.0] if how == "sum" else [1.5, 1.5]
    assert found[:, 0].tolist() == torch.tensor(expected).to(dtype).tolist()


def test_steps_that_tie_share_the_gradient_of_a_maximum() -> None:
    grid = Grid.from_masks(reset=[[True, False, False]], valid=[[True, True, True]])
    output = torch.tensor([[[2.0], [1.0], [2.0]]], requires_grad=True)
    pool(output, grid, "max").sum().backward()
    assert output.grad is not None
    assert output.grad[0, :, 0].tolist() == [0.5, 0.0, 0.5]


@given(grid=whole_grids())
def test_gathering_by_sequence_undoes_the_grid(grid: Grid) -> None:
    output = random_output(grid)
    values, valid, lengths = by_sequence(output, grid)
    numbers = grid.ends.sequence.tolist()
    assert values.shape == (len(numbers), max(lengths.tolist(), default=0), UNITS)
    assert lengths.tolist() == [len(cells_of(grid, number)) for number in numbers]
    assert torch.equal(valid.sum(1), lengths)
    assert (values[~valid] == 0).all()
    for place, number in enumerate(numbers):
        assert torch.equal(values[place, : lengths[place]], steps_of(output, grid, number))
    weight = torch.rand_like(values)
    (values * weight).sum().backward()
    assert output.grad is not None
    assert torch.equal(by_sequence(output.grad, grid).values, weight * valid[..., None])
    assert (output.grad[~torch.from_numpy(grid.valid)] == 0).all()


@pytest.mark.parametrize("values", [torch.ones(1, 3, dtype=torch.bool), torch.ones(1, 3, 2, 2, dtype=torch.int64)])
def test_gathering_by_sequence_takes_any_type_and_shape(values: Tensor) -> None:
    grid = Grid.from_masks(reset=[[True, False, True]], valid=[[True, True, True]])
    found = by_sequence(values, grid)
    assert found.values.dtype == values.dtype
    assert found.values.shape == (2, 2, *values.shape[2:])
    assert found.values.sum() == values.sum()


PART = Grid.from_masks(reset=[[False, True, False]], valid=[[True, True, True]])


@pytest.mark.parametrize("how", sorted(REDUCE))
def test_a_pool_over_a_part_of_a_sequence_is_refused(how: Any) -> None:
    with pytest.raises(ds.ShapeError, match="whole in one batch; sequence 0 in row 0 starts before this one"):
        pool(torch.zeros(1, 3, UNITS), PART, how)


def test_what_else_needs_whole_sequences_is_refused() -> None:
    with pytest.raises(ds.ShapeError, match="backward direction needs every sequence whole"):
        pool(torch.zeros(1, 3, UNITS), PART, "last", bidirectional=True)
    with pytest.raises(ds.ShapeError, match="gathering by sequence needs every sequence whole"):
        by_sequence(torch.zeros(1, 3, UNITS), PART)
    seqs = ds.Sequences.from_arrays({"x": [[1.0, 2.0, 3.0]]})
    grid = ds.collate(seqs, ds.Stateful(rows=1, steps=2).plan(seqs.lengths), 0).grid
    with pytest.raises(ds.ShapeError, match="sequence 0 in row 0 goes on after this one"):
        by_sequence(torch.zeros(1, 2, UNITS), grid)


def test_the_last_output_is_read_where_a_sequence_of_several_batches_ends() -> None:
    output = torch.arange(3.0)[None, :, None]
    assert pool(output, PART, "last").tolist() == [[0.0], [2.0]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"output": torch.zeros(3, 1, UNITS)}, r"\(3, 1, 4\); expected \[1 rows, 3 steps.*transpose it first"),
        ({"output": torch.zeros(1, 3)}, r"float32 of shape \(1, 3\); expected floating-point \[rows, steps, units\]"),
        ({"output": torch.zeros(1, 3, UNITS, dtype=torch.int64)}, "output is torch.int64"),
        ({"how": "first"}, "how must be one of last, mean, max, sum; got 'first'"),
        ({"scored": torch.ones(1, 2, dtype=torch.bool)}, r"scored is torch.bool of shape \(1, 2\)"),
        ({"scored": torch.ones(1, 3)}, "scored is torch.float32"),
        ({"how": "last", "scored": torch.ones(1, 3, dtype=torch.bool)}, "leave scored out"),
        (
            {"how": "last", "output": torch.zeros(1, 3, 5), "bidirectional": True},
            "output has 5 units; of two directions it has as many of each",
        ),
    ],
)
def test_bad_input_is_refused_in_words(
    arguments: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    grid = Grid.from_masks(reset=[[True, False, True]], valid=[[True, True, True]])
    with pytest.raises(ds.ShapeError, match=message):
        pool(**{"output": torch.zeros(1, 3, UNITS), "grid": grid, "how": "mean"} | arguments)
