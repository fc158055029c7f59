"""One training of a run: until it ends, or until it is asked to stop."""

from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from signal import Signals

from drystone.core.storage import whole_file
from drystone.plots.figure import Picture
from drystone.train.checkpoint.checkpoint import Checkpoint, save_tensors
from drystone.train.checkpoint.files import sync, written
from drystone.train.checkpoint.store import Store
from drystone.train.folder import names
from drystone.train.folder.manifest import Manifest
from drystone.train.interrupts import StopRequest, StopRequested, stop_request, undisturbed
from drystone.train.loop.events import Ended, Event
from drystone.train.loop.trainer import Trainer
from drystone.train.parts import best_of, part_baselines, part_evaluator, part_pictures, trainer_of
from drystone.train.pictures import draw, draw_curves
from drystone.train.prepare import Prepared
from drystone.train.watch.early_stopping import EarlyStopping
from drystone.train.watch.metrics_log import MetricsLog
from drystone.train.watch.progress import Progress
from drystone.train.watch.saver import Saver
from drystone.train.watch.tensorboard import TensorBoard


def train(prepared: Prepared, path: Path, checkpoint: Checkpoint | None, *, progress: bool) -> Signals | None:
    """Trains to the end and writes the last files; or, asked by a signal to stop, saves a checkpoint.

    Args:
        prepared: data, model and settings.
        path: the run folder.
        checkpoint: where to go on from; None for the beginning.
        progress: whether a progress bar is shown.

    Returns:
        The signal that stopped it, or None.
    """
    with stop_request() as request:
        trainer = trainer_of(prepared, request.check)
        log, best = MetricsLog(path / names.METRICS), best_of(prepared)
        store = Store(path / names.CHECKPOINTS)
        saver = Saver(trainer, store, log, best, prepared.settings.checkpoint_seconds)
        if checkpoint is None:
            log.clear()
        else:
            saver.load(checkpoint)
        with ExitStack() as stack:
            watches: list[Callable[[Event], None]] = [log]
            watches.append(stack.enter_context(Progress(trainer.recipe, is_shown=progress)))
            if prepared.settings.tensorboard:
                watches.append(stack.enter_context(TensorBoard(path / names.TENSORBOARD, trainer.counts.updates)))
            if best is not None:
                watches.append(best)
                if prepared.settings.patience is not None:
                    watches.append(EarlyStopping(best, prepared.settings.patience, trainer.stop))
            if not _watched(trainer, [*watches, saver], request):
                with undisturbed():
                    saver.save()
                draw_curves(path, prepared.task.about.figure)
                return request.by
        try:
            _finish(prepared, path, trainer, saver, request)
        except StopRequested:
            return request.by
        return None


def _watched(trainer: Trainer, watches: list[Callable[[Event], None]], request: StopRequest) -> bool:
    """Tells all events to all who watch; returns whether training came to its end."""
    try:
        with closing(trainer.run()) as events:
            for event in events:
                for watch in watches:
                    watch(event)
                if not isinstance(event, Ended):
                    request.check()
    except StopRequested:
        return False
    return True


def _finish(prepared: Prepared, path: Path, trainer: Trainer, saver: Saver, request: StopRequest) -> None:
    """Writes weights, figures of the test part and pictures; with the manifest the run is finished."""
    model = prepared.model
    if saver.best_weights is not None and prepared.settings.keep == "best":
        model.load_state_dict(saver.best_weights)
    with written(path / names.WEIGHTS), whole_file(path / names.WEIGHTS) as partial:
        save_tensors(model.state_dict(), partial)
        sync(partial)
    pictures: dict[str, Picture] = {}
    for part in [part for part in ("test", "valid") if len(prepared.split.part(part))][:1]:
        figures = part_evaluator(prepared, part, request.check).figures(model)
        baselines = part_baselines(prepared, part)
        if part == "test":
            saver.log.add(part, trainer.counts.epochs, trainer.counts.updates, figures, baselines)
        pictures = part_pictures(prepared, part, figures | {"baselines": baselines}, request.check)
    with undisturbed():
        draw_curves(path, prepared.task.about.figure)
        draw(pictures, path)
        Manifest.of(path, "finished").save(path)
