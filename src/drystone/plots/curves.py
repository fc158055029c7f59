"""Training curves of a run: loss and one more figure by epoch."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from drystone.plots.figure import BLUE, DASHES, GREEN, GREY, ORANGE, legend_above, new_figure, save_figure, written_out

Record = Mapping[str, Any]

COLOURS = {"train": BLUE, "valid": ORANGE, "test": GREEN}
LABELS = {"train": "train, while it learns", "valid": "validation", "test": "test, at the end"}
LEAST_SHARE = 0.25  # of the height that curves keep beside the lines for comparison


def save_curves(metrics: Sequence[Record], path: Path, figure_name: str) -> None:
    """Draws loss and a figure of training and validation by epoch; as lines the test result and trivial predictions.

    Args:
        metrics: the records of metrics.jsonl.
        path: of the PNG.
        figure_name: what the run is known by, such as "accuracy".
    """
    parts = {part: [record for record in metrics if record["part"] == part] for part in LABELS}
    epochs = parts["train"]
    names = list(dict.fromkeys(("loss", figure_name)))
    figure, axes = new_figure(len(names), 4.5 * len(names) + 0.5, 3.7)
    for ax, name in zip(axes, names, strict=True):
        for part in ("train", "valid"):
            if parts[part]:
                _draw(ax, part, _epochs_of(parts[part], epochs), [record[name] for record in parts[part]])
        ax.set_xlabel("epoch")
        ax.set_ylabel(name)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        ax.grid(alpha=0.3)
        ax.set_xlim(0.5, max(len(epochs), 1) + 0.5)
    for record in parts["test"]:
        _compare(axes[-1], record, figure_name)
    for ax in axes:
        legend_above(ax)
    save_figure(figure, path)


def _epochs_of(records: Sequence[Record], epochs: Sequence[Record]) -> npt.NDArray[np.float64]:
    """Where records lie on the axis of epochs: an evaluation in the middle of an epoch lies in its middle."""
    ends = [0, *(record["update"] for record in epochs)]
    return np.interp([record["update"] for record in records], ends, range(len(ends)))


def _draw(ax: Axes, part: str, epochs: npt.NDArray[np.float64], values: Sequence[float]) -> None:
    ax.plot(epochs, values, color=COLOURS[part], marker="o" if len(values) < 3 else None, label=LABELS[part])


def _compare(ax: Axes, record: Record, name: str) -> None:
    """Draws what the test part and trivial predictions reach as lines; where curves would shrink, only the label says it."""
    drawn = np.concatenate([[], *(np.asarray(line.get_ydata(), dtype=float) for line in ax.get_lines())])
    known = drawn[np.isfinite(drawn)]
    lines = [(LABELS["test"], record[name], COLOURS["test"], "--")]
    trivial = {who: figures[name] for who, figures in record.get("baselines", {}).items() if name in figures}
    for rank, (who, value) in enumerate(trivial.items()):
        lines.append((written_out(who), value, GREY, DASHES[rank % len(DASHES)]))
    for label, value, colour, dashes in lines:
        if _leaves_room(value, known):
            ax.axhline(value, color=colour, linestyle=dashes, label=f"{label}: {value:.4g}")
        else:
            where = "above" if value > known.max() else "below"
            ax.plot([], [], color=colour, linestyle=dashes, label=f"{label}: {value:.4g}, {where}")


def _leaves_room(value: float, drawn: npt.NDArray[np.float64]) -> bool:
    """Returns whether curves keep their share of the height if a value is shown too."""
    if not len(drawn) or not np.isfinite(value) or np.ptp(drawn) == 0:
        return True
    height = max(drawn.max(), value) - min(drawn.min(), value)
    return bool(np.ptp(drawn) >= LEAST_SHARE * height)
