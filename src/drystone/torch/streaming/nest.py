"""Nests of tensors: tuples, lists and dicts, taken apart and put together again."""

from collections.abc import Iterator
from typing import Any

from torch import Tensor

from drystone.core.errors import ShapeError


def leaves_of(nest: Any) -> list[Tensor]:
    """Returns the tensors of a nest, in the order of its structure.

    Raises:
        ShapeError: it holds something else.
    """
    if isinstance(nest, Tensor):
        return [nest]
    return [leaf for part in _parts(nest) for leaf in leaves_of(part)]


def structure_of(nest: Any) -> Any:
    """Returns what a nest is made of, as JSON can hold it: None is a tensor."""
    if isinstance(nest, Tensor):
        return None
    parts = [structure_of(part) for part in _parts(nest)]
    if type(nest) is dict:
        return {"dict": [list(pair) for pair in zip(sorted(nest), parts, strict=True)]}
    return {type(nest).__name__: parts}


def put_together(structure: Any, leaves: Iterator[Tensor]) -> Any:
    """Returns the nest of this structure over these tensors."""
    if structure is None:
        return next(leaves)
    ((kind, parts),) = structure.items()
    if kind == "dict":
        return {key: put_together(part, leaves) for key, part in parts}
    found = [put_together(part, leaves) for part in parts]
    return tuple(found) if kind == "tuple" else found


def _parts(nest: Any) -> list[Any]:
    if type(nest) is dict and all(isinstance(key, str) for key in nest):
        return [nest[key] for key in sorted(nest)]
    if type(nest) in (tuple, list):
        return list(nest)
    raise ShapeError(
        f"the state that the model returned holds a {type(nest).__name__}; "
        f"it must be a tensor, or plain tuples, lists or dicts (with texts as keys) of tensors."
    )
