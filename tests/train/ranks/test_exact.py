"""Any number of processes trains the same model, and any other number goes on with it."""

from pathlib import Path

import pytest

from tests.train.ranks import own_loop
from tests.train.ranks.own_loop import LAYOUTS, assert_close
from tests.train.ranks.processes import values

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def expected() -> dict[str, list[object]]:
    return own_loop.trainings()


@pytest.mark.parametrize("num_ranks", [2, 4])
def test_losses_figures_and_norms_are_those_of_one_process(num_ranks: int, expected: dict[str, list[object]]) -> None:
    every = values(num_ranks, own_loop.trainings)
    for name in LAYOUTS:
        assert_close(every[0][name], expected[name])
    assert all(found == every[0] for found in every[1:])  # to the bit: all ranks decide alike


@pytest.mark.parametrize(
    "name", [name if name == "stateful far back" else pytest.param(name, marks=pytest.mark.slow) for name in LAYOUTS]
)
def test_a_checkpoint_of_two_ranks_goes_on_on_one_and_on_three(name: str, tmp_path: Path) -> None:
    first, _ = values(2, own_loop.saved_at, name, 2, tmp_path, 0.0)
    assert_close(own_loop.gone_on(name, tmp_path, 0.0), first)
    for found in values(3, own_loop.gone_on, name, tmp_path, 0.0):
        assert_close(found, first)


@pytest.mark.parametrize("name", ["stateful", pytest.param("stateful far back", marks=pytest.mark.slow)])
def test_a_checkpoint_of_one_process_goes_on_on_two(name: str, tmp_path: Path) -> None:
    expected = own_loop.saved_at(name, 2, tmp_path, 0.0)
    for found in values(2, own_loop.gone_on, name, tmp_path, 0.0):
        assert_close(found, expected)


def test_on_as_many_ranks_it_goes_on_to_the_bit_with_its_random_numbers(tmp_path: Path) -> None:
    expected = values(2, own_loop.saved_at, "stateful far back", 2, tmp_path, 0.3)
    assert values(2, own_loop.gone_on, "stateful far back", tmp_path, 0.3) == expected
