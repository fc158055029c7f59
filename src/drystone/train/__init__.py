"""Ready-made training: `fit`, and the runs that it leaves.

Names are found on first use, so that settings and run folders can be read without a framework.
"""

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from drystone.train.libraries import need_libraries

if TYPE_CHECKING:
    from drystone.train.checkpoint.checkpoint import Checkpoint
    from drystone.train.checkpoint.store import Store
    from drystone.train.loop.evaluator import Evaluator
    from drystone.train.loop.events import Ended, EpochEnded, Evaluated, Event, Updated
    from drystone.train.loop.objective import Objective, Outcome
    from drystone.train.loop.recipe import Recipe
    from drystone.train.loop.trainer import Trainer
    from drystone.train.one_call import fit, resume
    from drystone.train.ranks.launch import current_ranks
    from drystone.train.run import Run
    from drystone.train.settings import Settings
    from drystone.train.tasks.task import Scores
    from drystone.train.watch.best import Best
    from drystone.train.watch.early_stopping import EarlyStopping
    from drystone.train.watch.metrics_log import MetricsLog
    from drystone.train.watch.progress import Progress
    from drystone.train.watch.saver import Saver
    from drystone.train.watch.tensorboard import TensorBoard

_HOMES: Mapping[str, str] = MappingProxyType(
    {
        "Best": "watch.best",
        "Checkpoint": "checkpoint.checkpoint",
        "EarlyStopping": "watch.early_stopping",
        "Ended": "loop.events",
        "EpochEnded": "loop.events",
        "Evaluated": "loop.events",
        "Evaluator": "loop.evaluator",
        "Event": "loop.events",
        "MetricsLog": "watch.metrics_log",
        "Objective": "loop.objective",
        "Outcome": "loop.objective",
        "Progress": "watch.progress",
        "Recipe": "loop.recipe",
        "Run": "run",
        "Saver": "watch.saver",
        "Scores": "tasks.task",
        "Settings": "settings",
        "Store": "checkpoint.store",
        "TensorBoard": "watch.tensorboard",
        "Trainer": "loop.trainer",
        "Updated": "loop.events",
        "current_ranks": "ranks.launch",
        "fit": "one_call",
        "resume": "one_call",
    }
)

__all__ = [
    "Best",
    "Checkpoint",
    "EarlyStopping",
    "Ended",
    "EpochEnded",
    "Evaluated",
    "Evaluator",
    "Event",
    "MetricsLog",
    "Objective",
    "Outcome",
    "Progress",
    "Recipe",
    "Run",
    "Saver",
    "Scores",
    "Settings",
    "Store",
    "TensorBoard",
    "Trainer",
    "Updated",
    "current_ranks",
    "fit",
    "resume",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'drystone.train' has no attribute {name!r}")
    need_libraries()
    return getattr(import_module(f"drystone.train.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
