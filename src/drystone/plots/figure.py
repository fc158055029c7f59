"""Figures of one look, written whole, without touching a user's own matplotlib state."""

import warnings
from abc import ABC, abstractmethod
from pathlib import Path
from textwrap import wrap

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from drystone.core.storage import whole_file

BLUE, ORANGE, GREEN, PINK, GREY, BLACK = "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#777777", "#222222"
"""Of Okabe and Ito: people who see fewer colours tell them apart."""
DASHES = ("--", ":", "-.")
TITLE_SIZE = 10  # points
CHARACTERS_AN_INCH = 12  # of a title
MOST_PANELS = 9
"""Of the numbers of a vector, those that have a panel."""


class Picture(ABC):
    """What a picture shows, as plain data that knows how it is drawn."""

    @abstractmethod
    def figure(self) -> Figure:
        """Returns the figure."""

    def save(self, path: Path) -> None:
        """Writes the figure as PNG, whole or not at all."""
        save_figure(self.figure(), path)


def new_figure(num_axes: int, width: float, height: float, num_columns: int | None = None) -> tuple[Figure, list[Axes]]:
    """Returns a figure, inches wide and high, with axes side by side, or in rows of `num_columns`."""
    columns = num_columns or num_axes
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = [figure.add_subplot(-(-num_axes // columns), columns, number + 1) for number in range(num_axes)]
    for ax in axes:
        ax.spines[["top", "right"]].set_visible(False)
    return figure, axes


def legend_above(ax: Axes) -> None:
    """Puts what lines and colours mean above the axes, where it hides nothing; if there is anything to say."""
    if ax.get_legend_handles_labels()[0]:
        ax.legend(frameon=False, fontsize=8, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2)


def title_above(figure: Figure, *lines: str) -> None:
    """Writes lines above all axes, wrapped where they are wider than the figure."""
    most = int(figure.get_figwidth() * CHARACTERS_AN_INCH)
    whole = "\n".join(lines).split("\n")
    figure.suptitle("\n".join(part for line in whole for part in wrap(line, most)), fontsize=TITLE_SIZE)


def save_figure(figure: Figure, path: Path) -> None:
    """Writes the figure as PNG."""
    with whole_file(path) as partial, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")  # a box stands for it; the name is the user's
        figure.savefig(partial, format="png", dpi=120)


def written_out(text: object, most: int = 40) -> str:
    """Returns a text of users as it is shown: no formula, on one line, and not too long.

    Example:
        >>> written_out("a very  long name", most=8)
        'a very …'
    """
    line = " ".join(str(text).split())
    short = line if len(line) <= most else line[: most - 1] + "…"
    return short.replace("$", r"\$")
