"""States on the disk: what a process that died answered is not lost."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import drystone as ds
from drystone.torch import LSTM, StatefulPredictor
from drystone.train.follow.follower import Follower
from drystone.train.follow.kept_state import KeptState
from tests.train.follow.small import alone, follower, line

X = np.random.default_rng(0).standard_normal((40, 2)).tolist()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "pumps.safetensors"


@contextmanager
def session(path: Path, **bounds: Any) -> Iterator[tuple[Follower, StatefulPredictor, KeptState]]:
    follows, predictor = follower(**bounds)
    kept = KeptState(path, predictor)
    with kept.held(follows.take_again):
        yield follows, predictor, kept


def send(follows: Follower, kept: KeptState, *lines: bytes, when: float = 0.0) -> list[dict[str, Any]]:
    taken = follows.take(lines, when)
    for entry in taken.ran:
        kept.add(entry)
    return taken.answers


@pytest.mark.parametrize("saved_after", [(), (1,), (1, 2), (3,), (5,)])
def test_a_process_that_died_anywhere_goes_on_to_the_bit(path: Path, saved_after: tuple[int, ...]) -> None:
    """It dies after six batches, having saved after some of them: nothing is closed, nothing is written at the end."""
    whole, _ = follower()
    expected = [whole.take([line("a", X[at]), line("b", X[-at - 1])], 0.0).answers for at in range(8)]
    dying, predictor = follower()
    kept = KeptState(path, predictor)
    held = kept.held(dying.take_again)
    held.__enter__()
    for at in range(6):
        assert send(dying, kept, line("a", X[at]), b"{", line("b", X[-at - 1]))[::2] == expected[at]
        if at in saved_after:
            kept.save()
    assert kept._journal is not None
    kept._journal.close()  # as the system does
    path.with_name(f".{path.name}.lock").unlink()
    with session(path) as (follows, again, state):
        assert again.steps_of(["a", "b"]).tolist() == [6, 6]
        for at in (6, 7):
            assert send(follows, state, line("a", X[at]), line("b", X[-at - 1])) == expected[at]


def test_a_clean_end_leaves_one_file(path: Path) -> None:
    with session(path) as (follows, _, kept):
        send(follows, kept, line("a", X[0]))
        kept.save()
    assert [found.name for found in path.parent.iterdir() if not found.name.endswith(".lock")] == [path.name]
    with session(path) as (_, predictor, kept):
        assert predictor.steps_of(["a"]).tolist() == [1]
        before = path.stat().st_mtime_ns
        kept.save()
        assert path.stat().st_mtime_ns == before  # nothing moved


def test_an_entry_that_is_half_written_was_in_flight(path: Path) -> None:
    with session(path) as (follows, _, kept):
        for at in range(3):
            send(follows, kept, line("a", X[at]))
    journal = path.with_name(f"{path.name}.journal")
    journal.write_bytes(journal.read_bytes()[:-5])
    with session(path) as (follows, predictor, kept):
        assert predictor.steps_of(["a"]).tolist() == [2]
        (answer,) = send(follows, kept, line("a", X[2], step=2))
        np.testing.assert_allclose(answer["h"], alone(X[:3])[2])


def test_a_journal_that_was_saved_already_is_not_run_twice(path: Path) -> None:
    """It dies between writing the states and beginning a new journal."""
    with session(path) as (follows, predictor, kept):
        send(follows, kept, line("a", X[0]))
        kept.save()
        send(follows, kept, line("a", X[1]))
        predictor.save(path)
    with pytest.warns(UserWarning, match="ended just after it had saved them"), session(path) as (_, predictor, _):
        assert predictor.steps_of(["a"]).tolist() == [2]


def test_a_damaged_journal_is_named_and_kept(path: Path) -> None:
    with session(path) as (follows, _, kept):
        for at in range(3):
            send(follows, kept, line("a", X[at]))
    journal = path.with_name(f"{path.name}.journal")
    lines = journal.read_bytes().split(b"\n")
    journal.write_bytes(b"\n".join([lines[0], lines[1], b"???", lines[3], b""]))
    before = journal.read_bytes()
    with pytest.raises(ds.DataError, match=r"journal is damaged in line 3.*remove it to go on"), session(path):
        pass
    assert journal.read_bytes() == before


def test_the_journal_knows_what_was_forgotten_when(path: Path) -> None:
    with session(path, forget_after=10.0) as (follows, _, kept):
        send(follows, kept, line("a", X[0]), when=100.0)
        send(follows, kept, line("b", X[0]), when=200.0)
        send(follows, kept, line("a", X[1]), line("b", X[1], reset=True), when=201.0)
    with session(path, forget_after=10.0) as (follows, predictor, kept):
        assert predictor.steps_of(["a", "b"]).tolist() == [1, 1]
        (answer,) = send(follows, kept, line("a", X[2]), when=202.0)
        np.testing.assert_allclose(answer["h"], alone(X[1:3])[1])


def test_one_process_at_a_time(path: Path) -> None:
    with session(path), pytest.raises(ds.DataError, match="another process keeps its states in"), session(path):
        pass


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ds.DataError, match="there is no folder"), session(tmp_path / "no" / "a.safetensors"):
        pass


def test_the_states_of_another_model(path: Path) -> None:
    with session(path) as (follows, _, kept):
        send(follows, kept, line("a", X[0]))
        kept.save()
    before = path.read_bytes()
    torch.manual_seed(1)
    other = StatefulPredictor(LSTM(2, 3, num_layers=2, dtype=torch.float64))
    with pytest.raises(ds.DataError, match="another model"), KeptState(path, other).held(lambda _: None):
        pass
    assert path.read_bytes() == before


def test_a_disk_that_is_full(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with session(path) as (follows, predictor, kept):
        send(follows, kept, line("a", X[0]))
        kept.save()
        send(follows, kept, line("a", X[1]))

        def full(_: Path) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(predictor, "save", full)
        with pytest.raises(ds.RunError, match="could not be written"):
            kept.save()
    with session(path) as (_, predictor, _):
        assert predictor.steps_of(["a"]).tolist() == [2]


def test_a_journal_whose_first_line_is_damaged_is_kept(path: Path) -> None:
    with session(path) as (follows, _, kept):
        send(follows, kept, line("a", X[0]))
    journal = path.with_name(f"{path.name}.journal")
    journal.write_bytes(b"?" + journal.read_bytes())
    before = journal.read_bytes()
    with pytest.raises(ds.DataError, match="journal is damaged in line 1"), session(path):
        pass
    assert journal.read_bytes() == before


def test_a_journal_of_another_model_is_refused_before_anything_was_saved(path: Path) -> None:
    with session(path) as (follows, _, kept):
        send(follows, kept, line("a", X[0]))
    torch.manual_seed(1)
    other = StatefulPredictor(LSTM(2, 3, num_layers=2, dtype=torch.float64))
    with pytest.raises(ds.DataError, match="another model"), KeptState(path, other).held(lambda _: None):
        pass
    with session(path) as (_, predictor, _):
        assert predictor.steps_of(["a"]).tolist() == [1]


def test_a_journal_of_other_states_is_set_aside(path: Path) -> None:
    """Somebody put an older file in the place of the states."""
    with session(path) as (follows, _, kept):
        send(follows, kept, line("a", X[0]))
        kept.save()
        older = path.read_bytes()
        send(follows, kept, line("a", X[1]))
        kept.save()
        send(follows, kept, line("a", X[2]))
    path.write_bytes(older)
    with (
        pytest.warns(UserWarning, match=r"follows on other states.*set aside as .*journal\.old"),
        session(path) as parts,
    ):
        assert parts[1].steps_of(["a"]).tolist() == [1]
    assert path.with_name(f"{path.name}.journal.old").exists()


def test_two_names_of_one_file_are_one_place(path: Path) -> None:
    link = path.with_name("link.safetensors")
    link.symlink_to(path)
    with session(path), pytest.raises(ds.DataError, match="another process keeps its states in"), session(link):
        pass


def test_a_folder_in_place_of_the_file(path: Path) -> None:
    path.mkdir()
    with pytest.raises(ds.DataError, match="is a folder; name a file in it"), session(path):
        pass


def test_lines_run_again_as_they_ran(path: Path) -> None:
    """What is forgotten for room depends on what ran together; lines that were refused part nothing."""
    with session(path, max_streams=2) as (follows, predictor, kept):
        send(follows, kept, line("a", X[0]), line("b", X[1]), line("c", X[2], step=7), line("a", X[3]))
        send(follows, kept, line("c", X[4]))
        expected, steps = predictor.streams, predictor.steps_of(predictor.streams)
    with session(path, max_streams=2) as (_, predictor, _):
        assert predictor.streams == expected
        np.testing.assert_array_equal(predictor.steps_of(expected), steps)
