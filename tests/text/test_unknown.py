"""Which tokens are read as unknown: rare ones only, at the rate asked for, wherever they lie."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import drystone as ds
from drystone.text import share_unknown
from drystone.text.unknown import chosen
from tests.contract import strategies

VOCABULARY = ds.Vocabulary.train(["a", "a", "b", "b", "c", "d"], kind="given")
cells = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2**40), st.integers(0, 2**40)), max_size=20)


@given(cells, strategies.seeds, strategies.seeds, st.floats(0, 1))
def test_only_rare_tokens_are_replaced_each_as_if_it_were_alone(
    every: list[tuple[int, int, int]], seed: int, epoch: int, rate: float
) -> None:
    ids, sequence, step = np.array(every, dtype=np.int64).reshape(-1, 3).T
    found = VOCABULARY.replaced(ids, sequence, step, rate=rate, seed=seed, epoch=epoch)
    assert not found[ids < VOCABULARY.first_rare].any()
    for cell in range(len(ids)):
        one = slice(cell, cell + 1)
        alone = VOCABULARY.replaced(ids[one], sequence[one], step[one], rate=rate, seed=seed, epoch=epoch)
        assert alone[0] == found[cell]


def test_padding_needs_no_place() -> None:
    ids = np.array([[5, 0], [2, 4]], dtype=np.int32)
    found = VOCABULARY.replaced(ids, np.array([[3, -1], [4, 4]]), np.array([0, 1]), rate=1, seed=0, epoch=0)
    assert found.tolist() == [[True, False], [False, True]]


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 1.0])
def test_the_rate_is_reached(rate: float) -> None:
    count = 40_000
    share = chosen(np.arange(count) // 20, np.arange(count) % 20, rate=rate, seed=1, epoch=2).mean()
    assert abs(share - rate) <= 4 * np.sqrt(rate * (1 - rate) / count)


def test_every_part_of_the_key_changes_the_choice() -> None:
    steps = np.arange(200)

    def choice(sequence: int = 0, first: int = 0, seed: int = 0, epoch: int = 0) -> bytes:
        return chosen(np.full(200, sequence), steps + first, rate=0.5, seed=seed, epoch=epoch).tobytes()

    choices = [
        choice(),
        choice(1),
        choice(2**32),
        choice(first=200),
        choice(first=2**32),
        choice(seed=1),
        choice(epoch=1),
    ]
    assert len(set(choices)) == len(choices)


def test_what_may_be_drawn_is_checked() -> None:
    one = np.array([5])
    for rate in (-0.1, 1.5, float("nan")):
        with pytest.raises(ds.DataError, match=f"rate is {rate}; a share of tokens to replace is from 0 to 1"):
            VOCABULARY.replaced(one, one, one, rate=rate, seed=0, epoch=0)
    with pytest.raises(ds.DataError, match="sequence -1 was asked for"):
        VOCABULARY.replaced(one, -np.ones(1, dtype=int), one, seed=0, epoch=0)
    with pytest.raises(ds.LayoutError, match="seed must be a whole number"):
        VOCABULARY.replaced(one, one, one, seed=-1, epoch=0)


@given(st.lists(st.integers(0, 4)))
def test_the_share_leaves_padding_out(ids: list[int]) -> None:
    there = [number for number in ids if number]
    expected = there.count(1) / len(there) if there else 0.0
    assert share_unknown(np.array(ids, dtype=np.int32)) == expected
