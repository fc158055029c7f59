"""From the fields that were read to the numbers that batches hold."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from drystone.core.column import Column
from drystone.core.errors import DataError
from drystone.core.lengths import place_of, ranges
from drystone.core.sequences import Sequences
from drystone.train.features.calendar import PARTS
from drystone.train.features.categories import (
    MISSING,
    as_array,
    check_category,
    codes_of,
    kind_of,
    known_values,
    warn_of_unknown,
)
from drystone.train.features.documents import with_tokens
from drystone.train.features.feature import OF_TEXT, Feature, Features
from drystone.train.features.numbers import check_finite
from drystone.train.features.tokens import token_numbers, warn_of_all_unknown

FILL_IN = (
    " missing='ffill' (--missing ffill) repeats the last value, missing='indicator' tells the model which ones miss."
)


def encoded(seqs: Sequences, features: Features) -> Sequences:
    """Returns the sequences with the fields that batches hold, beside those that they have; documents with a step a token.

    Raises:
        DataError: a field is missing or of another type or shape, or a value misses that must not, or is infinite.
    """
    _check_all_there(seqs, features)
    seqs = with_tokens(seqs, features)
    for feature in features.fields:
        if feature.ahead:
            seqs = seqs.ahead(features.named(feature.of).field, range(1, feature.ahead + 1), name=feature.field)
        elif not feature.cuts_documents:
            check(seqs, feature)
            seqs = seqs if feature.is_as_read else _with_numbers(seqs, feature)
        if feature.kind == "tokens":
            warn_of_all_unknown(seqs, feature)
    return seqs


def _check_all_there(seqs: Sequences, features: Features) -> None:
    """Names every field that misses, before any is made that people did not name themselves."""
    missing = [repr(name) for name in features.sources if name not in seqs.field_names]
    if missing:
        which = ", an input of the model" if len(missing) == 1 else ", inputs of the model"
        raise DataError(
            f"there is no field {', '.join(missing)}{which}; the fields are: {', '.join(seqs.field_names)}."
        )


def check(seqs: Sequences, feature: Feature) -> None:
    """Proves that the sequences have the field of a feature, as it needs it.

    Raises:
        DataError: as `encoded`.
    """
    field = seqs.field(feature.source)
    if field.per_step is feature.is_per_sequence:
        kinds = {True: "step", False: "sequence"}
        raise DataError(
            f"field {feature.source!r} has a value a {kinds[field.per_step]}; the model was trained on one with a value a "
            f"{kinds[not field.per_step]}."
        )
    if feature.kind == "calendar":
        check_times(seqs, feature.source)
    elif feature.kind == "category":
        check_category(seqs, feature.source, kind_of(as_array(_known_categories(feature))))
        if feature.missing == "error":
            _check_known(seqs, feature.source)
    elif feature.kind in OF_TEXT:
        if not field.is_text:
            raise DataError(f"field {feature.source!r} is {field.describe()}; the model reads text there.")
        if feature.missing == "error":
            _check_known(seqs, feature.source)
    else:
        if not field.is_numeric:
            raise DataError(f"field {feature.source!r} is {field.describe()}; a feature needs numbers.")
        if field.item_shape != feature.shape:
            raise DataError(
                f"a step of field {feature.source!r} has shape {field.item_shape}; the model needs {feature.shape}."
            )
        is_strict = feature.missing == "error"
        check_finite(
            seqs, feature.source, "features", missing_allowed=not is_strict, remedy=FILL_IN if is_strict else ""
        )


def check_times(seqs: Sequences, name: str) -> None:
    """Raises DataError where a field does not hold timestamps, one a step."""
    field = seqs.field(name)
    if not field.per_step or field.column.empty(()).dtype.kind != "M":
        kind = "step" if field.per_step else "sequence"
        raise DataError(f"field {name!r} is {field.describe()} a {kind}; a calendar needs timestamps, one a step.")


def _known_categories(feature: Feature) -> tuple[Any, ...]:
    return tuple(category for category in feature.categories if category != MISSING) or (MISSING,)


def _check_known(seqs: Sequences, name: str) -> None:
    field = seqs.field(name)
    for first, block in field.blocks():
        known = known_values(block.values)
        if known.all():
            continue
        at = first + int(np.argmin(known))
        sequence, step = place_of(at, seqs.lengths) if field.per_step else (at, None)
        raise DataError(
            f"field {name!r} is missing in {seqs.place(sequence, step)}. Fill it in, or leave the sequence out.{FILL_IN}"
        )


def _with_numbers(seqs: Sequences, feature: Feature) -> Sequences:
    if feature.field in seqs.field_names:
        raise DataError(f"there is a field {feature.field!r}, which the inputs of {feature.name!r} need; rename it.")
    column = Column(_by_sequence(seqs, feature) if feature.is_per_sequence else _by_step(seqs, feature))
    return replace(seqs, step_columns={**seqs.step_columns, feature.field: column})


def _by_step(seqs: Sequences, feature: Feature) -> npt.NDArray[Any]:
    """Returns a number for every value of the column, whichever of them the sequences hold."""
    column = seqs.step_columns[feature.source]
    values = column.values if feature.kind in OF_TEXT else column.slice(0, len(column))
    if feature.missing == "ffill" and feature.kind not in OF_TEXT:
        values = filled_forward(values, seqs.source_starts)
    found = _numbers(values, feature)
    if feature.kind == "category":
        warn_of_unknown(seqs, feature.source, found[ranges(seqs.starts, seqs.lengths)])
    return found


def _by_sequence(seqs: Sequences, feature: Feature) -> npt.NDArray[Any]:
    """Returns the value of each sequence at all of its steps, and 0 at what no sequence holds."""
    found = _numbers(seqs.field(feature.source).values, feature)
    if feature.kind == "category":
        warn_of_unknown(seqs, feature.source, found)
    num_values = len(next(iter(seqs.step_columns.values())))
    result = np.zeros((num_values, *found.shape[1:]), found.dtype)
    result[ranges(seqs.starts, seqs.lengths)] = np.repeat(found, seqs.lengths, axis=0)
    return result


def _numbers(values: Any, feature: Feature) -> npt.NDArray[Any]:
    if feature.kind in OF_TEXT:
        return token_numbers(values, feature)
    if feature.kind == "category":
        return codes_of(values, feature.categories)
    return PARTS[feature.part].of(values) if feature.kind == "calendar" else values


def filled_forward(values: npt.NDArray[Any], starts: npt.NDArray[np.int64]) -> npt.NDArray[Any]:
    """Returns values with what misses replaced by the last one before it in the same sequence, where there is one.

    Args:
        values: [values, *shape]; None, "" or NaN is missing.
        starts: where sequences start.

    Example:
        >>> filled_forward(np.array([1.0, np.nan, np.nan, 4.0]), np.array([0, 2]))
        array([ 1.,  1., nan,  4.])
    """
    flat = values.reshape(len(values), -1)
    known = np.stack([known_values(column) for column in flat.T], axis=1)
    if known.all():
        return values
    at = np.arange(len(values))
    is_start = np.zeros(len(values), dtype=bool)
    is_start[starts] = True
    last = np.maximum.accumulate(np.where(known | is_start[:, None], at[:, None], 0), axis=0)
    return np.take_along_axis(flat, last, axis=0).reshape(values.shape)
