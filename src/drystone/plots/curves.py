"""Training curves of a run: loss and one more figure by epoch."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from drystone.plots.figure import new_figure, save_figure

Record = Mapping[str, Any]

COLOURS = {"train": "#4c72b0", "valid": "#dd8452", "test": "#55a868"}
LABELS = {"train": "train, while it learns", "valid": "validation", "test": "test, at the end"}


def save_curves(metrics: Sequence[Record], path: Path, figure_name: str) -> None:
    """Draws loss and a figure of training and validation by epoch, and the test result as a line.

    Args:
        metrics: the records of metrics.jsonl.
        path: of the PNG.
        figure_name: what the run is known by, such as "accuracy".
    """
    parts = {part: [record for record in metrics if record["part"] == part] for part in LABELS}
    epochs = parts["train"]
    figure, axes = new_figure(2, 9.0, 3.4)
    for ax, name in zip(axes, ("loss", figure_name), strict=True):
        for part in ("train", "valid"):
            if parts[part]:
                _draw(ax, part, _epochs_of(parts[part], epochs), [record[name] for record in parts[part]])
        ax.set_xlabel("epoch")
        ax.set_ylabel(name)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        ax.grid(alpha=0.3)
        ax.set_xlim(0.5, max(len(epochs), 1) + 0.5)
    for record in parts["test"]:
        label = f"{LABELS['test']}: {record[figure_name]:.4g}"
        axes[1].axhline(record[figure_name], color=COLOURS["test"], linestyle="--", label=label)
    for ax in axes:
        if ax.get_legend_handles_labels()[0]:
            ax.legend(frameon=False, loc="best")
    save_figure(figure, path)


def _epochs_of(records: Sequence[Record], epochs: Sequence[Record]) -> npt.NDArray[np.float64]:
    """Where records lie on the axis of epochs: an evaluation in the middle of an epoch lies in its middle."""
    ends = [0, *(record["update"] for record in epochs)]
    return np.interp([record["update"] for record in records], ends, range(len(ends)))


def _draw(ax: Axes, part: str, epochs: npt.NDArray[np.float64], values: Sequence[float]) -> None:
    ax.plot(epochs, values, color=COLOURS[part], marker="o" if len(values) < 3 else None, label=LABELS[part])
