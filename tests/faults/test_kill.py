"""A run that is killed with SIGKILL at any moment goes on to the same weights, to the bit."""

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import drystone as ds
from drystone.core.sequences import Sequences
from drystone.train import Checkpoint, Store
from tests.faults.child import Moment, killed, resume_until, running, save_until, train, train_until, wait, wait_for
from tests.faults.small import SMALL, TARGET, check_equal, contents, partials_in

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL"),
]

LONG: dict[str, Any] = {"epochs": 3, "checkpoint_seconds": 0}
NUM_UPDATES = 15  # of a long run
SEED = 20


def at_random(part: int) -> random.Random:
    return random.Random(f"{SEED} {part}")


def test_a_long_run_has_as_many_updates_as_the_moments_are_drawn_from(whole: Callable[..., Path]) -> None:
    assert Store(whole(**LONG) / "checkpoints").updates()[0] == NUM_UPDATES


@pytest.mark.parametrize("part", range(12))
def test_killed_at_a_random_moment(part: int, whole: Callable[..., Path], seqs: Sequences, tmp_path: Path) -> None:
    draw, path = at_random(part), tmp_path / "run"
    update, delay = draw.randrange(1, NUM_UPDATES - 6), draw.uniform(0, 0.05)
    store = Store(path / "checkpoints")
    with running(train, path, LONG) as process:
        wait_for(lambda: update in store.updates(), process)
        wait(delay)  # anywhere in the updates after it
        process.kill()
    assert process.exitcode == -9, f"not in mid-run: update {update}, {delay:.4f} s later"
    assert not ds.train.Run.open(path).is_finished
    ds.resume(path, seqs, progress=False)
    check_equal(path, whole(**LONG))


@pytest.mark.parametrize("part", range(12, 20))
def test_killed_while_a_checkpoint_is_written(
    part: int, whole: Callable[..., Path], seqs: Sequences, tmp_path: Path
) -> None:
    draw, path = at_random(part), tmp_path / "run"
    update, later = draw.randrange(2, NUM_UPDATES), draw.randrange(1, 9)
    name = f".update-{update:08d}."
    killed(train_until, Moment(change="os.mkdir", name=name, later=later), path, LONG)
    left = partials_in(path)
    assert [folder.name.startswith(name) for folder in left] == [True], f"update {update}, {later} files later"
    checkpoint, damages = Store(path / "checkpoints").newest()
    assert checkpoint is not None
    assert checkpoint.state["trainer"]["counts"]["updates"] in (update - 1, update)
    assert damages == []
    ds.resume(path, seqs, progress=False)
    check_equal(path, whole(**LONG))


def test_killed_several_times_in_one_run(whole: Callable[..., Path], seqs: Sequences, tmp_path: Path) -> None:
    path = tmp_path / "run"
    moments = [
        Moment(change="os.mkdir", name=".update-00000003.", later=4),
        Moment(change="os.rename", name="update-00000003"),
        Moment(change="os.rename", name="update-00000009", later=2),
        Moment(change="open", name="metrics.jsonl", number=9),
        Moment(change="os.rename", name="removed.partial", number=3, later=3),
    ]
    killed(train_until, moments[0], path, LONG)
    for moment in moments[1:]:
        killed(resume_until, moment, path)
    ds.resume(path, seqs, progress=False)
    check_equal(path, whole(**LONG))


SHORT: dict[str, Any] = {"epochs": 2, "checkpoint_seconds": 1e9}  # no checkpoint but that at the end


@pytest.mark.parametrize(
    "moment",
    [
        Moment(change="open", name="metrics.jsonl"),
        Moment(change="open", name="metrics.jsonl", number=3),
        Moment(change="os.mkdir", name=".update-00000010.", later=5),
        Moment(change="open", name="weights.safetensors"),
        Moment(change="os.rename", name="weights.safetensors"),
        Moment(change="open", name="metrics.jsonl", number=6),
        Moment(change="open", name="curves.png"),
        Moment(change="os.rename", name="run.json", number=1),
    ],
    ids=str,
)
def test_killed_where_a_run_begins_and_ends(
    moment: Moment, whole: Callable[..., Path], seqs: Sequences, tmp_path: Path
) -> None:
    path = tmp_path / "run"
    killed(train_until, moment, path, SHORT)
    run = ds.resume(path, seqs, progress=False)
    check_equal(path, whole(**SHORT))
    assert contents(ds.resume(path).path) == contents(run.path)


def test_killed_before_the_folder_has_its_name(whole: Callable[..., Path], seqs: Sequences, tmp_path: Path) -> None:
    path = tmp_path / "run"
    killed(train_until, Moment(change="open", name="plan.zip"), path, SHORT)
    with pytest.raises(ds.RunError, match="there is no run folder"):
        ds.resume(path, seqs)
    ds.fit(seqs, TARGET, out=path, **SMALL, **SHORT)
    check_equal(path, whole(**SHORT))


@pytest.mark.parametrize("was_there", [False, True], ids=["beside another", "in place of one of the same update"])
def test_a_checkpoint_killed_at_any_change_of_a_file_is_whole_or_not_there(was_there: bool, tmp_path: Path) -> None:
    later, is_killed = 0, True
    while is_killed:
        path = tmp_path / str(later)
        Store(path).save(1, Checkpoint(state={"it": "first"}, best=None))
        moment = Moment(change="os.mkdir", name=".update-", later=later)
        with running(save_until, moment, path, 1 if was_there else 2) as process:
            pass
        is_killed = process.exitcode != 0
        checkpoint, damages = Store(path).newest()
        assert checkpoint is not None, f"nothing is left, {later} changes later"
        assert checkpoint.state["it"] in (("first", "second") if is_killed else ("second",))
        assert damages == []
        Store(path).clean()
        Store(path).save(3, Checkpoint(state={"it": "third"}, best=None))
        Store(path).save(4, Checkpoint(state={"it": "fourth"}, best=None))
        assert sorted(child.name for child in path.iterdir()) == ["update-00000003", "update-00000004"]
        later += 1
    assert later > 10
