"""Categories: text, whole numbers or bools, as numbers from 1; 0 stands for what training did not see."""

import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from drystone.core.errors import DataError
from drystone.core.lengths import place_of
from drystone.core.sequences import Sequences
from drystone.core.words import so_many

MISSING = ""
"""The category of what is missing, where that is one."""

LARGEST = np.iinfo(np.int64).max
LARGEST_EXACT = 2.0**53  # beyond it, two different whole numbers can become one float

Categories = tuple[str | int | bool, ...]


def categories_of(blocks: Iterable[npt.NDArray[Any]], *, with_missing: bool) -> Categories:
    """Returns the categories that occur, sorted.

    Args:
        blocks: arrays of text, whole numbers or bools; what is missing is None, "" or NaN.
        with_missing: whether missing text is a category of its own, where some is.
    """
    found: set[Any] = set()
    is_missing = False
    for values in blocks:
        known = known_values(values)
        found.update(np.unique(as_whole(values)[known]).tolist())
        is_missing |= with_missing and values.dtype.kind == "O" and not known.all()
    return (*([MISSING] if is_missing else []), *sorted(found))


def as_whole(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Returns whole numbers that were read as fractions, since some miss, as whole numbers, 0 for those; others as they are."""
    return np.nan_to_num(values, posinf=0.0, neginf=0.0).astype(np.int64) if values.dtype.kind == "f" else values


def are_whole(values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Returns which numbers have no fraction; what is missing counts as whole."""
    if values.dtype.kind != "f":
        return np.ones(len(values), dtype=bool)
    return np.isnan(values) | ((values == np.floor(values)) & (np.abs(values) <= LARGEST_EXACT))


def known_values(values: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Returns which values are not missing: None, "" or NaN."""
    if values.dtype.kind == "O":
        return np.asarray(pc.fill_null(pc.not_equal(_text(values), MISSING), False))
    return ~np.isnan(values) if values.dtype.kind == "f" else np.ones(len(values), dtype=bool)


def codes_of(values: npt.NDArray[Any], categories: Categories) -> npt.NDArray[np.float64]:
    """Returns the number of each value's category, from 1, and 0 where it is none of them.

    Example:
        >>> codes_of(np.array(["b", "c", None, "a"], dtype=object), ("a", "b"))
        array([2., 0., 0., 1.])
    """
    if values.dtype.kind == "O":
        found = pc.index_in(pc.fill_null(_text(values), MISSING), value_set=pa.array(categories, pa.large_string()))
    else:
        known = as_array(categories)
        whole = as_whole(values)
        fits = _fits(whole, known.dtype) & known_values(values) & are_whole(values)
        found = pc.index_in(pa.array(whole.astype(known.dtype, copy=False), mask=~fits), value_set=pa.array(known))
    return np.asarray(pc.fill_null(found, -1)).astype(np.float64) + 1


def as_array(categories: Categories) -> npt.NDArray[Any]:
    """Returns categories as an array; NumPy alone would make fractions of whole numbers beyond those of int64."""
    is_large = any(isinstance(each, int) and each > LARGEST for each in categories)
    return np.array(categories, dtype=np.uint64 if is_large else None)


def _fits(values: npt.NDArray[Any], dtype: np.dtype[Any]) -> npt.NDArray[np.bool_]:
    """Returns which whole numbers a type of whole numbers holds; all values of other types."""
    if values.dtype.kind not in "iu" or dtype.kind not in "iu":
        return np.ones(len(values), dtype=bool)
    limits = np.iinfo(dtype)
    return np.asarray((values >= limits.min) & (values <= limits.max))


def warn_of_unknown(seqs: Sequences, name: str, codes: npt.NDArray[np.float64]) -> None:
    """Counts the values of a field that training did not see, and names the first.

    Args:
        seqs: the sequences.
        name: the field.
        codes: what `codes_of` returned for its values.
    """
    field = seqs.field(name)
    unknown = (codes == 0) & np.concatenate([known_values(block.values) for _, block in field.blocks()])
    if unknown.any():
        at = int(np.argmax(unknown))
        value = next(block.values[at - first] for first, block in field.blocks() if at < first + len(block.values))
        sequence, step = place_of(at, seqs.lengths) if field.per_step else (at, None)
        count = so_many(int(unknown.sum()), "value")
        warnings.warn(
            f"{count} of {name!r} {'was' if count.startswith('1 ') else 'were'} not seen in training, the first "
            f"{value.item() if isinstance(value, np.generic) else value!r} in {seqs.place(sequence, step)}; the model reads them as unknown.",
            stacklevel=2,
        )


def check_category(seqs: Sequences, name: str, kind_of_known: str) -> None:
    """Proves that a field can hold the categories of a model.

    Args:
        seqs: the sequences.
        name: the field.
        kind_of_known: what `kind_of` says of the categories.

    Raises:
        DataError: it holds something else.
    """
    field = seqs.field(name)
    found = kind_of(field.column.empty((1,)))
    is_whole = kind_of_known == "whole numbers" and found == "numbers"  # some may be missing
    if field.item_shape or not (is_whole or found == kind_of_known):
        raise DataError(f"field {name!r} is {field.describe()}; the model knows its categories as {kind_of_known}.")


def kind_of(values: npt.NDArray[Any]) -> str:
    """Returns "text", "whole numbers" or "bools"; "numbers" and "times" are no categories."""
    kinds = {"O": "text", "U": "text", "i": "whole numbers", "u": "whole numbers", "b": "bools", "M": "times"}
    return kinds.get(values.dtype.kind, "numbers")


def _text(values: npt.NDArray[Any]) -> pa.Array:
    return pa.array(values, type=pa.large_string(), from_pandas=True)
