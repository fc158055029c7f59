"""In which type an LSTM runs: that of its weights, or, under autocast, the one that autocast asks for."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch


def is_autocast(device: torch.device) -> bool:
    """Returns whether autocast is on for a device; there are devices that know none, such as "meta"."""
    return torch.amp.is_autocast_available(device.type) and torch.is_autocast_enabled(device.type)


def run_dtype(device: torch.device, weights: torch.dtype) -> torch.dtype:
    """Returns the type; weights in float64 keep it, as in every layer under autocast."""
    if not is_autocast(device) or weights == torch.float64:
        return weights
    return torch.get_autocast_dtype(device.type)


def without_autocast(device: torch.device) -> AbstractContextManager[Any]:
    """Returns a context in which operators keep the types they are given: all were converted before."""
    return torch.autocast(device.type, enabled=False) if is_autocast(device) else nullcontext()
