"""Loss, gradient and figures do not depend on how sequences are cut into batches and micro-batches."""

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.optim import SGD
from torchmetrics import MeanSquaredError, R2Score

import drystone as ds
from drystone.torch import TensorBatch
from drystone.train import Evaluator, Outcome, Recipe, Trainer, Updated
from tests.train.loop.models import Tagger, by_sequence, by_step, random_sequences

LENGTHS = st.lists(st.integers(1, 9), min_size=2, max_size=12)
LAYOUTS = [
    ds.Padded(1),
    ds.Padded(3, order="given"),
    ds.Padded(100),
    ds.Bucketed(num_buckets=3, batch_size=2),
    ds.Packed(rows=2, steps=9),
    ds.Packed(sequences=4),
]


def one_update(seqs: ds.Sequences, layout: ds.Layout, objective: Any) -> tuple[Updated, dict[str, torch.Tensor]]:
    """Makes one update of the whole epoch, and returns it with the gradients that it stepped on."""
    torch.manual_seed(0)
    model = Tagger()
    recipe = Recipe(epochs=1, schedule="constant", learning_rate=1.0, gradient_clip=None, batches_per_update=1000)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    trainer = Trainer(model, ds.Loader(seqs, layout), objective, recipe, optimizer=SGD(model.parameters(), lr=1.0))
    event = next(iter(trainer.run()))
    assert isinstance(event, Updated)
    return event, {name: before[name] - value for name, value in model.state_dict().items()}


@pytest.mark.parametrize("objective", [by_step, by_sequence])
@settings(max_examples=15, deadline=None)
@given(lengths=LENGTHS)
def test_an_update_is_the_same_for_every_cutting(objective: Any, lengths: list[int]) -> None:
    seqs = random_sequences(lengths)
    expected, gradients = one_update(seqs, ds.Padded(len(lengths)), objective)
    assert expected.sequences == len(lengths)
    assert expected.steps == sum(lengths)
    for layout in LAYOUTS:
        found, others = one_update(seqs, layout, objective)
        assert found.loss == pytest.approx(expected.loss, rel=1e-12)
        assert found.weight == expected.weight
        for name, gradient in gradients.items():
            torch.testing.assert_close(others[name], gradient, rtol=1e-10, atol=1e-12)


@settings(max_examples=15, deadline=None)
@given(lengths=LENGTHS, per_update=st.integers(1, 4))
def test_figures_of_an_epoch_are_sums_over_sums(lengths: list[int], per_update: int) -> None:
    seqs = random_sequences(lengths)
    for layout in LAYOUTS:
        torch.manual_seed(0)
        recipe = Recipe(epochs=1, learning_rate=1e-300, weight_decay=0.0, batches_per_update=per_update)
        loader = ds.Loader(seqs, layout)
        trainer = Trainer(Tagger(), loader, by_step, recipe, metrics={"mse": MeanSquaredError()})
        *updates, epoch, _end = trainer.run()
        figures = epoch.figures
        assert figures["mse"] == pytest.approx(figures["loss"], rel=1e-12)
        mean = sum(update.loss * update.weight for update in updates) / sum(lengths)
        assert figures["loss"] == pytest.approx(mean, rel=1e-12)
        assert (figures["sequences"], figures["steps"]) == (len(lengths), sum(lengths))
        assert len(updates) == -(-loader.layout.plan(seqs.lengths).num_batches // per_update)


@settings(max_examples=15, deadline=None)
@given(lengths=LENGTHS)
def test_the_evaluator_gives_the_same_figures_for_every_layout(lengths: list[int]) -> None:
    seqs = random_sequences(lengths)
    torch.manual_seed(0)
    model = Tagger()
    metrics = {"mse": MeanSquaredError()} | ({"r2": R2Score()} if sum(lengths) > 2 else {})
    with torch.no_grad():
        one_by_one = [(model.lstm(torch.from_numpy(found["x"])[None])[0], found["y"]) for found in seqs]
        errors = [((model.head(h)[0, :, 0] - torch.from_numpy(y)) ** 2).sum().item() for h, y in one_by_one]
    stateful = [ds.Stateful(rows=1, steps=4), ds.Stateful(rows=2, steps=3)]
    for layout in LAYOUTS + stateful:
        figures = Evaluator(by_step, ds.Loader(seqs, layout), metrics).figures(model)
        assert figures["loss"] == pytest.approx(sum(errors) / sum(lengths), rel=1e-12)
        assert figures["mse"] == pytest.approx(figures["loss"], rel=1e-12)
        if "r2" in figures:
            y = seqs.field("y").values
            expected = 1 - sum(errors) / ((y - y.mean()) ** 2).sum()
            assert figures["r2"] == pytest.approx(expected, rel=1e-9)


def test_an_update_that_scores_nothing_changes_nothing() -> None:
    def scores_odd_ones(model: nn.Module, batch: TensorBatch, state: Any) -> Outcome:
        number = batch.host.ends.sequence[0]
        if number == 0:
            return Outcome(loss=torch.zeros(()), weight=0)
        found = by_step(model, batch, state)
        return Outcome(loss=found.loss * float(number % 2), weight=found.weight * float(number % 2))

    model = Tagger()
    loader = ds.Loader(random_sequences([3, 4, 2, 5]), ds.Padded(1, order="given"))
    trainer = Trainer(model, loader, scores_odd_ones, Recipe(epochs=1))
    before, changed = model.state_dict()["head.weight"].clone(), []
    for event in trainer.run():
        if isinstance(event, Updated):
            after = model.state_dict()["head.weight"].clone()
            changed.append((event.weight, not torch.equal(before, after)))
            before = after
    assert changed == [(0.0, False), (4.0, True), (0.0, False), (5.0, True)]
