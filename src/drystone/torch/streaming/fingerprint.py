"""A checksum of a model's weights, which tells models apart."""

import hashlib
from collections.abc import Iterable

import torch
from torch import Tensor, nn


def fingerprint_of(module: nn.Module | None) -> str:
    """Returns a checksum of the names, types, shapes and values of all weights and buffers; "" without a module."""
    return "" if module is None else checksum_of(module.state_dict().items())


def checksum_of(tensors: Iterable[tuple[str, object]], text: str = "") -> str:
    """Returns a checksum of a text and of named tensors, whatever their order; what is no tensor is left out."""
    total = hashlib.sha256(text.encode())
    for name, tensor in sorted(tensors, key=lambda pair: pair[0]):
        if isinstance(tensor, Tensor):
            total.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
            values = tensor.detach().cpu().contiguous().reshape(-1)
            if len(values):
                total.update(values.view(torch.uint8).numpy().data)
    return total.hexdigest()
