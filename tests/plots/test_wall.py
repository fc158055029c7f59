"""Walls: a stone a span, a red edge a start, white where there is padding."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PatchCollection
from matplotlib.image import imread
from matplotlib.patches import Rectangle

from drystone import Bucketed, Packed, Padded, Stateful
from drystone.core.plan import Plan
from drystone.plots.figure import new_figure
from drystone.plots.wall import GAP, draw_wall, save_walls
from tests.contract import strategies

planned = st.builds(lambda lengths, layout: layout.plan(lengths), strategies.lengths, strategies.whole_layouts)


def drawn(plan: Plan, batches: list[int]) -> Axes:
    _, (ax,) = new_figure(1, 4.0, 2.0)
    draw_wall(ax, plan, batches, "title")
    return ax


@given(st.one_of(planned, strategies.carried_plans()), st.integers(1, 3))
def test_every_span_is_a_stone_and_every_start_an_edge(plan: Plan, count: int) -> None:
    batches = list(range(min(count, plan.num_batches)))
    if not batches:
        return
    ax = drawn(plan, batches)
    frames = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    stones = [found for found in ax.collections if isinstance(found, PatchCollection)]
    edges = [found for found in ax.collections if isinstance(found, LineCollection)]
    assert [(frame.get_height(), frame.get_width()) for frame in frames] == [plan.shape(batch) for batch in batches]
    gap = GAP * sum(plan.shape(batch)[1] for batch in batches)
    for left, right in pairwise(frames):
        assert right.get_x() == pytest.approx(left.get_x() + left.get_width() + gap)
    for batch, frame, pile, starts in zip(batches, frames, stones, edges, strict=True):
        spans = plan.spans(batch)
        boxes: Any = [path.get_extents() for path in pile.get_paths()]
        expected = [(frame.get_x() + start, row) for start, row in zip(spans.start, spans.row, strict=True)]
        np.testing.assert_allclose(
            np.reshape([(box.x0, box.y0) for box in boxes], (-1, 2)), np.reshape(expected, (-1, 2)), atol=1e-9
        )
        np.testing.assert_allclose([box.width for box in boxes], spans.length)
        assert len(starts.get_segments()) == spans.is_first.sum()
    assert ax.get_title(loc="left") == "title"
    assert [text.get_text() for text in ax.texts] == [
        f"{rows:,} × {steps:,}" for rows, steps in map(plan.shape, batches)
    ]


@pytest.mark.parametrize("count", [1, 2, 5])
def test_one_picture_shows_all_walls(tmp_path: Path, count: int) -> None:
    layouts = [Padded(4), Bucketed(num_buckets=2, batch_size=2), Packed(rows=2, steps=9), Stateful(2, 3), Padded(1)]
    walls = [(repr(layout), layout.plan([9, 1, 4, 4, 2])) for layout in layouts[:count]]
    save_walls(walls, tmp_path / "wall.png")
    pixels = imread(tmp_path / "wall.png")[..., :3]
    height, width = pixels.shape[:2]
    assert width == pytest.approx(624 * min(count, 2), abs=2)
    assert height == pytest.approx(360 * -(-count // 2), abs=2)
    red = (pixels[..., 0] > 0.6) & (pixels[..., 1] < 0.4)
    assert red.any()
    assert pixels.mean() > 0.5
    assert [file.name for file in tmp_path.iterdir()] == ["wall.png"]
