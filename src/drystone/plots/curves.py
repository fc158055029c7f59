"""Training curves of a run: loss and accuracy by epoch."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from drystone.plots.figure import new_figure, save_figure

COLOURS = {"train": "#4c72b0", "valid": "#dd8452", "test": "#55a868"}


def save_curves(metrics: Sequence[dict[str, Any]], path: Path) -> None:
    """Draws loss and accuracy by epoch, and the test result as a line.

    Args:
        metrics: the records of metrics.jsonl.
        path: of the PNG.
    """
    epochs = [record for record in metrics if record["part"] == "train"]
    tests = [record for record in metrics if record["part"] == "test"]
    figure, axes = new_figure(2, 9.0, 3.4)
    for ax, name in zip(axes, ("loss", "accuracy"), strict=True):
        if epochs:
            _draw(ax, epochs, "train", name)
        if epochs and "valid_loss" in epochs[0]:
            _draw(ax, epochs, "valid", f"valid_{name}")
        ax.set_xlabel("epoch")
        ax.set_ylabel(name)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        ax.grid(alpha=0.3)
        ax.set_xlim(0.5, max(len(epochs), 1) + 0.5)
    for record in tests:
        label = f"test, at the end: {record['accuracy']:.3f}"
        axes[1].axhline(record["accuracy"], color=COLOURS["test"], linestyle="--", label=label)
    for ax in axes:
        if ax.get_legend_handles_labels()[0]:
            ax.legend(frameon=False, loc="best")
    save_figure(figure, path)


def _draw(ax: Axes, epochs: Sequence[dict[str, Any]], part: str, key: str) -> None:
    marker = "o" if len(epochs) < 3 else None
    label = {"train": "train, with noise and dropout", "valid": "validation"}[part]
    ax.plot(
        [record["epoch"] for record in epochs],
        [record[key] for record in epochs],
        color=COLOURS[part],
        marker=marker,
        label=label,
    )
