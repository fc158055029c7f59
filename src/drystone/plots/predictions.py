"""Predicted numbers against the true ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from drystone.plots.figure import BLACK, BLUE, MOST_PANELS, Picture, legend_above, new_figure, title_above, written_out

Floats = npt.NDArray[np.float64]

MOST_DOTS = 1_000  # more would lie one on the other: cells say how many there are


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Predictions(Picture):
    """Some numbers, as they were predicted and as they are.

    Args:
        names: of each number.
        predicted, true: [points, numbers], finite.
        unit: what a point is, such as "sequences".
        title: what the predictions are of, and how good they are.
    """

    names: Sequence[str]
    predicted: Floats
    true: Floats
    unit: str
    title: str

    def figure(self) -> Figure:
        """Returns a panel for each of the first numbers, with a diagonal where predictions would be exact."""
        num_panels = min(len(self.names), MOST_PANELS)
        columns = min(num_panels, 3)
        rows = -(-num_panels // columns)
        width, height = (4.0, 4.1) if self._has_dots else (4.4, 3.9)
        figure, axes = new_figure(num_panels, max(width * columns, 6.0), height * rows + 0.5, columns)
        for number, ax in enumerate(axes):
            self._draw(figure, ax, number)
        more = f"the first {MOST_PANELS} of {len(self.names):,} numbers of a vector"
        title_above(figure, *([self.title, more] if len(self.names) > MOST_PANELS else [self.title]))
        return figure

    @property
    def _has_dots(self) -> bool:
        return len(self.true) <= MOST_DOTS

    def _draw(self, figure: Figure, ax: Axes, number: int) -> None:
        true, predicted = self.true[:, number], self.predicted[:, number]
        ends = _ends(true, predicted)
        if self._has_dots:
            ax.scatter(
                true, predicted, s=14, color=BLUE, alpha=0.6, linewidths=0, label=f"one of {len(true):,} {self.unit}"
            )
        else:
            figure.colorbar(_cells(ax, true, predicted, ends), ax=ax, shrink=0.8).set_label(self.unit)
        ax.plot(ends, ends, color=BLACK, linewidth=1, linestyle="--", label="exact")
        ax.set_xlim(*ends)
        ax.set_ylim(*ends)
        ax.set_aspect("equal")
        ax.grid(alpha=0.3)
        name = written_out(self.names[number])
        ax.set_xlabel(f"{name}, true")
        ax.set_ylabel(f"{name}, predicted")
        legend_above(ax)


def _cells(ax: Axes, true: Floats, predicted: Floats, ends: tuple[float, float]) -> PolyCollection:
    box: Any = (*ends, *ends)
    return ax.hexbin(true, predicted, gridsize=50, extent=box, mincnt=1, bins="log", cmap="viridis_r", linewidths=0.1)


def _ends(true: Floats, predicted: Floats) -> tuple[float, float]:
    """Returns where both axes begin and end, so that every point lies inside."""
    low, high = min(true.min(), predicted.min()), max(true.max(), predicted.max())
    margin = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
    return float(low - margin), float(high + margin)
