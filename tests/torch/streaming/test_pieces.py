"""Grids without padding: every step once, in order, within the bound."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from drystone.torch.streaming.pieces import pieces


@given(st.lists(st.integers(1, 30), min_size=1, max_size=30), st.integers(1, 40))
def test_every_step_of_every_row_comes_once_and_in_order(lengths: list[int], max_cells: int) -> None:
    falling = np.array(sorted(lengths, reverse=True))
    had = np.zeros_like(falling)
    for piece in pieces(falling, max_cells):
        assert 0 < piece.num_rows * piece.num_steps <= max_cells
        rows = slice(piece.first_row, piece.stop_row)
        assert (had[rows] == piece.first_step).all()
        had[rows] = piece.stop_step
    assert (had == falling).all()


@given(st.lists(st.integers(1, 30), min_size=1, max_size=30))
def test_there_are_no_more_pieces_than_distinct_lengths(lengths: list[int]) -> None:
    falling = np.array(sorted(lengths, reverse=True))
    found = list(pieces(falling))
    assert len(found) == len(set(lengths))
    assert sum(piece.num_steps for piece in found) == max(lengths)
