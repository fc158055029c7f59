"""Training in one call: from sequences to a run folder."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from drystone.core.storage import whole_file
from drystone.plots.curves import save_curves
from drystone.readers.read import sequences_of
from drystone.train import folder
from drystone.train.evaluator import Scores, log_probabilities_of, score
from drystone.train.history import EpochSums
from drystone.train.interrupts import undisturbed
from drystone.train.loop import train
from drystone.train.prepare import Prepared, prepare
from drystone.train.progress import Progress
from drystone.train.run import Run
from drystone.train.settings import Settings


def fit(
    seqs: Any,
    target: str,
    *,
    out: str | Path | None = None,
    overwrite: bool = False,
    progress: bool = True,
    name: str = "run",
    **settings: Any,
) -> Run:
    """Trains a classifier of sequences, and writes a run folder.

    Args:
        seqs: all sequences, or what `drystone.read` takes: a path, a table, a name; the split into parts is drawn here, unless `split_column` states it.
        target: the field that holds the class of each sequence.
        out: the run folder; by default a new one, runs/NAME-1, runs/NAME-2, ...
        overwrite: whether an older run in `out` may be replaced; it stays until the new one has weights.
        progress: whether a progress bar is shown.
        name: of new run folders.
        **settings: any of `drystone.train.Settings`: epochs=100, hidden_size=64, seed=1, ...

    Returns:
        The run; if Ctrl-C stopped it, with the weights that it had then and `is_finished` false.

    Raises:
        DataError, LayoutError, ConfigError, RunError: what came cannot be used; nothing is written then.
        DrystoneError: the loss is not finite; nothing is kept then.

    Example:
        >>> import drystone as ds
        >>> seqs = ds.read("japanese-vowels")
        >>> run = ds.fit(seqs, target="speaker", split_column="part", epochs=2, hidden_size=8, progress=False)
        >>> run.metrics[-1]["part"]
        'test'
    """
    whole = sequences_of(seqs)
    path = None if out is None else Path(out)
    folder.check_free(path, overwrite=overwrite)
    checked = Settings.of(target=target, **settings)
    with _own_randomness(checked.seed):
        prepared = prepare(whole, checked)
        with folder.new_folder(path, name) as place:
            return _run(prepared, place, progress=progress)


@contextmanager
def _own_randomness(seed: int) -> Iterator[None]:
    """Starts from the seed, and leaves the user's random numbers as they were, on all devices."""
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        yield


def _run(prepared: Prepared, path: Path, *, progress: bool) -> Run:
    prepared.settings.save(path / folder.SETTINGS)
    prepared.schema.save(path / folder.SCHEMA)
    prepared.split.save(path / folder.SPLIT)
    prepared.loader.plan.save(path / folder.PLAN)
    (path / folder.METRICS).touch()
    _train(prepared, path, progress=progress)
    with undisturbed(), whole_file(path / folder.WEIGHTS) as partial:
        save_file({name: value.contiguous().cpu() for name, value in prepared.model.state_dict().items()}, partial)
    run = Run(
        path=path,
        settings=prepared.settings,
        schema=prepared.schema,
        split=prepared.split,
        model=prepared.model.eval(),
    )
    with suppress(KeyboardInterrupt):
        if len(prepared.split.test):
            _append(path, {"part": "test", **_scores(prepared, "test").to_dict()})
    with undisturbed():
        save_curves(run.metrics, path / folder.CURVES)
    return run


def _train(prepared: Prepared, path: Path, *, progress: bool) -> None:
    """Trains to the last epoch, or to Ctrl-C."""
    loader, settings = prepared.loader, prepared.settings
    sums = EpochSums(0)
    codes = prepared.codes[prepared.split.train]
    try:
        with Progress(settings.epochs, loader.seqs.num_steps, is_shown=progress) as bar:
            for update in train(prepared.model, loader, codes, settings, prepared.device):
                sums.add(update)
                bar.show(sums)
                if update.is_last:
                    valid = _scores(prepared, "valid") if len(prepared.split.valid) else None
                    _append(path, sums.record(valid))
                    bar.end_epoch(sums)
                    sums = EpochSums(update.epoch + 1)
    except KeyboardInterrupt:
        return


def _scores(prepared: Prepared, part: str) -> Scores:
    indices = prepared.split.part(part)
    found = log_probabilities_of(prepared.model, prepared.seqs.select(indices), prepared.device)
    return score(found, prepared.codes[indices])


def _append(path: Path, record: dict[str, Any]) -> None:
    with (path / folder.METRICS).open("a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")
