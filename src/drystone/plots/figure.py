"""Figures of one look, written whole, without touching a user's own matplotlib state."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from drystone.core.storage import whole_file


def new_figure(num_axes: int, width: float, height: float, num_columns: int | None = None) -> tuple[Figure, list[Axes]]:
    """Returns a figure, inches wide and high, with axes side by side, or in rows of `num_columns`."""
    columns = num_columns or num_axes
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = [figure.add_subplot(-(-num_axes // columns), columns, number + 1) for number in range(num_axes)]
    for ax in axes:
        ax.spines[["top", "right"]].set_visible(False)
    return figure, axes


def save_figure(figure: Figure, path: Path) -> None:
    """Writes the figure as PNG."""
    with whole_file(path) as partial:
        figure.savefig(partial, format="png", dpi=120)
