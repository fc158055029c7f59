"""In which type an LSTM runs: that of its weights, or, under autocast, the one that autocast asks for."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch


def run_dtype(device: torch.device, weights: torch.dtype) -> torch.dtype:
    """Returns the type; weights in float64 keep it, as in every layer under autocast."""
    if not torch.is_autocast_enabled(device.type) or weights == torch.float64:
        return weights
    return torch.get_autocast_dtype(device.type)


def without_autocast(device: torch.device) -> AbstractContextManager[Any]:
    """Returns a context in which operators keep the types they are given: all were converted before."""
    is_on = torch.is_autocast_enabled(device.type)
    return torch.autocast(device.type, enabled=False) if is_on else nullcontext()
