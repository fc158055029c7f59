"""The PyTorch side: batches as tensors, an LSTM that runs over any of them, and prediction over endless streams."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from drystone.core.extras import need

need("torch", "torch", "jaxtyping")

from drystone.torch.batch import TensorBatch, batches, to_tensors  # noqa: E402
from drystone.torch.by_sequence import BySequence, by_sequence  # noqa: E402
from drystone.torch.carried_state import CarriedState  # noqa: E402
from drystone.torch.collate import Collate  # noqa: E402
from drystone.torch.lstm import LSTM  # noqa: E402
from drystone.torch.lstm_run import LSTMRun  # noqa: E402
from drystone.torch.places import Placed  # noqa: E402
from drystone.torch.pool import pool  # noqa: E402
from drystone.torch.prepared import PreparedGrid  # noqa: E402
from drystone.torch.sampler import BatchSampler  # noqa: E402

if TYPE_CHECKING:
    from drystone.torch.streaming import StatefulPredictor

__all__ = [
    "LSTM",
    "BatchSampler",
    "BySequence",
    "CarriedState",
    "Collate",
    "LSTMRun",
    "Placed",
    "PreparedGrid",
    "StatefulPredictor",
    "TensorBatch",
    "batches",
    "by_sequence",
    "pool",
    "to_tensors",
]


def __getattr__(name: str) -> Any:
    if name == "StatefulPredictor":  # on first use: training needs no predictor
        return import_module("drystone.torch.streaming").StatefulPredictor
    raise AttributeError(f"module 'drystone.torch' has no attribute {name!r}")
