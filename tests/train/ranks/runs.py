"""Runs of several processes, and what befalls them."""

import os
import signal
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

import drystone as ds
from drystone.core.sequences import Sequences
from drystone.plots.figure import Picture
from drystone.train import Run, Trainer, Updated, current_ranks
from drystone.train.folder.machine import version_of

SETTINGS: dict[str, Any] = {
    "hidden_size": 4,
    "valid_fraction": 0.2,
    "epochs": 3,
    "dropout": 0.0,
    "head_dropout": 0.0,
    "noise": 0.0,
    "precision": "64-true",
    "checkpoint_seconds": 0.0,
    "progress": False,
}


def series(count: int = 40, seed: int = 0) -> Sequences:
    """Sequences with a class each, and classes of single steps."""
    rng = np.random.default_rng(seed)
    x = [rng.normal(size=(length, 2)) for length in rng.integers(2, 15, count)]
    tags = [np.array(["a", "b"])[(np.cumsum(values[:, 0]) > 0).astype(int)] for values in x]
    return Sequences.from_arrays({"x": x, "tag": tags}, {"y": [["up", "down"][int(values.sum() > 0)] for values in x]})


def fit(out: Path, **settings: Any) -> list[dict[str, Any]]:
    """Trains a run; returns its figures."""
    return figures_of(_fitted(series(), out, settings))


def fit_with(out: Path, settings: dict[str, Any]) -> list[dict[str, Any]]:
    return fit(out, **settings)


def resume(out: Path) -> list[dict[str, Any]]:
    Picture.save = _leave_undrawn
    return figures_of(ds.resume(out, series(), progress=False))


def _fitted(seqs: Sequences, out: Path, settings: dict[str, Any]) -> Run:
    Picture.save = _leave_undrawn  # which takes longer than all the rest
    return ds.fit(seqs, out=out, **{**SETTINGS, "target": "y", **settings})


def _leave_undrawn(_picture: Picture, path: Path) -> None:
    path.write_bytes(b"picture")


def figures_of(run: Run) -> list[dict[str, Any]]:
    assert run.is_finished
    left_out = {"seconds", "steps_per_second"}
    return [
        {name: value for name, value in record.items() if name not in left_out}
        for record in run.metrics
        if record["part"] != "ranks"
    ]


def fit_until(what: str, who: int, out: Path, settings: dict[str, Any]) -> Any:
    """Trains until something befalls one rank at the fourth update."""
    rank = current_ranks().rank
    real = Trainer._update

    def befalls(trainer: Any, *args: Any) -> Updated:
        updated = real(trainer, *args)
        if trainer.counts.updates == 4 and rank == who:
            BEFALLS[what]()
        return updated

    Trainer._update = befalls
    run = _fitted(series(), out, settings)
    return run.is_finished, run.stopped_by


def _raise() -> None:
    raise ZeroDivisionError("what nobody foresaw")


BEFALLS = {
    "killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "hangs": lambda: time.sleep(3600),
    "raises": _raise,
    "asked": lambda: os.kill(os.getpid(), signal.SIGTERM),
}


def fit_unlike(what: str, out: Path) -> None:
    """Trains where the last rank sees something else than the others."""
    ranks = current_ranks()
    seqs, settings = series(), dict[str, Any]()
    if ranks.rank == ranks.num_ranks - 1:
        if what == "data":
            seqs = series(39)
        elif what == "values":
            seqs = series(seed=1)
        elif what == "settings":
            settings["hidden_size"] = 5
        elif what == "versions":
            import drystone.train.ranks.as_one as as_one

            as_one.version_of = lambda name: "0.0.1" if name == "torch" else version_of(name)
        elif what == "folder":
            Path("elsewhere").mkdir()
            os.chdir("elsewhere")
        elif what == "refused":
            settings["target"] = "nothing"
    _fitted(seqs, out, settings)


def fit_and_count_warnings(out: Path, settings: dict[str, Any]) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        _fitted(series(), out, {**settings, "epochs": 1})
    return [str(warning.message) for warning in caught]


def fit_twice(out: Path) -> str:
    """A training that fails on all ranks alike, and one after it, in the same processes."""
    try:
        _fitted(series(), out, {"learning_rate": 1e300, "gradient_clip": 0, "checkpoint_seconds": 1e9})
    except ds.NotFiniteError as error:
        time.sleep(3.0 * int(os.environ["RANK"]))  # so that the first one looks for the others before they come
        _fitted(series(), out.with_name("again"), {})
        return str(error)
    raise AssertionError
