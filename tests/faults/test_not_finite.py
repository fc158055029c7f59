"""A loss, a gradient or a weight that is not finite: training stops, and the last good checkpoint is kept."""

from pathlib import Path
from typing import Any

import pytest
import torch

import drystone as ds
from drystone.core.sequences import Sequences
from drystone.train import Run, Store
from drystone.train.tasks.sequence.objective import SequenceLosses
from tests.faults.own_loop import OwnRun
from tests.faults.small import SMALL, TARGET, check_equal

EACH: dict[str, Any] = {"epochs": 2, "checkpoint_seconds": 0}


def weights_in(path: Path) -> list[torch.Tensor]:
    """All weights that any checkpoint holds: of the model, the best, of the optimiser."""
    store = Store(path / "checkpoints")
    found: list[torch.Tensor] = []
    for update in store.updates():
        checkpoint = ds.train.Checkpoint.load(store.path_of(update))
        found += [*checkpoint.state["trainer"]["model"].values(), *(checkpoint.best or {}).values()]
        for state in checkpoint.state["trainer"]["optimizer"]["state"].values():
            found += state.values()
    return found


def test_the_batch_and_its_sequences_are_named_and_the_last_good_checkpoint_goes_on(
    seqs: Sequences, tmp_path: Path
) -> None:
    whole = ds.fit(seqs, TARGET, out=tmp_path / "whole", **SMALL, **EACH).path
    path, real, calls = tmp_path / "run", SequenceLosses.__call__, []

    def spoil(task: SequenceLosses, model: Any, batch: Any, state: Any) -> Any:
        outcome = real(task, model, batch, state)
        calls.append(model.training)
        if calls.count(True) == 8:  # the third of the second epoch
            calls.append(batch.host.spans.sequence.tolist())
            object.__setattr__(outcome, "loss", outcome.loss * float("nan"))
        return outcome

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SequenceLosses, "__call__", spoil)
        with pytest.raises(ds.NotFiniteError) as caught:
            ds.fit(seqs, TARGET, out=path, **SMALL, **EACH)
    words, sequences = str(caught.value), calls[-1]
    assert "the loss is nan in epoch 2, batch 2 (update 8), of " in words
    assert all(f"sequence {sequence}" in words for sequence in sequences)
    assert Store(path / "checkpoints").updates() == [7, 6]
    assert all(tensor.isfinite().all() for tensor in weights_in(path))
    assert not Run.open(path).is_finished
    ds.resume(path, seqs, progress=False)
    check_equal(path, whole)


@pytest.mark.parametrize("seconds", [0, 1e9])
def test_weights_that_the_last_step_spoiled_are_not_saved(seconds: float, seqs: Sequences, tmp_path: Path) -> None:
    """The loss before the step was finite, and nothing is trained after it that would tell."""
    path, settings = tmp_path / "run", {"learning_rate": 1e38, "weight_decay": 0.0, "schedule": "constant"}
    with pytest.raises(ds.NotFiniteError, match=r"after update \d, .* is not finite, so it is not saved|loss is nan"):
        ds.fit(seqs, TARGET, out=path, updates=4, checkpoint_seconds=seconds, **SMALL, **settings)
    assert all(tensor.isfinite().all() for tensor in weights_in(path))
    if seconds:
        assert not path.exists()


@pytest.mark.parametrize("name", ["head.weight", "cell.bias_hh"])
def test_no_checkpoint_holds_weights_that_are_not_finite(name: str, tmp_path: Path) -> None:
    run = OwnRun(tmp_path, 0.0)
    events = run.trainer.run()
    while (event := next(events)).update < 4:
        run.watch(event)
    run.model.get_parameter(name).data.view(-1)[2] = float("inf")
    with pytest.raises(ds.NotFiniteError, match=f"after update 4, {name} of the model is not finite"):
        run.watch(event)
    assert run.store.updates() == [3, 2]
    assert all(tensor.isfinite().all() for tensor in weights_in(tmp_path))
