"""The PyTorch side: batches as tensors, and an LSTM that runs over any of them."""

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

__all__ = [
    "LSTM",
    "BatchSampler",
    "BySequence",
    "CarriedState",
    "Collate",
    "LSTMRun",
    "Placed",
    "PreparedGrid",
    "TensorBatch",
    "batches",
    "by_sequence",
    "pool",
    "to_tensors",
]
