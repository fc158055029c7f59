"""The grid of a batch as a wall: a course a row, a stone a sequence, padding left white."""

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from drystone.core.plan import Plan

STONES = ("#8c8577", "#a39b8b", "#b8b0a1", "#746e62", "#9a8f7d", "#c7bfb0")
START = "#c44e52"


def draw_wall(ax: Axes, plan: Plan, batch: int, title: str = "") -> None:
    """Draws one batch of a plan; the first step of every sequence, where the state is reset, has a red edge.

    Args:
        ax: to draw on.
        plan: the plan.
        batch: 0 … plan.num_batches − 1.
        title: above the picture.
    """
    num_rows, num_steps = plan.shape(batch)
    spans = plan.spans(batch)
    for row, start, length, sequence, is_first in zip(
        spans.row, spans.start, spans.length, spans.sequence, spans.is_first, strict=True
    ):
        colour = STONES[int(sequence) % len(STONES)]
        ax.add_patch(Rectangle((start + 0.08, row + 0.08), length - 0.16, 0.84, facecolor=colour, linewidth=0))
        if is_first:
            ax.plot([start + 0.12] * 2, [row + 0.08, row + 0.92], color=START, linewidth=2, solid_capstyle="butt")
    ax.add_patch(Rectangle((0, 0), num_steps, num_rows, fill=False, edgecolor="#555555", linewidth=0.8))
    ax.set_xlim(-0.3, num_steps + 0.3)
    ax.set_ylim(num_rows + 0.3, -0.3)
    ax.set_xlabel("step")
    ax.set_ylabel("row")
    ax.set_yticks([row + 0.5 for row in range(num_rows)], [str(row) for row in range(num_rows)])
    ax.set_title(title, fontsize=10, loc="left")
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)
