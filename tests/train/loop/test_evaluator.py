"""The evaluator disturbs nothing of the training around it."""

import random
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import drystone as ds
from drystone.torch import TensorBatch
from drystone.train import Evaluated, Evaluator, Outcome, Recipe, Trainer
from tests.train.loop.models import Tagger, by_step, random_sequences


def draws_numbers(model: nn.Module, batch: TensorBatch, state: Any) -> Outcome:
    """An objective that uses random numbers of every kind."""
    random.random(), np.random.rand(), torch.rand(1)  # noqa: NPY002
    return by_step(model, batch, state)


def numbers() -> list[float]:
    return [random.random(), float(np.random.rand()), torch.rand(1).item()]  # noqa: NPY002


def test_training_is_the_same_to_the_bit_with_and_without_validation() -> None:
    seqs, valid = random_sequences([5, 2, 7, 3, 4, 6]), random_sequences([3, 8], seed=1)
    found = []
    for evaluator in (None, Evaluator(draws_numbers, ds.Loader(valid, ds.Stateful(rows=1, steps=3)))):
        torch.manual_seed(3)
        model = Tagger(dropout=0.5)
        loader = ds.Loader(seqs, ds.Stateful(rows=2, steps=3))
        trainer = Trainer(model, loader, by_step, Recipe(epochs=3, evaluate_every=2), evaluator=evaluator)
        events = list(trainer.run())
        assert any(isinstance(event, Evaluated) for event in events) == (evaluator is not None)
        found.append(model.state_dict())
    assert all(torch.equal(found[0][name], found[1][name]) for name in found[0])


def test_modes_randomness_and_errors_leave_the_model_as_it_was() -> None:
    model = Tagger(dropout=0.5).train()
    model.head.eval()
    evaluator = Evaluator(draws_numbers, ds.Loader(random_sequences([3, 4]), ds.Padded(1)))
    torch.manual_seed(0), np.random.seed(0), random.seed(0)  # noqa: NPY002
    expected = numbers()
    torch.manual_seed(0), np.random.seed(0), random.seed(0)  # noqa: NPY002
    first = evaluator.figures(model)
    assert numbers() == expected
    assert (model.training, model.dropout.training, model.head.training) == (True, True, False)
    assert evaluator.figures(model)["loss"] == first["loss"]

    def stop() -> None:
        raise TimeoutError

    stopped = Evaluator(by_step, ds.Loader(random_sequences([3, 4]), ds.Padded(1)), between=stop)
    for _ in range(2):
        with pytest.raises(TimeoutError):
            stopped.figures(model)
    assert model.dropout.training


def test_outcomes_serve_predictions_with_carried_state() -> None:
    seqs = random_sequences([9, 4])
    model = Tagger()
    whole = {
        n: o.predictions
        for b, o in Evaluator(by_step, ds.Loader(seqs, ds.Padded(1, order="given"))).outcomes(model)
        for n in [b.host.ends.sequence[0]]
    }
    pieces: dict[int, list[torch.Tensor]] = {0: [], 1: []}
    for batch, outcome in Evaluator(by_step, ds.Loader(seqs, ds.Stateful(rows=1, steps=2))).outcomes(model):
        for number in (0, 1):
            pieces[number].append(outcome.predictions[batch.sequence[batch.scored] == number])
    for number, parts in pieces.items():
        torch.testing.assert_close(torch.cat(parts), whole[number], rtol=1e-12, atol=1e-14)


def test_what_is_not_a_figure_or_not_scored_is_refused() -> None:
    from torchmetrics.classification import MulticlassAccuracy

    def classes(model: nn.Module, batch: TensorBatch, state: Any) -> Outcome:
        logits = torch.eye(3)[batch.host.ends.sequence % 3]
        return Outcome(loss=logits.sum(), weight=len(logits), predictions=logits, targets=logits.argmax(1))

    loader = ds.Loader(random_sequences([2, 3, 4]), ds.Padded(2))
    with pytest.raises(ds.ConfigError, match=r"metric 'by_class' gives \[3\]; a figure is one number"):
        Evaluator(classes, loader, {"by_class": MulticlassAccuracy(3, average="none")}).figures(nn.Identity())

    def nothing(model: nn.Module, batch: TensorBatch, state: Any) -> Outcome:
        return Outcome(loss=torch.zeros(()), weight=0.0)

    with pytest.raises(ds.DataError, match="nothing was scored"):
        Evaluator(nothing, loader).figures(nn.Identity())


@pytest.mark.parametrize("layout", [ds.Padded(2), ds.Stateful(rows=2, steps=3)])
def test_a_trainer_may_be_evaluated_on_its_own_loader(layout: ds.Layout) -> None:
    found = []
    for is_shared in (True, False):
        torch.manual_seed(3)
        model, seqs = Tagger(dropout=0.5), random_sequences([5, 2, 7, 3, 4, 6])
        loader = ds.Loader(seqs, layout)
        evaluator = Evaluator(by_step, loader if is_shared else ds.Loader(seqs, layout))
        events = list(Trainer(model, loader, by_step, Recipe(epochs=4), evaluator=evaluator).run())
        found.append(([type(event).__name__ for event in events], model.state_dict()))
    assert found[0][0] == found[1][0]
    assert all(torch.equal(found[0][1][name], found[1][1][name]) for name in found[0][1])


def test_series_that_wait_for_others_are_evaluated_from_their_own_past() -> None:
    """A gap as long as a batch, in which another series begins."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((6, 3)), rng.standard_normal(6)
    seqs = ds.Sequences.from_arrays({"day": [[1, 2, 5, 6], [3, 4]], "x": [x[:4], x[4:]], "y": [y[:4], y[4:]]})
    model = Tagger()
    layouts = [ds.Stateful(rows=None, steps=steps, align="day") for steps in (2, 3, 12)]
    found = [Evaluator(by_step, ds.Loader(seqs, layout)).figures(model)["loss"] for layout in layouts]
    assert found == pytest.approx([found[0]] * 3, rel=1e-12)
