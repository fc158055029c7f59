"""Draws the pictures of README and docs from real plans.

python scripts/make_pictures.py
"""

from pathlib import Path

import drystone as ds
from drystone.plots.wall import save_walls

IMAGES = Path(__file__).parents[1] / "docs" / "images"
NUM_SEQUENCES = 12
LAYOUTS = (
    ds.Padded(batch_size=NUM_SEQUENCES),
    ds.Bucketed(num_buckets=3, cells=90),
    ds.Packed(rows=4, steps=52),
    ds.Stateful(rows=4, steps=18),
)


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    lengths = ds.read("japanese-vowels").lengths[:270:22][:NUM_SEQUENCES]
    save_walls([(repr(layout), layout.plan(lengths)) for layout in LAYOUTS], IMAGES / "grid.png")


if __name__ == "__main__":
    main()
