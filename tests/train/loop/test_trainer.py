"""What a trainer tells, when it ends, and that it goes on as if it had never stopped."""

from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins import MixedPrecision
from torch import nn
from torch.optim import SGD
from torch.optim.lr_scheduler import OneCycleLR

import drystone as ds
from drystone.torch import TensorBatch
from drystone.train import Ended, EpochEnded, Evaluated, Evaluator, Event, Outcome, Recipe, Trainer, Updated
from drystone.train.loop.rate import check_schedule
from tests.train.loop.models import Tagger, by_step, random_sequences

LENGTHS = [5, 2, 7, 3, 4, 6, 1]


def trainer_of(recipe: Recipe, layout: ds.Layout | None = None, **more: Any) -> Trainer:
    torch.manual_seed(0)
    loader = ds.Loader(random_sequences(LENGTHS), layout or ds.Padded(2), seed=5)
    return Trainer(Tagger(dropout=0.3), loader, by_step, recipe, **more)


def evaluator() -> Evaluator:
    return Evaluator(by_step, ds.Loader(random_sequences([4, 3], seed=1), ds.Padded(2)))


def names(events: list[Event]) -> list[str]:
    return [type(event).__name__ for event in events]


def test_events_come_in_order() -> None:
    events = list(trainer_of(Recipe(epochs=2), evaluator=evaluator()).run())
    epoch = ["Updated"] * 4 + ["EpochEnded", "Evaluated"]
    assert names(events) == epoch + epoch + ["Ended"]
    assert events[-1] == Ended(epoch=2, update=8, reason="epochs")
    updates = [event for event in events if isinstance(event, Updated)]
    assert [event.update for event in updates] == list(range(1, 9))
    assert [event.epoch for event in updates] == [0] * 4 + [1] * 4
    assert [event.progress for event in updates] == [number / 8 for number in range(1, 9)]
    ends = [event for event in events if isinstance(event, EpochEnded)]
    assert [(event.epoch, event.update, event.is_whole) for event in ends] == [(0, 4, True), (1, 8, True)]
    assert [event.epoch for event in events if isinstance(event, Evaluated)] == [1, 2]


def test_evaluations_at_intervals_and_at_the_end() -> None:
    events = list(trainer_of(Recipe(epochs=2, evaluate_every=3), evaluator=evaluator()).run())
    assert [event.update for event in events if isinstance(event, Evaluated)] == [3, 6, 8]


def test_a_limit_in_the_middle_of_an_epoch() -> None:
    events = list(trainer_of(Recipe(epochs=9, updates=6), evaluator=evaluator()).run())
    assert names(events)[-4:] == ["Updated", "EpochEnded", "Evaluated", "Ended"]
    assert events[-3].is_whole is False
    assert events[-3].figures["sequences"] == 4
    assert events[-1] == Ended(epoch=1, update=6, reason="updates")
    assert list(trainer_of(Recipe(seconds=1e-9)).run())[-1].reason == "seconds"


@pytest.mark.parametrize("per_update", [1, 2, 3])
def test_an_epoch_ends_with_its_last_update(per_update: int) -> None:
    in_epoch = -(-4 // per_update)
    for epochs, reason in ((9, "updates"), (2, "epochs")):
        recipe = Recipe(epochs=epochs, updates=2 * in_epoch, batches_per_update=per_update, evaluate_every=in_epoch)
        events = list(trainer_of(recipe, evaluator=evaluator()).run())
        assert names(events) == (["Updated"] * in_epoch + ["EpochEnded", "Evaluated"]) * 2 + ["Ended"]
        assert [event.is_whole for event in events if isinstance(event, EpochEnded)] == [True, True]
        assert events[-1] == Ended(epoch=2, update=2 * in_epoch, reason=reason)


def test_wall_time_counts_where_events_are_read_one_by_one() -> None:
    trainer = trainer_of(Recipe(seconds=1000))
    before = 0.0
    for _ in range(3):
        assert isinstance(next(trainer.run()), Updated)
        assert trainer.counts.seconds > before
        before = trainer.counts.seconds


def test_accumulated_batches_make_one_update() -> None:
    events = list(trainer_of(Recipe(epochs=2, batches_per_update=3)).run())
    updates = [event for event in events if isinstance(event, Updated)]
    assert [event.sequences for event in updates] == [6, 1, 6, 1]
    assert [event.update for event in events if isinstance(event, EpochEnded)] == [2, 4]


def test_a_trainer_that_is_told_to_stop_ends() -> None:
    trainer = trainer_of(Recipe(epochs=9))
    events = []
    for event in trainer.run():
        events.append(event)
        if isinstance(event, Updated) and event.update == 6:
            trainer.stop("enough")
    assert names(events)[-3:] == ["Updated", "EpochEnded", "Ended"]
    assert events[-1] == Ended(epoch=1, update=6, reason="enough")


@pytest.mark.parametrize("layout", [ds.Padded(2), ds.Stateful(rows=2, steps=3), ds.Packed(rows=1, steps=7)])
def test_reading_on_after_a_break_goes_on(layout: ds.Layout) -> None:
    recipe = Recipe(epochs=2, batches_per_update=2, evaluate_every=3)
    whole = trainer_of(recipe, layout, evaluator=evaluator())
    expected = names(list(whole.run()))
    broken = trainer_of(recipe, layout, evaluator=evaluator())
    found: list[Event] = []
    while not found or not isinstance(found[-1], Ended):
        for event in broken.run():
            found.append(event)
            break
    assert names(found) == expected
    for name, value in whole.model.state_dict().items():
        assert torch.equal(broken.model.state_dict()[name], value)


def test_progress_is_known_before_the_next_update() -> None:
    recipe = Recipe(epochs=2)
    first = trainer_of(recipe)
    for event in first.run():
        if isinstance(event, Updated) and event.update == 3:
            break
    assert first.progress == 3 / 8
    second = trainer_of(recipe)
    second.load_state_dict(first.state_dict())
    assert second.progress == 3 / 8


def test_a_layout_that_drops_everything_is_no_endless_loop() -> None:
    with pytest.raises(ds.DataError, match=r"epoch 1 has no batches: the layout Padded\(.*drops them all"):
        list(trainer_of(Recipe(updates=5), ds.Padded(8, remainder="drop")).run())


def test_gradients_over_several_batches_need_a_layout_that_carries_state() -> None:
    with pytest.raises(ds.ConfigError, match=r"backprop_steps goes with a layout that carries state.*got Padded"):
        trainer_of(Recipe(epochs=1, backprop_steps=8), ds.Padded(2))


def test_a_trainer_whose_gradients_go_back_over_all_batches_of_a_row() -> None:
    """One update over the whole epoch has the gradient of each batch's loss, back to the start of its sequence."""
    seqs = random_sequences([7])
    found, expected = Tagger(), Tagger()
    expected.load_state_dict(found.state_dict())
    recipe = Recipe(updates=1, batches_per_update=9, backprop_steps=8, gradient_clip=None)
    optimizer = torch.optim.SGD(found.parameters(), lr=1e-3)
    list(Trainer(found, ds.Loader(seqs, ds.Stateful(1, 2)), by_step, recipe, optimizer=optimizer).run())
    recipe = Recipe(updates=1, gradient_clip=None)
    optimizer = torch.optim.SGD(expected.parameters(), lr=1e-3)
    list(Trainer(expected, ds.Loader(seqs, ds.Padded(1)), by_step, recipe, optimizer=optimizer).run())
    for name, value in expected.state_dict().items():
        torch.testing.assert_close(found.state_dict()[name], value, rtol=1e-12, atol=1e-14)


def test_a_stream_ends_with_its_epochs_too() -> None:
    def recordings() -> Any:
        yield from ({"x": found["x"], "y": found["y"]} for found in random_sequences(LENGTHS))

    loader = ds.Loader(ds.Stream(recordings, buffer=4), ds.Packed(rows=2, steps=8))
    events = list(Trainer(Tagger(), loader, by_step, Recipe(epochs=2)).run())
    assert [event.figures["sequences"] for event in events if isinstance(event, EpochEnded)] == [7, 7]


def test_a_model_and_an_optimiser_of_ones_own() -> None:
    class Mean(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Parameter(torch.zeros(())), nn.Parameter(torch.zeros(()))

    def squares(model: nn.Module, batch: TensorBatch, state: Any) -> Outcome:
        errors = (model.a + model.b - batch["y"].double())[batch.scored] ** 2
        return Outcome(loss=errors.sum(), weight=len(errors))

    model = Mean()
    optimizer = SGD([{"params": [model.a], "lr": 0.2}, {"params": [model.b], "lr": 0.1}])
    recipe = Recipe(epochs=60, learning_rate=0.2, schedule="cosine", gradient_clip=None)
    seqs = random_sequences(LENGTHS)
    events = list(Trainer(model, ds.Loader(seqs, ds.Padded(7)), squares, recipe, optimizer=optimizer).run())
    a, b = model.a.item(), model.b.item()
    assert a + b == pytest.approx(seqs.field("y").values.mean(), abs=1e-6)
    assert a == pytest.approx(2 * b, rel=1e-6)
    rates = [event.learning_rate for event in events if isinstance(event, Updated)]
    assert max(rates) == pytest.approx(0.2, rel=1e-2)
    assert rates[0] < rates[2] > rates[-1]


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed", "64-true"])
def test_every_precision_trains(precision: Any) -> None:
    fabric = Fabric(accelerator="cpu", devices=1, precision=precision)
    seqs = random_sequences(LENGTHS, dtype="float64" if precision == "64-true" else "float32")
    dtype = torch.float64 if precision == "64-true" else torch.float32
    loader, recipe = ds.Loader(seqs, ds.Padded(4)), Recipe(epochs=30, learning_rate=0.02)
    torch.manual_seed(0)
    model = Tagger(dtype=dtype)
    trainer = Trainer(
        model, loader, by_step, recipe, evaluator=Evaluator(by_step, ds.Loader(seqs, ds.Padded(3))), fabric=fabric
    )
    losses = [event.figures["loss"] for event in trainer.run() if isinstance(event, Evaluated)]
    assert losses[-1] < 0.8 * losses[0]
    assert model.head.weight.dtype == dtype


def linear(model: nn.Module, batch: TensorBatch, state: Any) -> Outcome:
    """Squared errors of a model without state; sequences of even numbers do not count."""
    predictions, targets = model(batch["x"])[..., 0][batch.scored], batch["y"][batch.scored]
    counts = float(batch.host.ends.sequence[0] % 2)
    return Outcome(loss=((predictions - targets) ** 2).sum().float() * counts, weight=len(targets) * counts)


@pytest.mark.parametrize("gradient_clip", [0.1, None])
def test_scaled_losses_train_with_and_without_clipping(gradient_clip: float | None) -> None:
    fabric = Fabric(accelerator="cpu", devices=1, plugins=MixedPrecision("16-mixed", "cpu"))
    loader = ds.Loader(random_sequences(LENGTHS, dtype="float32"), ds.Padded(1, order="given"))
    model = nn.Linear(3, 1)
    recipe = Recipe(epochs=1, gradient_clip=gradient_clip)
    updates = [
        event for event in Trainer(model, loader, linear, recipe, fabric=fabric).run() if isinstance(event, Updated)
    ]
    assert [event.weight for event in updates] == [0, 2, 0, 3, 0, 6, 0]
    assert [event.gradient_norm is not None for event in updates] == [
        gradient_clip is not None and event.weight > 0 for event in updates
    ]


def test_a_loss_that_is_not_finite_names_batch_and_sequences_and_keeps_the_weights() -> None:
    seqs = random_sequences(LENGTHS)

    def poisoned(model: nn.Module, batch: TensorBatch, state: Any) -> Outcome:
        found = by_step(model, batch, state)
        factor = float("nan") if 4 in batch.host.ends.sequence else 1.0
        return Outcome(loss=found.loss * factor, weight=found.weight)

    model = Tagger()
    trainer = Trainer(model, ds.Loader(seqs, ds.Padded(2, order="given")), poisoned, Recipe(epochs=1))
    words = r"the loss is nan in epoch 1, batch 2 \(update 3\), of sequence 4; sequence 5. Try a lower learning_rate"
    with pytest.raises(ds.NotFiniteError, match=words):
        list(trainer.run())
    assert all(value.isfinite().all() for value in model.state_dict().values())

    def steep(model: nn.Module, batch: TensorBatch, state: Any) -> Outcome:
        return Outcome(loss=(model.head.weight.sum() * 0).abs().sqrt(), weight=1.0)

    trainer = Trainer(Tagger(), ds.Loader(seqs, ds.Padded(2)), steep, Recipe(epochs=1))
    with pytest.raises(ds.NotFiniteError, match="the norm of the gradient is nan at a loss of 0 in epoch 1, batch 0"):
        list(trainer.run())


def test_one_cycle_is_that_of_pytorch() -> None:
    parameter = nn.Parameter(torch.zeros(()))
    optimizer = SGD([parameter], lr=0.01)
    schedule = OneCycleLR(optimizer, 0.01, 1001, cycle_momentum=False)
    recipe = Recipe(updates=1000, learning_rate=0.01)
    for update in range(1000):
        assert recipe.rate(update / 1000) == pytest.approx(optimizer.param_groups[0]["lr"], abs=0.01 * 0.01)
        optimizer.step()
        schedule.step()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "training needs a limit; give epochs=, updates= or seconds="),
        ({"epochs": 0}, "epochs must be a whole number ≥ 1; got 0"),
        ({"epochs": True}, "epochs must be a whole number"),
        ({"epochs": 1, "learning_rate": float("nan")}, "learning_rate must be a number > 0; got nan"),
        ({"epochs": 1, "weight_decay": -1.0}, "weight_decay must be a number ≥ 0; got -1.0"),
        ({"epochs": 1, "warmup": 1.0}, "warmup must be a share of the training, 0 ≤ warmup < 1; got 1.0"),
        ({"epochs": 1, "batches_per_update": 0}, "batches_per_update must be a whole number ≥ 1"),
    ],
)
def test_recipes_that_cannot_be_are_refused(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ds.ConfigError, match=words):
        Recipe(**arguments)


def test_schedules_that_are_not_known_are_refused() -> None:
    with pytest.raises(ds.ConfigError, match="schedule must be one of one-cycle, cosine, constant; got 'linear'"):
        check_schedule("linear", None)


def test_a_model_without_parameters_is_refused() -> None:
    with pytest.raises(ds.ConfigError, match="no parameters to train"):
        Trainer(nn.Identity(), ds.Loader(random_sequences([1]), ds.Padded(1)), by_step, Recipe(epochs=1))
