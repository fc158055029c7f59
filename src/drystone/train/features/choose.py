"""Which fields are inputs, and of which kind."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from drystone.core.arrow import column_to_arrow
from drystone.core.errors import ConfigError, DataError
from drystone.core.field import Field
from drystone.core.lengths import offsets_of
from drystone.core.sequences import Sequences
from drystone.readers.options import did_you_mean
from drystone.train.features.calendar import PARTS
from drystone.train.features.categories import are_whole, categories_of, kind_of, known_values
from drystone.train.features.encode import check, check_times
from drystone.train.features.feature import Feature, Features
from drystone.train.features.tokens import token_features
from drystone.train.features.wishes import Wishes
from drystone.train.targets import parts_of

MOST_CATEGORIES = 50  # of text: what has more is words, a name or a note


def choose_features(
    seqs: Sequences, wishes: Wishes, train: Sequences, target: str, *, target_is_input: bool = False
) -> Features:
    """Returns the inputs of a model.

    Args:
        seqs: all sequences.
        wishes: what was said of the inputs.
        train: the training part of the sequences, which tells the categories, and what misses.
        target: the field to predict; commas may separate several.
        target_is_input: whether it is an input as well, as of forecasts.

    Raises:
        DataError, ConfigError: a named field cannot be an input, or no field can.
    """
    parts = parts_of(target, seqs)
    hidden = {target, *parts} - set(parts if target_is_input else ())
    names = _usual(train, wishes, hidden, parts if target_is_input else ()) if wishes.names is None else wishes.names
    if not names and not wishes.calendar:
        if wishes.names is None:
            raise DataError(f"no field has values a step to learn from; the fields are: {', '.join(seqs.field_names)}.")
        raise DataError("features is empty; name at least one field.")
    if len(set(names)) < len(names):
        raise DataError(f"features names a field twice: {', '.join(names)}.")
    for name in names:
        if name in hidden:
            raise DataError(f"field {name!r} is the target; it cannot be a feature too.")
    for name in wishes.categories:
        if name not in names:
            raise ConfigError(f"categories names {name!r}, which is no feature; those are: {', '.join(names)}.")
    _check_known_ahead(wishes, {target, *parts})
    text = text_among(train, names, wishes.text.name)
    fields = [
        feature
        for name in names
        for feature in (
            token_features(train, name, wishes.text, wishes.missing)
            if name == text
            else [_feature(seqs, name, wishes, train)]
        )
    ]
    fields += [_calendar_feature(seqs, part) for part in wishes.calendar]
    for feature in fields:
        check(seqs, feature)
    fields += [_known_ahead(name, fields, wishes.horizon) for name in wishes.known_ahead]
    _check_names([field.name for field in fields])
    return Features(tuple(fields))


def _check_names(names: Sequence[str]) -> None:
    """Raises DataError where a field has the name of an input that is made of another."""
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DataError(
            f"two features are called {twice!r}; rename the field of that name, or leave it out of features."
        )


def _usual(train: Sequences, wishes: Wishes, hidden: Collection[str], wanted: Collection[str]) -> list[str]:
    """Returns the field that is said to be text alone; else the usual features, or, where there are none, what can only be text."""
    if wishes.text.name is not None:
        return [wishes.text.name]
    found = usual_features(train, hidden, wanted)
    if found or wishes.calendar:
        return found
    texts = [name for name in train.step_columns if name not in hidden and has_many_words(train, name)]
    if len(texts) > 1:
        raise DataError(
            f"the fields {', '.join(map(repr, texts))} hold text of many values; say with text= (--text) which of them holds "
            f"the words to read."
        )
    return texts


def text_among(train: Sequences, names: Collection[str], said: str | None) -> str | None:
    """Returns the feature whose values are words: the one that is said to be, or the only one of many values.

    Raises:
        ConfigError: what is said to be is no text, or no feature.
        DataError: several have many values.
    """
    if said is not None:
        if said not in names:
            raise ConfigError(f"text is {said!r}, which is no feature; those are: {', '.join(names)}.")
        field = train.field(said)
        if not field.is_text or not field.per_step:
            kind = "step" if field.per_step else "sequence"
            raise ConfigError(f"text is {said!r}, which is {field.describe()} a {kind}; words are text, one a step.")
        return said
    found = [name for name in names if has_many_words(train, name)]
    if len(found) > 1:
        raise DataError(
            f"the features {', '.join(map(repr, found))} hold text of many values; say with text= (--text) which of them "
            f"holds the words to read."
        )
    return found[0] if found else None


def has_many_words(train: Sequences, name: str) -> bool:
    """Returns whether a field has text a step, of more values than categories have."""
    field = train.field(name)
    if not (field.per_step and field.is_text):
        return False
    found: set[str | None] = set()
    for _, block in field.blocks():
        found.update(cast("pa.Array", block.compact.values).unique().to_pylist())
        if len(found - {None}) > MOST_CATEGORIES:
            return True
    return False


def usual_features(train: Sequences, hidden: Collection[str], wanted: Collection[str] = ()) -> list[str]:
    """Returns the fields with a value a step that can be inputs, but for the order, unnamed columns and what never changes.

    A number that never changes within any sequence is an id or a label more often than a measurement. Text counts where
    it has few values.

    Args:
        train: the training part; what other parts hold must not choose the inputs.
        hidden: the fields that are no inputs.
        wanted: those that are, even where they never change.
    """
    candidates = [name for name in train.step_columns if name not in (*hidden, train.order_by, "")]
    return [name for name in candidates if name in wanted or _can_tell_something(train, name)]


def _can_tell_something(train: Sequences, name: str) -> bool:
    field = train.field(name)
    if not field.is_numeric and not field.is_text:
        return False
    if has_many_words(train, name):
        return False
    return changes(train, name)


def changes(seqs: Sequences, name: str) -> bool:
    """Whether a field takes two values in some sequence, or all sequences have one step."""
    starts = np.zeros(seqs.num_steps, dtype=bool)
    starts[offsets_of(seqs.lengths)[:-1]] = True
    if starts.all():
        return True
    for first, block in seqs.field(name).blocks(overlap=1):
        values = _comparable(block)
        goes_on = ~starts[first + 1 : first + len(values)]
        if (values[1:][goes_on] != values[:-1][goes_on]).any():
            return True
    return False


def _comparable(field: Field) -> npt.NDArray[Any]:
    """Returns the values, texts as numbers that are equal where the texts are: there may be a great many."""
    if not field.is_text:
        return field.values
    return np.asarray(column_to_arrow(field.compact).dictionary_encode("encode").indices)


def _feature(seqs: Sequences, name: str, wishes: Wishes, train: Sequences) -> Feature:
    field = seqs.field(name)
    kind = kind_of(field.column.empty((1,)))
    if kind == "times":
        raise DataError(
            f"field {name!r} holds timestamps, which are no feature; calendar=('hour', 'weekday') (--calendar hour,weekday) "
            f"makes features of those that order the steps."
        )
    common = {"name": name, "is_per_sequence": not field.per_step, "missing": wishes.missing}
    blocks = (block.values for _, block in train.field(name).blocks())
    if kind != "text" and name not in wishes.categories:
        misses = wishes.missing == "indicator" and any(not known_values(values).all() for values in blocks)
        return Feature(**common, shape=field.item_shape, marks_missing=misses)
    if field.item_shape or (
        kind == "numbers" and not all(are_whole(block.values).all() for _, block in field.blocks())
    ):
        raise DataError(
            f"field {name!r} is {field.describe()}; categories are text, whole numbers or bools, one a step."
        )
    found = categories_of(blocks, with_missing=wishes.missing == "indicator")
    if not found:
        raise DataError(f"field {name!r} is missing everywhere in the training part; leave it out of the features.")
    return Feature(**common, kind="category", categories=found)


def _check_known_ahead(wishes: Wishes, targets: Collection[str]) -> None:
    """Raises ConfigError where the future of a target would be an input."""
    for name in wishes.known_ahead:
        if name in targets:
            raise ConfigError(f"known_ahead names {name!r}, the target, which no forecast knows ahead; leave it out.")


def _known_ahead(name: str, fields: Sequence[Feature], horizon: int) -> Feature:
    found = [field for field in fields if name in (field.name, field.part) and not field.is_per_sequence]
    if not found:
        names = [field.part or field.name for field in fields if not field.is_per_sequence]
        by_calendar = f" calendar=({name!r},) (--calendar {name}) makes it one." if name in PARTS else ""
        raise ConfigError(
            f"known_ahead names {name!r}, which is no feature with a value a step; those are: {', '.join(names)}."
            f"{by_calendar or did_you_mean(name, names)}"
        )
    (field,) = found
    return replace(field, name=f"{field.name} ahead", shape=(horizon, *field.shape), ahead=horizon, of=field.name)


def _calendar_feature(seqs: Sequences, part: str) -> Feature:
    if part not in PARTS:
        raise ConfigError(f"calendar names {part!r}; the parts are: {', '.join(PARTS)}.")
    if seqs.order_by is None:
        raise ConfigError(
            f"calendar is {part!r}, and nothing orders the steps: give order_by (--order-by), a field of timestamps."
        )
    check_times(seqs, seqs.order_by)
    return Feature(name=f"{part} of {seqs.order_by}", kind="calendar", source=seqs.order_by, part=part)
