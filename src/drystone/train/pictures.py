"""The pictures of a run: none of them can spoil what was trained."""

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import nn

from drystone.core.errors import DataError, RunError
from drystone.core.sequences import Sequences
from drystone.plots.curves import save_curves
from drystone.plots.figure import Picture, written_out
from drystone.train.checkpoint.files import written
from drystone.train.folder import names
from drystone.train.interrupts import StopRequested
from drystone.train.tasks.task import Task
from drystone.train.watch.metrics_log import read_metrics


def title_of(task: Task, what: str, figures: Mapping[str, Any]) -> str:
    """Returns what predictions are of and how good they are, such as "speaker, test part: accuracy 0.981".

    Args:
        task: with the target.
        what: the sequences, such as "test part".
        figures: of them, and `baselines`, where they are known.
    """
    first = task.in_words(figures)[0]
    others = task.in_words({name: value for name, value in figures.items() if name not in (task.about.figure, "loss")})
    return "\n".join([f"{written_out(task.schema.target)}, {written_out(what)}: {first}", ", ".join(others)]).rstrip()


def check_free(folder: Path) -> None:
    """Raises DataError where pictures cannot be drawn in a folder, or would replace others."""
    if folder.exists() and not folder.is_dir():
        raise DataError(f"{folder} is a file; name a folder for the pictures.")
    if not folder.absolute().parent.is_dir():
        raise DataError(f"there is no folder {folder.parent}; make it first.")
    taken = [name for name in names.PICTURES if (folder / name).exists()]
    if taken:
        raise DataError(f"{folder} holds {taken[0]}, which is not replaced. Name another folder.")


def pictures_of(
    task: Task, model: nn.Module, seqs: Sequences, title: str, between: Callable[[], object] | None = None
) -> dict[str, Picture]:
    """Returns what `Task.pictures` does; where it fails nothing, with a warning."""
    with _only_warns("the pictures of this run"):
        return task.pictures(model, seqs, title, between)
    return {}


def draw(pictures: Mapping[str, Picture], folder: Path) -> None:
    """Writes pictures, each whole or not at all; where drawing one fails it is left out, with a warning.

    Raises:
        RunError: the system refuses to write, since the disk is full or the like.
    """
    for name, picture in pictures.items():
        _draw(folder / name, picture.save)


def draw_curves(folder: Path, figure_name: str) -> None:
    """Draws the curves of a run folder's metrics, as `draw` draws pictures."""
    _draw(folder / names.CURVES, lambda path: save_curves(read_metrics(folder / names.METRICS), path, figure_name))


def _draw(path: Path, save: Callable[[Path], None]) -> None:
    with written(path):
        path.unlink(missing_ok=True)  # one of before is no picture of now
        with _only_warns(path):
            save(path)


@contextmanager
def _only_warns(what: object) -> Iterator[None]:
    try:
        yield
    except (OSError, RunError, StopRequested):
        raise
    except Exception as error:  # noqa: BLE001  (whatever it is, the run is worth more than its picture)
        warnings.warn(f"{what} could not be drawn: {type(error).__name__}: {error}", stacklevel=4)
