"""drystone: batches of sequences of unequal length, and LSTMs trained on them exactly."""

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from drystone.core.batch import Batch
from drystone.core.collate import collate
from drystone.core.errors import (
    AuditError,
    ConfigError,
    DataError,
    DrystoneError,
    LayoutError,
    MissingExtraError,
    NotFiniteError,
    PlanError,
    RankError,
    RunError,
    ShapeError,
    StreamError,
    StreamInputError,
)
from drystone.core.grid import Grid
from drystone.core.layouts import Bucketed, Layout, Packed, Padded, Stateful
from drystone.core.loader import Loader
from drystone.core.plan import Plan
from drystone.core.sequences import Sequences
from drystone.core.streams import Stream
from drystone.readers import read

if TYPE_CHECKING:
    from drystone.text import Vocabulary
    from drystone.train import Run, fit, resume

_ON_FIRST_USE = {  # so that importing drystone imports no framework and no tokenizers
    "Run": "drystone.train",
    "Vocabulary": "drystone.text",
    "fit": "drystone.train",
    "resume": "drystone.train",
}

__all__ = [
    "AuditError",
    "Batch",
    "Bucketed",
    "ConfigError",
    "DataError",
    "DrystoneError",
    "Grid",
    "Layout",
    "LayoutError",
    "Loader",
    "MissingExtraError",
    "NotFiniteError",
    "Packed",
    "Padded",
    "Plan",
    "PlanError",
    "RankError",
    "Run",
    "RunError",
    "Sequences",
    "ShapeError",
    "Stateful",
    "Stream",
    "StreamError",
    "StreamInputError",
    "Vocabulary",
    "collate",
    "fit",
    "read",
    "resume",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return version("drystone")
    if name in _ON_FIRST_USE:
        return getattr(import_module(_ON_FIRST_USE[name]), name)
    raise AttributeError(f"module 'drystone' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
