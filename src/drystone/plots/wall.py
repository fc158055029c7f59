"""The grids of batches as walls: a course a row, a stone a sequence, padding left white."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PatchCollection
from matplotlib.patches import Rectangle

from drystone.core.plan import Plan
from drystone.plots.figure import new_figure, save_figure

STONES = ("#8c8577", "#b8b0a1", "#746e62", "#a39b8b", "#c7bfb0", "#9a8f7d")
START = "#c44e52"
FRAME = "#555555"
FEWEST_ROWS = 4  # there is room for, so that a stone of a single row is no tower
MOST_BATCHES = 6  # beside each other; more would be too narrow to see
GAP = 0.04  # between batches, as a fraction of the steps of all that are shown
HEIGHT, WIDTH = 170.0, 340.0  # of a wall, in points, about
MORTAR, START_WIDTH = 1.2, 2.0  # the widest lines, in points; finer where stones are small


def draw_wall(ax: Axes, plan: Plan, batches: Sequence[int], title: str = "") -> None:
    """Draws batches of a plan side by side; the first step of every sequence, where the state is reset, has a red edge.

    A stone without a red edge goes on with the sequence of the batch before.

    Args:
        ax: to draw on.
        plan: the plan.
        batches: which, each 0 … plan.num_batches − 1.
        title: above the picture.
    """
    shapes = [plan.shape(batch) for batch in batches]
    most_rows = max(FEWEST_ROWS, *(rows for rows, _ in shapes))
    width = sum(steps for _, steps in shapes)
    mean_length = float(np.concatenate([plan.spans(batch).length for batch in batches] + [[width]]).mean())
    fineness = min(1.0, 0.12 * HEIGHT / most_rows, 0.06 * WIDTH * mean_length / width)
    left = 0.0
    for batch, (rows, steps) in zip(batches, shapes, strict=True):
        _draw_batch(ax, plan, batch, left, fineness)
        ax.text(left + steps / 2, rows + 0.02 * most_rows, f"{rows:,} × {steps:,}", ha="center", va="top", fontsize=8)
        left += steps + GAP * width
    ax.set_xlim(-0.01 * width, left - GAP * width + 0.01 * width)
    ax.set_ylim(1.12 * most_rows, -0.02 * most_rows)
    ax.set_title(title, fontsize=10, loc="left")
    ax.set_axis_off()


def save_walls(walls: Sequence[tuple[str, Plan]], path: Path) -> None:
    """Writes a picture of the first batches of some plans, so many of each that all show about as many steps.

    Args:
        walls: a name and a plan each; every plan has a batch.
        path: of the PNG.
    """
    steps = [np.bincount(plan.column("batch"), weights=plan.column("length")) for _, plan in walls]
    shown = max(counts[0] for counts in steps)
    columns = 2 if len(walls) > 1 else 1
    figure, axes = new_figure(len(walls), 5.2 * columns, 3.0 * -(-len(walls) // columns), columns)
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.08)  # type: ignore[union-attr]
    for ax, (name, plan), counts in zip(axes, walls, steps, strict=True):
        enough = int(np.searchsorted(np.cumsum(counts), shown)) + 1
        batches = range(min(enough, MOST_BATCHES, plan.num_batches))
        draw_wall(ax, plan, batches, f"{name}: {plan.padding_fraction:.1%} padding")
    words = "Each course is a row, each stone a sequence. White: padding. Red: the state is reset. Below: rows × steps."
    figure.supxlabel(words, fontsize=9, color=FRAME)
    save_figure(figure, path)


def _draw_batch(ax: Axes, plan: Plan, batch: int, left: float, fineness: float) -> None:
    rows, steps = plan.shape(batch)
    spans = plan.spans(batch)
    places = zip((left + spans.start).tolist(), spans.row.tolist(), spans.length.tolist(), strict=True)
    stones = [Rectangle((start, row), length, 1) for start, row, length in places]
    colours = [STONES[sequence % len(STONES)] for sequence in spans.sequence.tolist()]
    ax.add_collection(PatchCollection(stones, facecolors=colours, edgecolors="white", linewidths=MORTAR * fineness))
    row, start = spans.row[spans.is_first], left + spans.start[spans.is_first]
    ax.vlines(start, row + 0.1, row + 0.9, colors=START, linewidths=START_WIDTH * fineness)
    ax.add_patch(Rectangle((left, 0), steps, rows, fill=False, edgecolor=FRAME, linewidth=0.8))
