"""Errors of forecasts over the horizon."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from drystone.plots.figure import (
    BLACK,
    BLUE,
    DASHES,
    GREEN,
    MOST_PANELS,
    ORANGE,
    PINK,
    Picture,
    legend_above,
    new_figure,
    title_above,
    written_out,
)

Floats = npt.NDArray[np.float64]

SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)
FEW_STEPS = 30  # that have a dot each


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Residuals(Picture):
    """How forecasts err by how far they look ahead, beside those that anyone could make.

    Args:
        names: of the targets.
        quantiles: [len(SHARES), horizon, targets] of forecast − truth.
        rmse: the root mean square errors of the model, [horizon, targets] ...
        trivial: ... and of trivial forecasts, by their names.
        title: what the forecasts are of, and how good they are.
    """

    names: Sequence[str]
    quantiles: Floats
    rmse: Floats
    trivial: Mapping[str, Floats]
    title: str

    def figure(self) -> Figure:
        """Returns two panels a target: bands of errors, and the root mean square errors."""
        num_rows = min(len(self.names), MOST_PANELS)
        figure, axes = new_figure(2 * num_rows, 10.0, (3.4 if num_rows == 1 else 2.5) * num_rows + 0.8, 2)
        for number, (left, right) in enumerate(zip(axes[::2], axes[1::2], strict=True)):
            self._draw_bands(left, number)
            self._draw_rmse(right, number)
            for ax in (left, right):
                ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
                ax.set_xlim(0.5, len(self.rmse) + 0.5)
                ax.grid(alpha=0.3)
        for ax in axes[-2:]:
            ax.set_xlabel("steps ahead")
        for ax in axes[:2]:
            legend_above(ax)
        more = f"the first {MOST_PANELS} of {len(self.names):,} targets"
        title_above(figure, *([self.title, more] if len(self.names) > MOST_PANELS else [self.title]))
        return figure

    def _draw_bands(self, ax: Axes, number: int) -> None:
        edges = np.arange(len(self.rmse) + 1) + 0.5
        low, lower, middle, upper, high = self.quantiles[:, :, number]
        ax.stairs(high, edges, baseline=low, fill=True, color=BLUE, alpha=0.2, label="9 of 10 errors")
        ax.stairs(upper, edges, baseline=lower, fill=True, color=BLUE, alpha=0.35, label="the middle half")
        ax.stairs(middle, edges, baseline=None, color=BLUE, linewidth=1.6, label="median")
        ax.axhline(0, color=BLACK, linewidth=0.8)
        ax.set_ylabel(f"{written_out(self.names[number], 24)}:\nforecast − truth")

    def _draw_rmse(self, ax: Axes, number: int) -> None:
        ahead = np.arange(len(self.rmse)) + 1
        marker = "o" if len(ahead) <= FEW_STEPS else None
        ax.plot(ahead, self.rmse[:, number], color=BLUE, marker=marker, markersize=3, label="model")
        for rank, (name, rmse) in enumerate(self.trivial.items()):
            colour, dashes = (ORANGE, GREEN, PINK)[rank % 3], DASHES[rank % 3]
            values = rmse[:, number]
            ax.plot(ahead, values, color=colour, linestyle=dashes, marker=marker, markersize=3, label=written_out(name))
        ax.set_ylim(bottom=0)
        ax.set_ylabel(f"{written_out(self.names[number], 24)}:\nrmse")
