"""Some forecasts against what came."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from drystone.plots.figure import BLACK, GREY, MOST_PANELS, ORANGE, Picture, new_figure, title_above, written_out

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

FEW_STEPS = 30  # of a forecast, that have a dot each
FEW_FORECASTS = 4  # of a stretch, whose origins have a line each


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stretch:
    """Some consecutive steps of one series, and forecasts that were made in it.

    Args:
        name: why it is shown, such as "first" or "worst", and of which series; may be empty.
        times: [steps] numbers or timestamps, rising.
        true: [steps, targets].
        origins: [forecasts] the step after which each forecast begins.
        forecasts: [forecasts, horizon, targets].
    """

    name: str
    times: npt.NDArray[Any]
    true: Floats
    origins: Ints
    forecasts: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Forecasts(Picture):
    """Forecasts against what came, in some stretches of time.

    Args:
        names: of the targets.
        stretches: at least one.
        order: what the times are, such as "date" or "step".
        title: what the forecasts are of, and how good they are.
    """

    names: Sequence[str]
    stretches: Sequence[Stretch]
    order: str
    title: str

    def figure(self) -> Figure:
        """Returns a panel a stretch; of several targets a row a target, with the stretches side by side."""
        num_rows, num_stretches = min(len(self.names), MOST_PANELS), len(self.stretches)
        is_one = num_rows == 1
        columns = min(num_stretches, 2) if is_one else num_stretches
        height = 2.4 * -(-num_stretches // columns) if is_one else 1.8 * num_rows
        figure, axes = new_figure(num_rows * num_stretches, max(4.8 * columns, 7.0), height + 1.1, columns)
        for place, ax in enumerate(axes):
            number, which = divmod(place, num_stretches)
            _draw(ax, self.stretches[which], number)
            if number == 0:
                ax.set_title(written_out(self.stretches[which].name, 60), fontsize=9, loc="left")
            if place >= len(axes) - columns:
                ax.set_xlabel(written_out(self.order), fontsize=9)
            elif not is_one:  # the times are those of the row below
                ax.tick_params(labelbottom=False)
                ax.xaxis.get_offset_text().set_visible(False)
            if place % columns == 0:
                ax.set_ylabel(written_out(self.names[number], 24))
        more = f"the first {MOST_PANELS} of {len(self.names):,} targets"
        title_above(figure, *([self.title, more] if len(self.names) > MOST_PANELS else [self.title]))
        lines = {label: line for ax in axes for line, label in zip(*ax.get_legend_handles_labels(), strict=True)}
        figure.legend(lines.values(), lines.keys(), loc="outside lower center", ncols=3, frameon=False)
        return figure


def _draw(ax: Axes, stretch: Stretch, number: int) -> None:
    horizon = stretch.forecasts.shape[1]
    marker = "o" if horizon <= FEW_STEPS else None
    ax.plot(stretch.times, stretch.true[:, number], color=BLACK, linewidth=1.2, label="truth")
    for rank, (origin, forecast) in enumerate(zip(stretch.origins, stretch.forecasts[:, :, number], strict=True)):
        times = stretch.times[origin + 1 : origin + 1 + horizon]
        label = "forecast" if rank == 0 else None
        ax.plot(times, forecast, color=ORANGE, linewidth=1.4, marker=marker, markersize=2.5, label=label)
    if len(stretch.origins) <= FEW_FORECASTS:
        for rank, origin in enumerate(stretch.origins):
            label = "made here" if rank == 0 else None
            when: Any = stretch.times[origin]
            ax.axvline(when, color=GREY, linewidth=0.8, linestyle=":", label=label)
    if stretch.times.dtype.kind == "M":
        locator = AutoDateLocator(minticks=3, maxticks=7)
        ax.xaxis.set_major_locator(locator)
        ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    else:
        ax.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=stretch.times.dtype.kind in "iu"))
    ax.tick_params(labelsize=8)
    ax.xaxis.get_offset_text().set_fontsize(8)
    ax.grid(alpha=0.3)
