"""Confusion matrices: which classes are taken for which."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure

from drystone.plots.figure import Picture, new_figure, title_above, written_out

Ints = npt.NDArray[np.int64]

MOST_CLASSES = 50
MOST_WITH_SHARES, MOST_WITH_COUNTS = 12, 20  # classes whose cells have room for both numbers, and for one
LETTER = 0.08  # inches, about
DARK = 0.4  # shares from here on have light numbers on them


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Confusion(Picture):
    """How often each class was predicted where another, or the same, was true.

    Args:
        classes: their names.
        true, predicted: [pairs] numbers of classes; no pair comes twice.
        count: [pairs] how often.
        target: what the classes are of.
        title: what the predictions are of, and how good they are.
    """

    classes: Sequence[Any]
    true: Ints
    predicted: Ints
    count: Ints
    target: str
    title: str

    @property
    def shown(self) -> Ints:
        """The classes that have a row and a column: all, or of many those that are most confused, rising."""
        num_classes = len(self.classes)
        if num_classes <= MOST_CLASSES:
            return np.arange(num_classes)
        wrong = np.where(self.true == self.predicted, 0, self.count)
        errors = _tally(self.true, wrong, num_classes) + _tally(self.predicted, wrong, num_classes)
        return np.sort(np.lexsort((-self.num_true, -errors))[:MOST_CLASSES])

    @property
    def num_true(self) -> Ints:
        """[classes] how often each was true."""
        return _tally(self.true, self.count, len(self.classes))

    def matrix(self) -> Ints:
        """Returns [shown, shown] how often the class of a column was predicted where that of the row was true."""
        shown = self.shown
        place = np.full(len(self.classes), -1)
        place[shown] = np.arange(len(shown))
        row, column = place[self.true], place[self.predicted]
        is_shown = (row >= 0) & (column >= 0)
        matrix = np.zeros((len(shown), len(shown)), dtype=np.int64)
        matrix[row[is_shown], column[is_shown]] = self.count[is_shown]
        return matrix

    def shares(self) -> npt.NDArray[np.float64]:
        """Returns `matrix` as shares of all that each row's class was true of; 0 where that was nowhere."""
        return self.matrix() / np.maximum(self.num_true[self.shown], 1)[:, None]

    def figure(self) -> Figure:
        """Returns the matrix, shares as colours; counts and shares in the cells as far as they have room."""
        shown = self.shown
        side = max(_cell(shown) * len(shown), 1.6)
        longest = LETTER * max(len(name) for name in self._names(shown))
        figure, (ax,) = new_figure(1, max(1.2 * side + longest + 2.2, 5.5), side + longest + 1.4)
        shares = self.shares()
        image = ax.imshow(shares, cmap="Blues", norm=PowerNorm(0.5, 0, 1))  # few are seen too
        bar = figure.colorbar(image, ax=ax, shrink=0.8, format=lambda share, _: f"{share:.0%}")
        bar.set_label("share of the true class")
        self._name(ax, shown)
        if len(shown) <= MOST_WITH_COUNTS:
            _write_counts(ax, self.matrix(), shares)
        title_above(figure, *self._title())
        return figure

    def _names(self, shown: Ints) -> list[str]:
        return [written_out(self.classes[number], 20) for number in shown]

    def _title(self) -> list[str]:
        few = f"the {MOST_CLASSES} most confused of {len(self.classes):,} classes; shares are of all predictions"
        return [self.title, few] if len(self.classes) > MOST_CLASSES else [self.title]

    def _name(self, ax: Axes, shown: Ints) -> None:
        names = self._names(shown)
        size = 9 if len(shown) <= MOST_WITH_COUNTS else 7
        is_short = LETTER * max(map(len, names)) <= _cell(shown)
        ax.set_xticks(range(len(names)), names, fontsize=size, rotation=0 if is_short else 90)
        counts = self.num_true[shown].tolist()
        rows = [f"{name}  ({count:,})" for name, count in zip(names, counts, strict=True)]
        ax.set_yticks(range(len(names)), rows, fontsize=size)
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        target = written_out(self.target)
        ax.set_xlabel(f"{target}, predicted")
        ax.set_ylabel(f"{target}, true (how often)")


def _tally(classes: Ints, count: Ints, num_classes: int) -> Ints:
    """Returns [classes] the sum of the counts of each."""
    found = np.zeros(num_classes, dtype=np.int64)
    np.add.at(found, classes, count)
    return found


def _cell(shown: Ints) -> float:
    """Returns the inches of the side of a cell."""
    return 0.62 if len(shown) <= MOST_WITH_SHARES else 0.42 if len(shown) <= MOST_WITH_COUNTS else 0.2


def _write_counts(ax: Axes, matrix: Ints, shares: npt.NDArray[np.float64]) -> None:
    for row, column in np.argwhere(matrix).tolist():
        count, share = matrix[row, column], shares[row, column]
        text = f"{_short(count)}\n{share:.0%}" if len(matrix) <= MOST_WITH_SHARES else _short(count)
        colour = "white" if share >= DARK else "black"
        ax.text(column, row, text, ha="center", va="center", fontsize=8, color=colour)


def _short(count: int) -> str:
    """Returns a count that fits in a cell: all digits, or thousands and so on."""
    for unit, letter in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if count >= max(unit, 10**4):
            return f"{count / unit:.3g}{letter}"
    return str(count)
