"""Draws the pictures of README and docs from real plans.

python scripts/make_pictures.py
"""

from pathlib import Path

import drystone as ds
from drystone.plots.figure import new_figure, save_figure
from drystone.plots.wall import draw_wall

IMAGES = Path(__file__).parents[1] / "docs" / "images"
NUM_SEQUENCES = 12


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    lengths = ds.read("japanese-vowels").lengths[:270:22][:NUM_SEQUENCES]
    figure, axes = new_figure(2, 10.0, 3.2)
    layouts = {"padded": ds.Padded(NUM_SEQUENCES, order="given"), "packed": ds.Packed(rows=4, steps=52, order="given")}
    for ax, (name, layout) in zip(axes, layouts.items(), strict=True):
        plan = layout.plan(lengths)
        rows, steps = plan.shape(0)
        title = f"{name}: {rows} rows × {steps} steps, {plan.padding_fraction:.0%} padding"
        draw_wall(ax, plan, 0, title)
    save_figure(figure, IMAGES / "grid.png")


if __name__ == "__main__":
    main()
