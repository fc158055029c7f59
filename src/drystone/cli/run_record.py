"""What a run folder says of its run, read without a framework."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from math import isnan
from pathlib import Path
from typing import Any

from drystone.core.errors import ConfigError, RunError
from drystone.train.folder import names
from drystone.train.folder.lock import is_locked
from drystone.train.folder.manifest import Manifest
from drystone.train.settings import Settings
from drystone.train.tasks.known import TASKS
from drystone.train.watch.metrics_log import read_metrics

FINISHED, TRAINING, STOPPED, DAMAGED = "finished", "training", "stopped", "damaged"
MAX_BYTES = 1 << 20  # of files that are proved each time; weights may be large


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One line of `drystone runs`.

    Args:
        path: the run folder.
        status: "finished", "training" (now, by a process that holds it), "stopped" or "damaged".
        problem: what is damaged, or "".
        started: when, in UTC; of a damaged folder whose files do not say it, when it was last changed.
        data: where the sequences came from, if the run knows it.
        task: what was learned: "classify", "regress", "forecast".
        target: the field that is predicted.
        epochs: that were ended.
        max_epochs: the limit, if it is one of epochs.
        monitor: the validation figure that decides.
        best: the best value of it, where there is a validation part on which it is a number.
        figure: what runs of its task are known by: "accuracy", "rmse".
        test: that figure, where training is finished and there is a test part on which it is a number.
    """

    path: Path
    status: str
    started: datetime
    problem: str = ""
    data: str | None = None
    task: str | None = None
    target: str | None = None
    epochs: int = 0
    max_epochs: int | None = None
    monitor: str | None = None
    best: float | None = None
    figure: str | None = None
    test: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values, for JSON."""
        return asdict(self) | {"path": str(self.path), "started": self.started.isoformat(timespec="seconds")}


def is_run_folder(path: Path) -> bool:
    """Returns whether the folder is that of a run, even if files of it are missing."""
    return (path / names.MANIFEST).is_file() or all((path / name).is_file() for name in (names.SETTINGS, names.SPLIT))


def record_of(path: Path, *, prove_all: bool) -> RunRecord:
    """Reads a run folder; what is wrong with it is in the record.

    Args:
        path: of a run folder.
        prove_all: whether checksums of large files are compared too.
    """
    try:
        return _whole(path, None if prove_all else MAX_BYTES)
    except (RunError, ConfigError, OSError, ValueError, KeyError, TypeError) as error:
        words = str(error) if isinstance(error, (RunError, ConfigError, OSError)) else f"{path} is damaged: {error!r}."
        changed = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        return RunRecord(path=path, status=DAMAGED, problem=words, started=changed)


def _whole(path: Path, max_bytes: int | None) -> RunRecord:
    manifest = Manifest.read(path)
    manifest.check(path, max_bytes)
    settings = Settings.load(path / names.SETTINGS)
    environment = json.loads((path / names.ENVIRONMENT).read_text(encoding="utf-8"))
    metrics = read_metrics(path / names.METRICS) if (path / names.METRICS).is_file() else []
    valid = _numbers(metrics, "valid", settings.monitor)
    assert settings.task is not None
    about = TASKS[settings.task]
    better = max if about.figures[settings.monitor].higher_is_better else min
    tests = _numbers(metrics, "test", about.figure)
    is_finished = manifest.status == "finished"
    return RunRecord(
        path=path,
        status=FINISHED if is_finished else TRAINING if is_locked(path) else STOPPED,
        started=datetime.fromisoformat(environment["started"]),
        data=settings.data,
        task=settings.task,
        target=settings.target,
        epochs=max((record["epoch"] for record in metrics if record["part"] == "train"), default=0),
        max_epochs=settings.epochs,
        monitor=settings.monitor if valid else None,
        best=better(valid) if valid else None,
        figure=about.figure,
        test=tests[-1] if tests and is_finished else None,
    )


def _numbers(metrics: Sequence[Mapping[str, Any]], part: str, figure: str) -> list[float]:
    return [record[figure] for record in metrics if record["part"] == part and not isnan(record[figure])]
