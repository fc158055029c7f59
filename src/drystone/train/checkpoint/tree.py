"""Nests of tensors and plain values, taken apart into JSON and flat tensors, and put together again."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

KIND = "kind"  # the one key of a JSON object that stands for something else than an object


def taken_apart(state: Any) -> tuple[Any, dict[str, Tensor]]:
    """Returns what JSON can hold, and the tensors under names that it refers to.

    Numbers, text, bools, None, tensors, bytes, and any nest of lists, tuples and dicts of them.

    Raises:
        TypeError: something else is in it; the message says where.
    """
    tensors: dict[str, Tensor] = {}
    return _apart(state, "state", tensors), tensors


def put_together(tree: Any, tensors: Mapping[str, Tensor]) -> Any:
    """Returns the nest that `taken_apart` was given."""
    if isinstance(tree, list):
        return [put_together(part, tensors) for part in tree]
    if not isinstance(tree, dict):
        return tree
    kind = tree.get(KIND)
    if kind is None:
        return {name: put_together(part, tensors) for name, part in tree.items()}
    if kind == "tensor":
        return tensors[tree["name"]]
    if kind == "bytes":
        return tensors[tree["name"]].numpy().tobytes()
    parts = put_together(tree["parts"], tensors)
    return tuple(parts) if kind == "tuple" else {key: part for key, part in parts}


def _apart(state: Any, where: str, tensors: dict[str, Tensor]) -> Any:
    if state is None or isinstance(state, (bool, int, float, str)):
        return state
    if isinstance(state, Tensor):
        tensors[where] = state.detach().cpu().contiguous().clone()  # safetensors refuses tensors that share memory
        return {KIND: "tensor", "name": where}
    if isinstance(state, bytes):
        tensors[where] = torch.from_numpy(np.frombuffer(state, np.uint8).copy())
        return {KIND: "bytes", "name": where}
    if isinstance(state, list):
        return _listed(state, where, tensors)
    if isinstance(state, tuple):
        return {KIND: "tuple", "parts": _listed(state, where, tensors)}
    if isinstance(state, Mapping):
        parts = {key: _apart(part, f"{where}.{key}", tensors) for key, part in state.items()}
        if all(isinstance(key, str) for key in parts) and KIND not in parts:
            return parts
        return {KIND: "dict", "parts": [[_apart(key, where, tensors), part] for key, part in parts.items()]}
    raise TypeError(f"{where} is a {type(state).__name__}; a checkpoint holds numbers, text, tensors, lists and dicts.")


def _listed(state: "list[Any] | tuple[Any, ...]", where: str, tensors: dict[str, Tensor]) -> list[Any]:
    return [_apart(part, f"{where}.{number}", tensors) for number, part in enumerate(state)]
