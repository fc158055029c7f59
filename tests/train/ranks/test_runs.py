"""Runs of several processes: one folder, the figures of one process, and an end for all where one is lost."""

import json
import signal
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

import drystone as ds
from drystone.core.errors import RankError
from tests.train.ranks import runs
from tests.train.ranks.processes import started, together, values

LAYOUTS: dict[str, dict[str, Any]] = {
    "padded": {"batch_size": 8},
    "bucketed": {"layout": "bucketed", "batch_size": 6, "num_buckets": 2},
    "packed": {"layout": "packed", "rows": 5, "steps": 30},
    "stateful": {"target": "tag", "layout": "stateful", "rows": 4, "steps": 6, "bidirectional": False},
}


def assert_equal(found: list[dict[str, Any]], expected: list[dict[str, Any]]) -> None:
    assert [flat.keys() for flat in map(numbers_of, found)] == [flat.keys() for flat in map(numbers_of, expected)]
    for here, there in zip(found, expected, strict=True):
        assert here["part"] == there["part"]
        assert numbers_of(here) == pytest.approx(numbers_of(there), rel=1e-10, abs=1e-10)


def numbers_of(record: dict[str, Any]) -> dict[str, float]:
    baselines = {
        f"{name} {figure}": value
        for name, each in record.get("baselines", {}).items()
        for figure, value in each.items()
    }
    return baselines | {name: value for name, value in record.items() if isinstance(value, (int, float))}


@pytest.mark.parametrize(
    "layout", [name if name == "stateful" else pytest.param(name, marks=pytest.mark.slow) for name in LAYOUTS]
)
def test_a_run_killed_on_one_rank_goes_on_on_another_number(layout: str, tmp_path: Path) -> None:
    settings = LAYOUTS[layout]
    expected = runs.fit(tmp_path / "one", **settings)
    first, second = together(2, runs.fit_until, "killed", 1, tmp_path / "run", settings)
    assert second.signal == signal.SIGKILL
    assert isinstance(first.error, RankError)
    assert "rank 1 of 2 is lost: the process died" in str(first.error)
    assert "resumable from its checkpoint of update" in first.error.__notes__[0]
    for found in values(3, runs.resume, tmp_path / "run"):
        assert_equal(found, expected)


def test_the_folder_is_that_of_one_process_but_for_a_line_on_waiting(tmp_path: Path) -> None:
    expected = runs.fit(tmp_path / "one", **LAYOUTS["padded"])
    for found in values(2, runs.fit_with, tmp_path / "two", LAYOUTS["padded"]):
        assert_equal(found, expected)
    names = [sorted(path.name for path in (tmp_path / run).iterdir()) for run in ("one", "two")]
    assert names[0] == names[1]
    record = next(record for record in ds.Run.open(tmp_path / "two").metrics if record["part"] == "ranks")
    assert len(record["waited"]) == 2
    assert all(0 < each < record["seconds"] for each in record["waited"])
    assert json.loads((tmp_path / "two" / "run.json").read_text())["status"] == "finished"


@pytest.mark.slow
@pytest.mark.parametrize(("what", "who"), [("killed", 0), ("raises", 1), ("raises", 0)])
def test_a_rank_that_is_lost_stops_the_others_at_once(what: str, who: int, tmp_path: Path) -> None:
    begun = monotonic()
    found = together(3, runs.fit_until, what, who, tmp_path / "run", LAYOUTS["padded"])
    assert monotonic() - begun < 50  # and not after the 60 seconds that a rank may take to answer
    for rank, came in enumerate(found):
        if rank != who:
            assert isinstance(came.error, RankError)
            assert f"rank {who} of 3 is lost" in str(came.error)
    assert isinstance(found[who].error, ZeroDivisionError) if what == "raises" else found[who].signal == signal.SIGKILL


@pytest.mark.slow
def test_a_rank_that_hangs_stops_the_others_in_time(tmp_path: Path) -> None:
    settings = LAYOUTS["padded"]
    with started(2, runs.fit_until, "hangs", 1, tmp_path / "run", settings, timeout=4) as (first, second):
        came = first.came()
        assert second.process.is_alive()
    assert isinstance(came.error, RankError)
    assert "rank 1 of 2 is lost" in str(came.error)
    assert "did not answer for 4 s" in str(came.error)


@pytest.mark.slow
@pytest.mark.parametrize("who", [0, 1])
def test_one_rank_that_is_asked_to_stop_stops_all_with_one_checkpoint(who: int, tmp_path: Path) -> None:
    settings = LAYOUTS["stateful"]
    found = values(2, runs.fit_until, "asked", who, tmp_path / "run", settings)
    assert found == [(False, signal.SIGTERM)] * 2
    expected = runs.fit(tmp_path / "one", **settings)
    assert_equal(runs.resume(tmp_path / "run"), expected)


UNLIKE = {
    "data": "the training part is",
    "values": "the fingerprint of the data is",
    "settings": "hidden_size is 4 on rank 0, and 5 on rank 2",
    "versions": "the version of torch is",
    "folder": "rank 2 of 3 does not see the run folder",
}


@pytest.mark.slow
@pytest.mark.parametrize("what", UNLIKE)
def test_ranks_that_see_something_else_are_refused_and_nothing_is_written(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for came in together(3, runs.fit_unlike, what, Path("run")):
        assert isinstance(came.error, RankError)
        assert UNLIKE[what] in str(came.error)
    assert [path.name for path in tmp_path.iterdir()] == (["elsewhere"] if what == "folder" else [])


@pytest.mark.slow
def test_what_one_rank_refuses_ends_all_and_that_one_says_why(tmp_path: Path) -> None:
    *others, last = together(3, runs.fit_unlike, "refused", tmp_path / "run")
    assert isinstance(last.error, ds.DataError)
    assert last.error.__notes__[-1] == "It is rank 2 of 3 that says so."
    for came in others:
        assert isinstance(came.error, RankError)
        assert came.error.is_told_elsewhere
    assert not (tmp_path / "run").exists()


def test_a_folder_in_the_way_is_refused_by_the_first_rank(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "letter.txt").write_text("dear")
    first, second = together(2, runs.fit_with, tmp_path / "run", {})
    assert isinstance(first.error, ds.RunError)
    assert "run exists" in str(first.error)
    assert isinstance(second.error, RankError)
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["letter.txt"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"batch_size": 2}, "3 processes share batches of at most 2 rows, so 1 of them have nothing to do but wait"),
        (
            {"layout": "packed", "rows": 4, "steps": 30},
            "the rows of a batch do not share out evenly among 3 processes, so they will wait 3",
        ),
    ],
)
def test_ranks_that_would_wait_are_warned_of_once_and_work(
    settings: dict[str, Any], expected: str, tmp_path: Path
) -> None:
    first, *others = values(3, runs.fit_and_count_warnings, tmp_path / "run", settings)
    assert [words for words in first if words.startswith(expected)]
    assert others == [[], []]


@pytest.mark.slow
def test_processes_train_again_after_an_error_of_all(tmp_path: Path) -> None:
    found = together(2, runs.fit_twice, tmp_path / "run")
    assert [came.error for came in found] == [None, None]
    assert all("is" in came.value and "of sequence" in came.value for came in found)
