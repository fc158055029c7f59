"""Which units a sequence keeps: known answers of the generator, and what the choice may depend on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import drystone as ds
from drystone.core.dropout import kept_units, philox
from tests.contract import strategies


@pytest.mark.parametrize(
    ("counter", "key", "answer"),
    [
        ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_philox_gives_the_known_answers_of_its_authors(
    counter: tuple[int, ...], key: tuple[int, ...], answer: tuple[int, ...]
) -> None:
    a, b, c, d = (np.array([word], dtype=np.uint64) for word in counter)
    words = philox((a, b, c, d), (np.uint64(key[0]), np.uint64(key[1])))
    assert tuple(int(word[0]) for word in words) == answer


def one(sequence: int = 3, layer: int = 0, units: int = 64, fraction: float = 0.5, seed: int = 0, epoch: int = 0):
    return kept_units(np.array([sequence]), layer, units, fraction=fraction, seed=seed, epoch=epoch)[0]


@given(
    st.lists(st.integers(0, 2**63 - 1), max_size=8),
    st.integers(0, 3),
    st.integers(1, 40),
    strategies.seeds,
    strategies.seeds,
    st.floats(0, 0.99),
)
def test_a_sequence_keeps_its_units_whatever_lies_beside_it(
    sequences: list[int], layer: int, units: int, seed: int, epoch: int, fraction: float
) -> None:
    numbers = np.array(sequences, dtype=np.int64)
    together = kept_units(numbers, layer, units, fraction=fraction, seed=seed, epoch=epoch)
    assert together.shape == (len(sequences), units)
    for row, sequence in zip(together, sequences, strict=True):
        alone = one(sequence, layer, units + 5, fraction, seed, epoch)
        assert np.array_equal(row, alone[:units])


def test_every_part_of_the_key_changes_the_choice() -> None:
    others = [one(4), one(3 + 2**32), one(layer=1), one(seed=1), one(epoch=1), one(seed=1, epoch=1)]
    choices = [one(), *others]
    assert len({choice.tobytes() for choice in choices}) == len(choices)


@pytest.mark.parametrize("fraction", [0.0, 0.1, 0.5, 0.9])
def test_units_are_dropped_with_the_given_probability_and_independently(fraction: float) -> None:
    kept = kept_units(np.arange(1000), 0, 200, fraction=fraction, seed=1, epoch=0)
    spread = 5 * np.sqrt(fraction * (1 - fraction))
    assert abs(kept.mean() - (1 - fraction)) <= spread / np.sqrt(kept.size)
    assert abs(kept.mean(axis=0) - (1 - fraction)).max() <= spread / np.sqrt(1000)
    assert abs(kept.mean(axis=1) - (1 - fraction)).max() <= spread / np.sqrt(200)
    neighbours = (kept[:, 1:] * 1.0 - kept.mean()) * (kept[:, :-1] - kept.mean())
    assert abs(neighbours.mean()) <= 5 * fraction * (1 - fraction) / np.sqrt(neighbours.size) + 1e-12


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(ds.LayoutError, match="epoch must be a whole number"):
        one(epoch=-1)
    with pytest.raises(ds.LayoutError, match="sequences are numbered from 0; got -1"):
        one(-1)
