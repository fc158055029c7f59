"""A full disk loses nothing that was saved, and says in a sentence what could not be written."""

import ctypes
import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
import torch

import drystone as ds
from drystone.core.sequences import Sequences
from drystone.train import Checkpoint, MetricsLog, Store
from drystone.train.folder.manifest import FILES, Manifest
from drystone.train.watch.metrics_log import read_metrics
from tests.faults.child import running
from tests.faults.points import Points, full_from
from tests.faults.small import SMALL, TARGET, check_equal, contents, partials_in, vowels, weights_of

SHORT: dict[str, Any] = {"updates": 2, "checkpoint_seconds": 0}


def fit(seqs: Sequences, path: Path) -> None:
    ds.fit(seqs, TARGET, out=path, **SMALL, **SHORT)


def fit_or_resume(seqs: Sequences, path: Path) -> None:
    """What a user does when there is space again."""
    if path.exists():
        ds.resume(path, seqs, progress=False)
    else:
        fit(seqs, path)


def check_refusal(error: ds.RunError, folder: Path, reason: int = errno.ENOSPC) -> None:
    """One sentence, which names a place in the folder, and why."""
    words = str(error)
    assert words.startswith(str(folder))
    assert "could not be written" in words
    assert os.strerror(reason) in words
    assert words.count(". ") == 0
    assert words.endswith(".")


def saved_in(path: Path) -> list[int]:
    """The updates of the checkpoints, all of which must be whole."""
    store = Store(path / "checkpoints")
    assert store.newest()[1] == []
    return store.updates()


@pytest.mark.slow
def test_full_from_a_point_on(whole: Callable[..., Path], seqs: Sequences, tmp_path: Path) -> None:
    counted = Points(tmp_path, lambda _: None)
    with counted.watched():
        fit(seqs, tmp_path / "counted")
    assert counted.count > 100
    for first in range(0, counted.count, 11):
        place = tmp_path / str(first)
        path, points = place / "run", Points(place, full_from(first))
        place.mkdir()
        with points.watched(), pytest.raises(ds.RunError) as caught:
            fit(seqs, path)
        check_refusal(caught.value, place)
        saved = saved_in(path)
        with points.watched(), pytest.raises(ds.RunError) as caught:
            fit_or_resume(seqs, path)
        check_refusal(caught.value, place)
        assert saved_in(path) == saved, f"full from point {first} on"
        fit_or_resume(seqs, path)
        check_equal(path, whole(**SHORT))


@pytest.mark.slow
def test_full_at_each_point_of_the_first_files(whole: Callable[..., Path], seqs: Sequences, tmp_path: Path) -> None:
    older = whole(**SHORT)
    for first in count():
        path = tmp_path / str(first) / "run"
        copytree(older, path)
        with Points(path.parent, full_from(first)).watched(), pytest.raises(ds.RunError) as caught:
            ds.fit(seqs, TARGET, out=path, overwrite=True, seed=1, **SMALL, **SHORT)
        check_refusal(caught.value, path.parent)
        if not path.exists():
            break  # refused between two names
        assert contents(path) == contents(older)
        assert [child.name for child in path.parent.iterdir()] == ["run"], f"full from point {first} on"
    assert first > 25
    assert contents(ds.resume(path).path) == contents(older)


def save(state: str, update: int) -> Callable[[Path], None]:
    return lambda folder: Store(folder).save(update, Checkpoint(state={"it": state}, best={"w": torch.zeros(9)}))


def newest(folder: Path) -> str:
    checkpoint, damages = Store(folder).newest()
    assert checkpoint is not None
    assert damages == []
    return checkpoint.state["it"]


def add_line(folder: Path) -> None:
    MetricsLog(folder / "metrics.jsonl").add("train", 1, 1, {"loss": 0.1, "steps": 3, "seconds": 0.0})


def begin(folder: Path) -> None:
    for name in FILES["finished"]:
        (folder / name).write_text(name)
    Manifest.of(folder, "training").save(folder)


@pytest.mark.parametrize(
    ("prepare", "write", "read"),
    [
        (save("first", 1), save("second", 2), newest),
        (save("first", 1), save("second", 1), newest),
        (add_line, add_line, lambda folder: len(read_metrics(folder / "metrics.jsonl"))),
        (begin, lambda folder: Manifest.of(folder, "finished").save(folder), lambda f: Manifest.load(f).status),
    ],
    ids=["checkpoint", "checkpoint in place of one", "line of metrics", "manifest"],
)
def test_full_at_each_point_of(
    prepare: Callable[[Path], None], write: Callable[[Path], None], read: Callable[[Path], Any], tmp_path: Path
) -> None:
    prepare(tmp_path)
    write(tmp_path)
    after = read(tmp_path)
    for first in count():
        folder = tmp_path / f"{first}"
        folder.mkdir()
        prepare(folder)
        before = read(folder)
        points = Points(folder, full_from(first))
        with points.watched(), suppress(ds.RunError):
            write(folder)
        if points.count <= first:
            break  # it was not refused
        assert read(folder) in (before, after), f"full from point {first} on"
        with points.watched(), pytest.raises(ds.RunError) as caught:
            write(folder)
        check_refusal(caught.value, folder)
        write(folder)
        assert read(folder) == after
        assert partials_in(folder) == []
    assert first > 1


def test_full_for_a_moment_only(whole: Callable[..., Path], seqs: Sequences, tmp_path: Path) -> None:
    for full in range(0, 80, 7):

        def at(number: int, full: int = full) -> None:
            if number == full:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        path = tmp_path / str(full) / "run"
        with Points(tmp_path, at).watched(), pytest.raises(ds.RunError):
            fit(seqs, path)
        fit_or_resume(seqs, path)
        check_equal(path, whole(**SHORT))


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limits of a process")
@pytest.mark.parametrize("limit", [0, 1, 100, 400, 800, 2000, 4000, 8000])
def test_files_may_not_grow_beyond_a_limit(
    limit: int, whole: Callable[..., Path], seqs: Sequences, tmp_path: Path
) -> None:
    """The system itself writes half a file, and refuses the rest."""
    path = tmp_path / "run"
    with limited(limit), pytest.raises(ds.RunError) as caught:
        fit(seqs, path)
    check_refusal(caught.value, tmp_path, errno.EFBIG)
    saved_in(path)
    fit_or_resume(seqs, path)
    check_equal(path, whole(**SHORT))


@contextmanager
def limited(num_bytes: int) -> Iterator[None]:
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


NOT_ALLOWED = 77
NEW_MOUNTS, NEW_USER = 0x00020000, 0x10000000  # of unshare
REMOUNT, PRIVATE = 0x20, 0x44000  # of mount


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="only Linux mounts without privileges")
def test_a_small_disk_of_its_own(whole: Callable[..., Path], tmp_path: Path) -> None:
    with running(_on_small_disks, tmp_path, weights_of(whole(**SHORT))) as process:
        pass
    if process.exitcode == NOT_ALLOWED:
        pytest.skip("this system lets nobody mount; the injected errors stand in for it")
    assert process.exitcode == 0


def _on_small_disks(disk: Path, expected: bytes) -> None:
    libc, user, group = ctypes.CDLL(None), os.getuid(), os.getgid()
    if libc.unshare(NEW_MOUNTS | NEW_USER) or libc.mount(None, b"/", None, PRIVATE, None):
        os._exit(NOT_ALLOWED)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"0 {user} 1")
    Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    refused, seqs, name = 0, vowels(), str(disk).encode()
    for kib in range(16, 120, 16):
        if libc.mount(b"small", name, b"tmpfs", 0, f"size={kib}k".encode()):
            os._exit(NOT_ALLOWED)
        path = disk / "run"
        try:
            fit(seqs, path)
        except ds.RunError as error:
            check_refusal(error, disk)
            refused += 1
        saved_in(path)
        assert not libc.mount(b"small", name, b"tmpfs", REMOUNT, b"size=64m")
        fit_or_resume(seqs, path)
        assert weights_of(path) == expected
        libc.umount2(name, 0)
    assert refused > 3
