"""The grid as a wall: a stone a span, a red edge a start."""

from matplotlib.colors import to_hex

from drystone import Stateful
from drystone.plots.figure import new_figure
from drystone.plots.wall import START, draw_wall


def test_every_span_is_a_stone_and_every_start_an_edge() -> None:
    plan = Stateful(rows=2, steps=4, order="given").plan([6, 3, 3])
    for batch in range(plan.num_batches):
        _, (ax,) = new_figure(1, 4.0, 2.0)
        draw_wall(ax, plan, batch, "title")
        spans = plan.spans(batch)
        *stones, frame = ax.patches
        assert [round(stone.get_x()) for stone in stones] == spans.start.tolist()
        assert [round(stone.get_y()) for stone in stones] == spans.row.tolist()
        assert (frame.get_width(), frame.get_height()) == (4, 2)
        edges = [line for line in ax.lines if to_hex(line.get_color()) == START]
        assert len(edges) == spans.is_first.sum()
