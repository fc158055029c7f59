"""Training in one call: from sequences to a run folder; and going on with a run that was stopped."""

import json
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from shlex import quote
from typing import Any

from drystone.core.errors import NotFiniteError, RunError
from drystone.train.checkpoint.checkpoint import Checkpoint
from drystone.train.checkpoint.files import clean
from drystone.train.checkpoint.store import Store
from drystone.train.data import Sources, sequences_for
from drystone.train.features.tokens import UNKNOWN_WORDS, unknown_shares
from drystone.train.folder import names
from drystone.train.folder.create import check_free, new_folder, next_free, restore, settle
from drystone.train.folder.environment import differences, save_environment
from drystone.train.folder.manifest import Manifest
from drystone.train.loop.randomness import kept_randomness, seed_all
from drystone.train.prepare import Prepared, prepare, prepare_again
from drystone.train.ranks.as_one import as_one, check_alike, check_shared, held
from drystone.train.ranks.launch import current_ranks
from drystone.train.ranks.ranks import Ranks
from drystone.train.run import Run
from drystone.train.schema import Schema
from drystone.train.session import Watch, Watched, train
from drystone.train.settings import Settings
from drystone.train.split import Split
from drystone.train.truncation import TRUNCATED


def fit(  # noqa: PLR0913 (all but data and target are named)
    seqs: Any,
    target: str | None = None,
    *,
    valid: Any = None,
    test: Any = None,
    out: str | Path | None = None,
    overwrite: bool = False,
    progress: bool = True,
    name: str = "run",
    watch: Watch | None = None,
    **settings: Any,
) -> Run:
    """Trains a model of sequences, and writes a run folder.

    By default it classifies, one class a sequence, or several labels at once where the target is a vector of 0 and 1; where the target is a measurement, it learns its value of each sequence,
    or, if it changes from step to step, forecasts the next `horizon` values at every step; what else changes so, classes,
    yes/no or vectors of numbers, it tags: it says at every step what the target is there, or `ahead` steps later.
    A label a sequence and one a step (`"label,tag"`) are learned jointly. `task="classify"`, `"regress"`, `"tag"`, `"joint"`,
    `"forecast"` or `"language-model"`, whose target is its text, says which.

    Ctrl-C and SIGTERM stop it after the batch that is being trained on, with a checkpoint; `resume` goes on from
    there, and ends with the same weights to the bit (on the same machine, versions and threads).

    Args:
        seqs: all sequences, or what `drystone.read` takes: a path, a table, a name; the split into parts is drawn here, unless
            `split_column`, `valid` or `test` states it; of forecasts it is one by time.
        target: the field that holds the class, or the numbers, of each sequence, the measurement, or what is said at every step; of a language model
            its text, by default the field that `text` names.
        valid: the sequences of the validation part, or what `drystone.read` takes; `seqs` are the training part then, and only
            fields that all parts have count.
        test: the sequences of the test part, likewise.
        out: the run folder; by default a new one, runs/NAME-1, runs/NAME-2, ...
        overwrite: whether an older run in `out` may be replaced; it stays until the new one has a checkpoint.
        progress: whether a progress bar is shown.
        name: of new run folders.
        watch: is called with each event of the training (`drystone.train.Event`), on every rank: to log figures elsewhere, say.
        **settings: any of `drystone.train.Settings`: epochs=100, hidden_size=64, seed=1, ...

    Returns:
        The run; if it was asked to stop, with the weights of its last checkpoint and `is_finished` false.

    Raises:
        DataError, LayoutError, ConfigError, RunError: what came cannot be used; nothing is written then.
        NotFiniteError: loss or gradient is not finite; the last checkpoint is kept, and without one nothing.

    Example:
        >>> import drystone as ds
        >>> seqs = ds.read("japanese-vowels")
        >>> run = ds.fit(seqs, target="speaker", split_column="part", epochs=2, hidden_size=8, progress=False)
        >>> run.metrics[-1]["part"]
        'test'
    """
    path = None if out is None else Path(out)
    ranks = current_ranks()
    with as_one(ranks):
        with ranks.together():
            if path is not None and ranks.is_first:
                restore(path)
                check_free(path, overwrite=overwrite)
            sources = Sources(train=seqs, valid=valid, test=test)
            named = {} if target is None else {"target": target}
            checked = Settings.of(**{**sources.named(), **named, **settings})
            whole = sequences_for(sources, checked)
        with _randomness_of(checked.seed):
            with ranks.together():
                prepared = prepare(whole, checked, ranks)
            check_alike(prepared)
            folder = path or ranks.by_first(lambda: next_free(name))
            ranks.by_first(lambda: _make_folder(prepared, folder, overwrite=overwrite))
            with held(folder, ranks):
                return _run(prepared, folder, None, Watched(progress=progress, by=watch), is_new=True)


def resume(
    path: str | Path,
    seqs: Any = None,
    *,
    valid: Any = None,
    test: Any = None,
    progress: bool = True,
    watch: Watch | None = None,
) -> Run:
    """Goes on with a run that was stopped, from its newest checkpoint that is whole; a finished run stays as it is.

    Args:
        path: the run folder.
        seqs: the sequences that it was made from, or what `drystone.read` takes; by default they are read from where
            the run read them.
        valid: those of the validation part, where the run was made with such; by default they are read again too.
        test: those of the test part, likewise.
        progress: whether a progress bar is shown.
        watch: is called with each event of the training, as in `fit`.

    Raises:
        RunError: no run folder; files in it are missing or changed; the sequences are others; another process
            trains in it; or files could not be written. What was saved stays as it is.
        ConfigError, DataError: the data cannot be read any more.

    Example:
        >>> import drystone as ds
        >>> run = ds.fit("japanese-vowels", "speaker", split_column="part", epochs=1, hidden_size=8, progress=False)
        >>> ds.resume(run.path).is_finished  # it was finished already
        True
    """
    folder, ranks = Path(path), current_ranks()
    with as_one(ranks):
        ranks.by_first(lambda: restore(folder))
        if _is_finished(Manifest.read, folder, ranks):
            return Run.open(folder)  # which checks its files
        with held(folder, ranks):
            if _is_finished(Manifest.load, folder, ranks):  # by a process that held it until now
                return Run.open(folder)
            with ranks.together():
                if ranks.is_first:
                    clean(folder)
                settings = Settings.load(folder / names.SETTINGS)
                whole = sequences_for(Sources(train=seqs, valid=valid, test=test), settings)
            with _randomness_of(settings.seed):
                with ranks.together():
                    schema, split = Schema.load(folder / names.SCHEMA), Split.load(folder / names.SPLIT)
                    prepared = prepare_again(whole, settings, schema, split, ranks)
                check_alike(prepared)
                _warn_of_differences(prepared, folder)
                checkpoint = ranks.by_first(lambda: _newest(folder))
                return _run(prepared, folder, checkpoint, Watched(progress=progress, by=watch), is_new=False)


def _is_finished(read: Callable[[Path], Manifest], folder: Path, ranks: Ranks) -> bool:
    with ranks.together():
        return read(folder).status == "finished"


@contextmanager
def _randomness_of(seed: int) -> Iterator[None]:
    """Starts from the seed, and leaves the user's random numbers as they were."""
    with kept_randomness():
        seed_all(seed)
        yield


def _make_folder(prepared: Prepared, folder: Path, *, overwrite: bool) -> None:
    with new_folder(folder, overwrite=overwrite) as place:
        _write_first_files(prepared, place)


def _write_first_files(prepared: Prepared, place: Path) -> None:
    prepared.settings.save(place / names.SETTINGS)
    save_environment(place / names.ENVIRONMENT, prepared.device)
    prepared.task.schema.save(place / names.SCHEMA)
    features = prepared.task.schema.features
    statistics = zip(features.columns, prepared.model.mean, prepared.model.spread, strict=True)
    numbers = {column for field in features.fields if field.kind == "numbers" for column in field.columns}
    found: dict[str, Any] = {
        name: {"mean": float(mean), "standard_deviation": float(spread)}
        for name, mean, spread in statistics
        if name in numbers
    }
    unknown = unknown_shares(prepared.parts, features)
    found |= {UNKNOWN_WORDS: unknown} if unknown else {}
    left_out = {part: asdict(each) for part, each in prepared.truncated.items()}
    found |= {TRUNCATED: left_out} if left_out else {}
    (place / names.STATISTICS).write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    prepared.split.save(place / names.SPLIT)
    prepared.loader.plan.save(place / names.PLAN)
    Manifest.of(place, "training").save(place)


def _run(prepared: Prepared, folder: Path, checkpoint: Checkpoint | None, watched: Watched, *, is_new: bool) -> Run:
    ranks = prepared.ranks
    try:
        check_shared(folder, ranks)
        stopped_by = train(prepared, folder, checkpoint, watched)
    except (NotFiniteError, RunError, OSError) as error:
        error.add_note(_what_is_kept(folder, error))
        raise
    finally:
        if ranks.is_first:
            settle(folder, is_new=is_new)
    ranks.meet()
    return Run.of(prepared, folder, stopped_by)


def _what_is_kept(folder: Path, error: Exception) -> str:
    updates = Store(folder / names.CHECKPOINTS).updates()
    if not updates:
        return "It came before the first checkpoint, so nothing of this run is kept."
    words = (
        f"The run is resumable from its checkpoint of update {updates[0]}: drystone fit --resume {quote(str(folder))}"
    )
    if not isinstance(error, NotFiniteError):
        return words
    settings = quote(str(folder / names.SETTINGS))
    return (
        f"{words}\nIf data or settings are the cause, that ends here again; "
        f"then begin a new run: drystone fit --config {settings} --learning-rate ..."
    )


def _newest(folder: Path) -> Checkpoint | None:
    store = Store(folder / names.CHECKPOINTS)
    store.clean()
    checkpoint, damages = store.newest()
    for damage in damages:
        warnings.warn(f"{damage} Training goes on from the checkpoint before it.", stacklevel=3)
    return checkpoint


def _warn_of_differences(prepared: Prepared, folder: Path) -> None:
    found = differences(folder / names.ENVIRONMENT, prepared.device)
    if found:
        warnings.warn(
            f"{folder} was started in another environment, so the last bits may differ: {'; '.join(found)}.",
            stacklevel=3,
        )
