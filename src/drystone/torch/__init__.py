"""The PyTorch side: batches as tensors, and an LSTM that runs over any of them."""

try:
    import jaxtyping  # noqa: F401
    import torch  # noqa: F401
except ModuleNotFoundError as error:
    from drystone.core.errors import MissingExtraError

    raise MissingExtraError("torch", error.name or "torch") from error

from drystone.torch.batch import TensorBatch, batches, to_tensors
from drystone.torch.lstm import LSTM, LSTMRun
from drystone.torch.pool import pool

__all__ = ["LSTM", "LSTMRun", "TensorBatch", "batches", "pool", "to_tensors"]
