"""Training on the workers of a Ray cluster: what the driver does."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import ray
from ray.train import FailureConfig, RunConfig, ScalingConfig, TrainingFailedError
from ray.train.torch import TorchConfig, TorchTrainer

from drystone.core.errors import ConfigError, RunError
from drystone.readers.shards.cache import VARIABLE as CACHE
from drystone.train.data import Sources, options_for
from drystone.train.folder import names
from drystone.train.folder.create import check_free, next_free, restore
from drystone.train.folder.lock import refuse_locked
from drystone.train.folder.manifest import Manifest
from drystone.train.interrupts import interrupts_given_back
from drystone.train.ranks.launch import timeout_in
from drystone.train.ray.scan import read
from drystone.train.ray.sources import found, is_named, is_of_shards, shared
from drystone.train.ray.told import Told
from drystone.train.ray.worker import Work, identity, work
from drystone.train.run import Run
from drystone.train.settings import Settings

MAX_FAILURES = 3
FORWARDED = "DRYSTONE_"  # what such variables say to this process, they say to the workers


def fit(
    seqs: Any,
    target: str | None = None,
    *,
    workers: int | ScalingConfig = 2,
    run_config: RunConfig | None = None,
    valid: Any = None,
    test: Any = None,
    out: str | Path | None = None,
    overwrite: bool = False,
    **settings: Any,
) -> Run:
    """Trains as `drystone.fit` does, on the workers of a Ray cluster, run by Ray Train's TorchTrainer.

    Each worker is a rank. Where one is lost, Ray starts all of them anew, and they go on from the last checkpoint. Data in
    several files are first read by the whole cluster, with Ray Data. Sequences and tables in memory go to the workers
    through Ray's object store. Without a cluster, Ray starts one of this machine.

    Args:
        seqs: as in `drystone.fit`; a path must be one that driver and workers see.
        target: as in `drystone.fit`.
        workers: how many train, with one processor each; or Ray's ScalingConfig(num_workers=8, use_gpu=True), say.
        run_config: of Ray Train: how often workers may be lost, as `failure_config` says (three times where no `run_config` is given;
            one without `failure_config` means never), where Ray keeps its own records, callbacks, which hear figures.
        valid: the validation part, as in `drystone.fit`.
        test: the test part, as in `drystone.fit`.
        out: the run folder, on a disk that driver and workers see; by default a new one, runs/run-1, runs/run-2, ...
        overwrite: whether an older run in `out` may be replaced.
        **settings: any of `drystone.train.Settings`.

    Returns:
        The finished run.

    Raises:
        DataError, LayoutError, ConfigError, RunError, NotFiniteError: as `drystone.fit`; Ray does not try again then.
        RunError: workers were lost too often; what was saved can be gone on with.

    Example:
        >>> from drystone.train.ray import fit  # doctest: +SKIP
        >>> run = fit("/shared/data.parquet", "label", workers=8, out="/shared/runs/my-1")  # doctest: +SKIP
    """
    sources = found(Sources(train=seqs, valid=valid, test=test))
    given = {**({} if target is None else {"target": target}), **settings}
    checked = Settings.of(**{**sources.named(), **given})
    folder = Path(next_free("run") if out is None else out).absolute()
    restore(folder)
    check_free(folder, overwrite=overwrite)
    todo = Work(folder=folder, sources=sources, settings=given, overwrite=overwrite, older=identity(folder))
    return _train(todo, checked, workers, run_config)


def resume(
    path: str | Path,
    seqs: Any = None,
    *,
    workers: int | ScalingConfig = 2,
    run_config: RunConfig | None = None,
    valid: Any = None,
    test: Any = None,
) -> Run:
    """Goes on with a run that was stopped, as `drystone.resume` does, on any number of Ray's workers.

    Args:
        path: the run folder, on a disk that driver and workers see.
        seqs: what the run was made from, as in `drystone.resume`.
        workers: how many go on with it, as in `fit`; they need not be as many as before.
        run_config: of Ray Train, as in `fit`.
        valid: the validation part, where the run was made with such.
        test: the test part, likewise.

    Raises:
        RunError, ConfigError, DataError: as `drystone.resume`; or workers were lost too often.

    Example:
        >>> from drystone.train.ray import resume  # doctest: +SKIP
        >>> run = resume("/shared/runs/my-1", workers=4)  # doctest: +SKIP
    """
    folder = Path(path).absolute()
    restore(folder)
    if Manifest.read(folder).status == "finished":
        return Run.open(folder)
    refuse_locked(folder)
    settings = Settings.load(folder / names.SETTINGS)
    sources = found(Sources(train=seqs, valid=valid, test=test), settings)
    return _train(Work(folder=folder, sources=sources), settings, workers, run_config)


def _train(todo: Work, settings: Settings, workers: int | ScalingConfig, run_config: RunConfig | None) -> Run:
    scaling = _scaling(workers)
    torch_config = TorchConfig(
        backend="cpu:gloo,cuda:nccl" if scaling.use_gpu else "gloo",
        timeout_s=max(1, round(timeout_in(os.environ).total_seconds())),
    )
    if not ray.is_initialized():
        ray.init()
    for source in todo.sources.by_part().values():
        if is_of_shards(source):
            read(source, **options_for(source, settings))
    told = Told.new()
    trainer = TorchTrainer(
        work,
        train_loop_config={"work": replace(todo, sources=shared(todo.sources)), "told": told},
        scaling_config=scaling,
        torch_config=torch_config,
        run_config=_with_environment(run_config or RunConfig(failure_config=FailureConfig(max_failures=MAX_FAILURES))),
    )
    failure: TrainingFailedError | None = None
    try:
        with interrupts_given_back():  # Ray takes Ctrl-C over, and keeps it
            trainer.fit()
    except TrainingFailedError as error:
        failure = error
    except SystemExit as error:  # what Ray makes of Ctrl-C
        raise KeyboardInterrupt(_how_to_go_on(todo)) from error
    reason = told.heard() or (failure and RunError(_words_for(failure, todo)))
    if reason is not None:
        raise reason from failure
    return Run.open(todo.folder)


def _scaling(workers: int | ScalingConfig) -> ScalingConfig:
    if not isinstance(workers, int):
        return workers
    if workers < 1:
        raise ConfigError(f"workers is {workers}; expected at least 1, or a ScalingConfig.")
    return ScalingConfig(num_workers=workers)


def _with_environment(run_config: RunConfig) -> RunConfig:
    """Returns what Ray Train is told of the run, with what the environment says of drystone."""
    environment = dict(run_config.worker_runtime_env or {})
    said = {name: value for name, value in os.environ.items() if name.startswith(FORWARDED)}
    if CACHE in said:
        said[CACHE] = str(Path(said[CACHE]).expanduser().absolute())  # workers run in folders of their own
    return replace(run_config, worker_runtime_env=environment | {"env_vars": said | environment.get("env_vars", {})})


def _words_for(error: TrainingFailedError, todo: Work) -> str:
    failures: Mapping[int, Exception] = getattr(error, "worker_failures", {})
    named = "; ".join(f"rank {rank}: {_last_line(each)}" for rank, each in sorted(failures.items()))
    return f"Ray gave up the training: {named or _last_line(error)}. {_how_to_go_on(todo)}".rstrip()


def _last_line(error: Exception) -> str:
    return str(error).strip().splitlines()[-1].rstrip(".")


def _how_to_go_on(todo: Work) -> str:
    if identity(todo.folder) in (None, todo.older):
        return "Nothing of this run is kept."
    data = "" if all(is_named(source) for source in todo.sources.by_part().values()) else ", with the same data,"
    folder = str(todo.folder)
    return f"It can be gone on with{data} by drystone.train.ray.resume({folder!r}, ...) or drystone.resume({folder!r}, ...)."
