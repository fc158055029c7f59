"""Over an epoch of stateful batches every step that has a target is scored exactly once, or is stated as dropped."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import nn

import drystone as ds
from drystone.torch import TensorBatch
from drystone.train import EpochEnded, Outcome, Recipe, Trainer
from tests.parity.series import OnRows, Step, on_rows


def pairs(series: Iterable[int], steps: Iterable[int]) -> list[Step]:
    return list(zip(series, steps, strict=True))


def dropped_steps(seqs: ds.Sequences, dropped: Any) -> Counter[Step]:
    """The steps that would have been scored, had they not been left out."""
    first, stop = seqs.scored_steps()
    found: Counter[Step] = Counter()
    for row in dropped.to_pylist():
        number, begin, end = row["sequence"], row["offset"], row["offset"] + row["length"]
        kept = slice(max(begin, first[number]), max(begin, min(end, stop[number])))
        found.update(pairs(*(seqs[number][name][kept].tolist() for name in ("series", "step"))))
    return found


@given(on_rows(), st.integers(0, 3))
def test_of_a_loader(made: OnRows, epoch: int) -> None:
    loader = ds.Loader(made.seqs, made.layout, seed=5)
    loader.epoch = epoch
    found: Counter[Step] = Counter()
    for batch in loader:
        found.update(pairs(*(batch[name][batch.scored].tolist() for name in ("series", "step"))))
    assert found + dropped_steps(made.seqs, loader.dropped) == Counter(made.scorable)
    assert made.layout.remainder == "drop" or not loader.dropped


@given(on_rows(), st.integers(1, 3))
def test_of_a_trainer(made: OnRows, batches_per_update: int) -> None:
    loader = ds.Loader(made.seqs, made.layout, seed=5)
    left_out: list[Counter[Step]] = []
    for epoch in range(2):
        loader.epoch = epoch
        assume(loader.plan.num_batches > 0)
        left_out.append(dropped_steps(made.seqs, loader.plan.dropped))
    loader.epoch = 0
    trained_on = [Counter[Step](), Counter[Step]()]

    def objective(model: nn.Module, batch: TensorBatch, _state: Any) -> Outcome:
        steps = pairs(*(batch[name][batch.scored].tolist() for name in ("series", "step")))
        trained_on[trainer.counts.epochs].update(steps)
        return Outcome(loss=model(batch["x"])[batch.scored].square().sum(), weight=len(steps))

    recipe = Recipe(epochs=2, batches_per_update=batches_per_update)
    trainer = Trainer(nn.Linear(3, 1, dtype=torch.float64), loader, objective, recipe)
    assert [type(event) for event in trainer.run()].count(EpochEnded) == 2
    assert [found + lost for found, lost in zip(trained_on, left_out, strict=True)] == [Counter(made.scorable)] * 2
