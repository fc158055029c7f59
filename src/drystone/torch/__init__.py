"""The PyTorch side: batches as tensors, and an LSTM that runs over any of them."""

from drystone.core.extras import need

need("torch", "torch", "jaxtyping")

from drystone.torch.batch import TensorBatch, batches, to_tensors  # noqa: E402
from drystone.torch.collate import Collate  # noqa: E402
from drystone.torch.lstm import LSTM, LSTMRun  # noqa: E402
from drystone.torch.places import Placed  # noqa: E402
from drystone.torch.pool import pool  # noqa: E402
from drystone.torch.prepared import PreparedGrid  # noqa: E402
from drystone.torch.sampler import BatchSampler  # noqa: E402

__all__ = [
    "LSTM",
    "BatchSampler",
    "Collate",
    "LSTMRun",
    "Placed",
    "PreparedGrid",
    "TensorBatch",
    "batches",
    "pool",
    "to_tensors",
]
