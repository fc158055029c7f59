"""One training of a run: until it ends, or until it is asked to stop."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from signal import Signals
from time import perf_counter
from typing import NamedTuple

from drystone.core.storage import whole_file
from drystone.plots.figure import Picture
from drystone.train.checkpoint.checkpoint import Checkpoint, save_tensors
from drystone.train.checkpoint.files import sync, written
from drystone.train.checkpoint.store import Store
from drystone.train.folder import names
from drystone.train.folder.manifest import Manifest
from drystone.train.interrupts import StopRequest, StopRequested, undisturbed
from drystone.train.loop.events import Ended, Event
from drystone.train.loop.randomness import seed_rank
from drystone.train.loop.trainer import Counts, Trainer
from drystone.train.model import RunModel
from drystone.train.parts import best_of, part_baselines, part_evaluator, part_pictures, trainer_of
from drystone.train.pictures import draw, draw_curves
from drystone.train.prepare import Prepared
from drystone.train.ranks.stopping import Stopping, stopping
from drystone.train.ranks.waiting import waiting_in_words
from drystone.train.watch.best import Best
from drystone.train.watch.early_stopping import EarlyStopping
from drystone.train.watch.metrics_log import MetricsLog
from drystone.train.watch.progress import Progress
from drystone.train.watch.saver import Saver
from drystone.train.watch.tensorboard import TensorBoard

Watch = Callable[[Event], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """Who watches a training besides its run folder.

    Args:
        progress: whether a progress bar is shown.
        by: is told of each event, on every rank; None for nobody.
    """

    progress: bool
    by: Watch | None


class Begun(NamedTuple):
    """When a training began, and what this rank had waited by then, in seconds."""

    at: float
    waited: float


def train(prepared: Prepared, path: Path, checkpoint: Checkpoint | None, watched: Watched) -> Signals | None:
    """Trains to the end and writes the last files; or, asked by a signal to stop, saves a checkpoint.

    All ranks train; the first one writes, and shows how far they are.

    Args:
        prepared: data, model and settings.
        path: the run folder.
        checkpoint: where to go on from; None for the beginning.
        watched: who watches.

    Returns:
        The signal that stopped it, or None.
    """
    ranks = prepared.ranks
    begun = Begun(perf_counter(), ranks.waited_seconds)
    with stopping(ranks) as stop:
        trainer = trainer_of(prepared, stop.check_together)
        log, best = MetricsLog(path / names.METRICS), best_of(prepared)
        store = Store(path / names.CHECKPOINTS)
        saver = Saver(trainer, store, log, best, prepared.settings.checkpoint_seconds)
        with ranks.together():
            if checkpoint is not None:
                saver.load(checkpoint)
            elif ranks.is_first:
                log.clear()
            else:
                seed_rank(prepared.settings.seed, ranks.rank)  # all made one model; what is random in training differs
        with ExitStack() as stack:
            shown = stack.enter_context(Progress(trainer.recipe, is_shown=watched.progress and ranks.is_first))
            watches = _watches(prepared, path, trainer, best, log, shown, stack)
            watches += [] if watched.by is None else [watched.by]
            if not _ran(trainer, [*watches, saver], stop):
                with undisturbed():
                    saver.save()
                if ranks.is_first:
                    draw_curves(path, prepared.task.about.figure)
                return stop.agreed()
            _tell_of_waiting(prepared, begun, log, shown, trainer.counts)
        return _finish(prepared, path, trainer, saver, stop)


def _watches(
    prepared: Prepared,
    path: Path,
    trainer: Trainer,
    best: Best | None,
    log: MetricsLog,
    shown: Progress,
    stack: ExitStack,
) -> list[Watch]:
    """Returns those who watch before the saver does; all ranks must come to the same decisions."""
    found: list[Watch] = []
    if prepared.ranks.is_first:
        found += [log, shown]
        if prepared.settings.tensorboard:
            found.append(stack.enter_context(TensorBoard(path / names.TENSORBOARD, trainer.counts.updates)))
    if best is not None:
        found.append(best)
        if prepared.settings.patience is not None:
            found.append(EarlyStopping(best, prepared.settings.patience, trainer.stop))
    return found


def _ran(trainer: Trainer, watches: list[Watch], stop: Stopping) -> bool:
    """Tells all events to all who watch; returns whether training came to its end."""
    try:
        with closing(trainer.run()) as events:
            for event in events:
                for watch in watches:
                    watch(event)
                if not isinstance(event, Ended):
                    stop.check()
    except StopRequested:
        return False
    return True


def _tell_of_waiting(prepared: Prepared, begun: Begun, log: MetricsLog, shown: Progress, counts: Counts) -> None:
    ranks = prepared.ranks
    if ranks.is_alone:
        return
    waited, seconds = ranks.gathered(ranks.waited_seconds - begun.waited), perf_counter() - begun.at
    if ranks.is_first:
        log.add_waiting(counts.epochs, counts.updates, waited, seconds)
        shown.say(waiting_in_words(waited, seconds))


def _finish(prepared: Prepared, path: Path, trainer: Trainer, saver: Saver, stop: Stopping) -> Signals | None:
    """Writes weights, figures of the test part and pictures; with the manifest the run is finished."""
    model, ranks = prepared.model, prepared.ranks
    if saver.best_weights is not None and prepared.settings.keep == "best":
        model.load_state_dict(saver.best_weights)
    ranks.by_first(lambda: _write_weights(model, path))
    part = next((part for part in ("test", "valid") if len(prepared.split.part(part))), None)
    try:
        figures = None
        if part is not None:
            figures = part_evaluator(prepared, part, stop.check_together).shared_out(ranks).figures(model)
    except StopRequested:
        return stop.agreed()
    return ranks.by_first(lambda: _write_last_files(prepared, path, trainer, saver, stop.request, part, figures))


def _write_weights(model: RunModel, path: Path) -> None:
    with written(path / names.WEIGHTS), whole_file(path / names.WEIGHTS) as partial:
        save_tensors(model.state_dict(), partial)
        sync(partial)


def _write_last_files(
    prepared: Prepared,
    path: Path,
    trainer: Trainer,
    saver: Saver,
    request: StopRequest,
    part: str | None,
    figures: Mapping[str, float] | None,
) -> Signals | None:
    pictures: dict[str, Picture] = {}
    try:
        if part is not None and figures is not None:
            baselines = part_baselines(prepared, part)
            if part == "test":
                saver.log.add(part, trainer.counts.epochs, trainer.counts.updates, figures, baselines)
            pictures = part_pictures(prepared, part, {**figures, "baselines": baselines}, request.check)
    except StopRequested:
        return request.by
    with undisturbed():
        draw_curves(path, prepared.task.about.figure)
        draw(pictures, path)
        Manifest.of(path, "finished").save(path)
    return None
