"""From what a model says of some sequences to the data of pictures."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from drystone.plots.confusion import Confusion
from drystone.plots.figure import MOST_PANELS, Picture
from drystone.plots.predictions import Predictions
from drystone.torch.batch import TensorBatch
from drystone.train.loop.objective import Outcome
from drystone.train.tasks.outputs.classes import Classes
from drystone.train.tasks.outputs.numbers import Numbers
from drystone.train.tasks.outputs.outputs import Outputs

MOST_POINTS = 20_000

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Outcomes = Iterable[tuple[TensorBatch, Outcome]]


def pairs_of(outcomes: Outcomes) -> Iterator[tuple[Floats, Floats]]:
    """Yields predictions and targets of each batch."""
    for _, outcome in outcomes:
        assert outcome.predictions is not None
        assert outcome.targets is not None
        yield outcome.predictions.double().cpu().numpy(), outcome.targets.double().cpu().numpy()


def pictures_of(
    outputs: Outputs, found: Iterable[tuple[Floats, Floats]], target: str, num_rows: int, unit: str, title: str
) -> dict[str, Picture]:
    """Returns the confusion matrix of classes, or numbers against what is true; of yes/no nothing.

    Args:
        outputs: what the model says.
        found: predictions and targets; of some batches.
        target: what they are of.
        num_rows: how many there are in all.
        unit: what each is of, such as "sequences".
        title: what the predictions are of.
    """
    if isinstance(outputs, Classes):
        return confusion(found, outputs.classes, target, title)
    return predictions(found, outputs.names(target), num_rows, unit, title) if isinstance(outputs, Numbers) else {}


def confusion(
    found: Iterable[tuple[Floats, Floats]], classes: Sequence[Any], target: str, title: str
) -> dict[str, Picture]:
    """Returns a confusion matrix, of all that the model says something finite of.

    Args:
        found: predictions [rows, classes], the largest of which is said, and targets [rows]; of some batches.
        classes: their names.
        target: what they are of.
        title: what the predictions are of.
    """
    pairs, counts, num_lost = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), 0
    for said, true in found:
        is_known = ~np.isnan(said).any(axis=1)
        num_lost += int((~is_known).sum())
        more = true[is_known].astype(np.int64) * len(classes) + said[is_known].argmax(axis=1)
        pairs, place = np.unique(np.concatenate([pairs, more]), return_inverse=True)
        counts = np.bincount(place, np.concatenate([counts, np.ones(len(more))])).astype(np.int64)
    if not len(pairs):
        return {}
    true, predicted = np.divmod(pairs, len(classes))
    shown = with_lost(title, num_lost)
    matrix = Confusion(classes=classes, true=true, predicted=predicted, count=counts, target=target, title=shown)
    return {"confusion.png": matrix}


def predictions(
    found: Iterable[tuple[Floats, Floats]], names: Sequence[str], num_rows: int, unit: str, title: str
) -> dict[str, Picture]:
    """Returns predicted numbers against true ones, of as many rows as a picture can use, evenly chosen.

    Args:
        found: predictions and targets [rows, numbers]; of some batches.
        names: of the numbers.
        num_rows: how many rows there are in all.
        unit: what a row is, such as "sequences".
        title: what the predictions are of.
    """
    kept: list[Floats] = []
    num_seen = num_lost = 0
    for pair in found:
        both = np.stack(pair)[:, :, :MOST_PANELS]
        is_known = np.asarray(np.isfinite(both).all(axis=(0, 2)))
        num_lost += int((~is_known).sum())
        rows = np.arange(num_seen, num_seen + len(is_known))
        kept.append(both[:, is_known & (chosen(rows, num_rows, MOST_POINTS) >= 0)])
        num_seen += len(is_known)
    predicted, true = np.concatenate(kept, axis=1)
    if not len(true):
        return {}
    shown = with_lost(with_sample(title, num_rows, MOST_POINTS, unit), num_lost)
    return {"predictions.png": Predictions(names=names, predicted=predicted, true=true, unit=unit, title=shown)}


def chosen(rows: Ints, num_rows: int, most: int) -> Ints:
    """Returns the place of each row among those that are chosen, evenly and at most so many; −1 of the others.

    Example:
        >>> chosen(np.arange(5), 5, 2)
        array([ 0, -1, -1,  1, -1])
    """
    most = min(most, num_rows)
    place, before = rows * most // num_rows, (rows - 1) * most // num_rows
    return np.where(place > before, place, -1)


def with_sample(title: str, num_rows: int, most: int, unit: str) -> str:
    """Returns a title that says where not all rows are shown."""
    return title if num_rows <= most else f"{title}\n{most:,} of {num_rows:,} {unit}, evenly chosen"


def with_lost(title: str, num_lost: int) -> str:
    """Returns a title that says where something cannot be shown."""
    return f"{title}\nleft out, not finite: {num_lost:,}" if num_lost else title
