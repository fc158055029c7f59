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
    return tuple(parts) if kind == "tuple" else dict(parts)


def _apart(state: Any, where: str, tensors: dict[str, Tensor]) -> Any:
    if state is None or isinstance(state, (bool, int, float, str)):
        return state
    if isinstance(state, (Tensor, bytes)):
        is_bytes = isinstance(state, bytes)
        value = torch.from_numpy(np.frombuffer(state, np.uint8).copy()) if is_bytes else state.detach().cpu()
        name = where
        while name in tensors:  # {"a": {"b": ...}, "a.b": ...}
            name += "'"
        tensors[name] = value.clone(memory_format=torch.contiguous_format)  # safetensors takes no shared memory
        return {KIND: "bytes" if is_bytes else "tensor", "name": name}
    if isinstance(state, (list, tuple)):
        parts = [_apart(part, f"{where}.{number}", tensors) for number, part in enumerate(state)]
        return {KIND: "tuple", "parts": parts} if isinstance(state, tuple) else parts
    if isinstance(state, Mapping):
        return _apart_by_key(state, where, tensors)
    raise TypeError(f"{where} is a {type(state).__name__}; a checkpoint holds numbers, text, tensors, lists and dicts.")


def _apart_by_key(state: Mapping[Any, Any], where: str, tensors: dict[str, Tensor]) -> dict[str, Any]:
    parts = [[key, _apart(part, f"{where}.{key}", tensors)] for key, part in state.items()]
    if all(isinstance(key, str) for key in state) and KIND not in state:
        return dict(parts)
    return {KIND: "dict", "parts": [[_apart(key, where, tensors), part] for key, part in parts]}
