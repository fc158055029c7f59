"""A forecast run that was stopped, with rows in the middle of series, ends as if it had never been."""

from typing import Any

import pytest

import drystone as ds
from drystone.train import Run
from tests.train.stopping import left_by, stopping_after
from tests.train.tasks.series import forecast, waves

SETTINGS: dict[str, Any] = {
    "rows": 3,
    "steps": 4,
    "valid_fraction": 0.1,
    "head_dropout": 0.3,
    "noise": 0.1,
    "evaluate_every": 4,
}


def stopped_after(update: int, **settings: Any) -> Run:
    """A run that Ctrl-C stopped after an update."""
    with stopping_after(update):
        return forecast(waves((70, 45)), **SETTINGS | settings)


@pytest.mark.parametrize(
    "settings", [{}, {"align": "time", "rows": None}, {"batches_per_update": 2}, {"backprop_steps": 12}], ids=str
)
def test_stopped_anywhere_it_ends_the_same(settings: dict[str, Any]) -> None:
    whole = forecast(waves((70, 45)), **SETTINGS | settings)
    updates = whole.metrics[-1]["update"]
    assert updates >= 8
    for update in {1, 3, updates // 2, updates // 2 + 1, updates - 1}:
        run = stopped_after(update, **settings)
        assert not run.is_finished
        again = ds.resume(run.path, waves((70, 45)), progress=False)
        assert again.is_finished
        assert left_by(again.path) == left_by(whole.path), f"stopped after update {update} of {updates}"


def test_a_checkpoint_holds_the_state_of_every_row() -> None:
    run = stopped_after(3)
    checkpoint, _ = ds.train.Store(run.path / "checkpoints").newest()
    assert checkpoint is not None
    h, c = checkpoint.state["trainer"]["carried"]["before"]
    assert h.shape == c.shape == (1, 3, 5)
    assert (h != 0).all()


def test_other_values_are_refused() -> None:
    run = stopped_after(2)
    with pytest.raises(ds.RunError, match="with other values in y or z, or another order"):
        ds.resume(run.path, waves((70, 45), seed=1), progress=False)
