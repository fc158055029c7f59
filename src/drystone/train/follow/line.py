"""One line of input: JSON that names a stream and holds one or more steps of it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from drystone.core.errors import DataError
from drystone.train.features.categories import MISSING
from drystone.train.features.feature import OF_TEXT, Feature, Features
from drystone.train.features.tokens import token_numbers

STREAM, STEP, RESET = "stream", "step", "reset"
MAX_BYTES = 1 << 24  # of a line
Floats = npt.NDArray[np.float64]


class LineError(DataError):
    """A line that cannot be used.

    Args:
        field: which of its fields is to blame, if one is.
        words: what is wrong with it.
        stream: whose line it is, if it says so.
    """

    def __init__(self, field: str | None, words: str, stream: str | None = None) -> None:
        super().__init__(words)
        self.field = field
        self.stream = stream


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Line:
    """What a line says.

    Args:
        stream: whose steps they are.
        values: [steps, numbers], in the order of `Features.columns`.
        is_one: whether the line holds a single step, not a list of steps.
        step: the number of its first step in the stream, counted from 0, if it says so.
        reset: whether the stream starts anew with it.
    """

    stream: str
    values: Floats
    is_one: bool
    step: int | None = None
    reset: bool = False


def read_line(text: bytes, features: Features) -> Line:
    """Reads one line.

    Args:
        text: JSON: {"stream": "pump-7", "x": [0.1, 0.2]}; each input field holds one step, or a list of steps.
            A category is what it was in the data; what is missing is null, if the model knows what to make of it. "step"
            (of its first step) and "reset" (true: the stream starts anew) may be given too.
        features: the input fields of the model.

    Raises:
        LineError: it is no such line; the error says which field is to blame.

    Example:
        >>> features = Features((Feature(name="load"), Feature(name="x", shape=(2,))))
        >>> read_line(b'{"stream": "pump-7", "load": 1, "x": [2, 3]}', features).values
        array([[1., 2., 3.]])
    """
    record = _record(text)
    stream = _stream(record)
    try:
        parts = [_values(record, field) for field in features.fields]
        _check_lengths(parts, features)
        step, reset = _step(record), _reset(record)
    except LineError as error:
        error.stream = stream
        raise
    values = np.concatenate([found.reshape(len(found), -1) for found, _ in parts], axis=1)
    return Line(stream=stream, values=values, is_one=parts[0][1], step=step, reset=reset)


def _record(text: bytes) -> Mapping[str, Any]:
    if len(text) > MAX_BYTES:
        raise LineError(None, f"the line is longer than {MAX_BYTES:,} bytes. Send fewer steps in a line.")
    try:
        found = json.loads(text.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:  # not UTF-8, not JSON, a number of thousands of digits
        raise LineError(None, f"the line is no JSON: {error}.") from None
    if not isinstance(found, dict):
        raise LineError(None, f'the line is {_kind(found)}; expected an object such as {{"stream": "a", ...}}.')
    return found


def _stream(record: Mapping[str, Any]) -> str:
    found = record.get(STREAM)
    if not isinstance(found, str) or not found:
        what = "is missing" if STREAM not in record else "is empty" if found == "" else f"is {_kind(found)}"
        raise LineError(STREAM, f"field {STREAM!r} {what}; it must be text that names the stream.")
    return found


def _step(record: Mapping[str, Any]) -> int | None:
    found = record.get(STEP)
    if found is not None and (isinstance(found, bool) or not isinstance(found, int) or found < 0):
        raise LineError(STEP, f"field {STEP!r} is {found!r}; it must be a whole number ≥ 0, counted from 0.")
    return found


def _reset(record: Mapping[str, Any]) -> bool:
    found = record.get(RESET, False)
    if not isinstance(found, bool):
        raise LineError(RESET, f"field {RESET!r} is {_kind(found)}; it must be true or false.")
    return found


def _values(record: Mapping[str, Any], field: Feature) -> tuple[Floats, bool]:
    """Returns [steps, *shape], and whether the field holds a single step."""
    name = field.source if field.kind in OF_TEXT else field.name
    if name not in record:
        raise LineError(name, f"field {name!r} is missing.")
    found = record[name]
    if field.kind in OF_TEXT:
        found = _ids(found, field)
    elif field.kind == "category":
        found = _codes(found, field)
    elif field.missing == "indicator" and not field.shape:
        found = _without_null(found)
    _check_numbers(field.name, found)
    try:
        values = np.array(found, dtype=np.float64)
    except (ValueError, OverflowError):
        raise LineError(
            field.name, f"field {field.name!r} holds lists of unequal length, or numbers too large."
        ) from None
    is_one = values.ndim == len(field.shape)
    values = values[None] if is_one else values
    if values.shape[1:] != field.shape or values.ndim != len(field.shape) + 1:
        wanted = " × ".join(map(str, field.shape)) if field.shape else "1"
        got = " × ".join(map(str, values.shape[1:] if is_one or values.ndim > 1 else values.shape)) or "1"
        raise LineError(field.name, f"field {field.name!r} has {got} numbers a step; the model needs {wanted}.")
    if not len(values):
        raise LineError(field.name, f"field {field.name!r} holds no step.")
    finite = np.isfinite(values) if field.missing != "indicator" else ~np.isinf(values)
    if not finite.all():
        at = tuple(int(axis[0]) for axis in np.nonzero(~finite))
        where = "".join(f"[{number}]" for number in (at[1:] if is_one else at))
        raise LineError(
            field.name, f"field {field.name!r} is {values[at]} at {field.name}{where}; give finite numbers."
        )
    return values, is_one


def _codes(found: Any, field: Feature) -> Any:
    """Returns the number of a category, or a list of them."""
    if isinstance(found, list):
        return [_codes(each, field) for each in found]
    is_missing = found is None or found == MISSING
    if isinstance(found, dict) or (is_missing and field.missing != "indicator"):
        raise LineError(
            field.name,
            f"field {field.name!r} is {'empty' if found == MISSING else _kind(found)}; give a category, such as {json.dumps(field.categories[0])}.",
        )
    known = MISSING if is_missing else found
    same = [number for number, each in enumerate(field.categories, 1) if each == known and type(each) is type(known)]
    return same[0] if same else 0


def _ids(found: Any, field: Feature) -> Any:
    """Returns the numbers of a word, or a list of those of several."""
    words = found if isinstance(found, list) else [found]
    for word in words:
        if not isinstance(word, str) or not word:
            raise LineError(
                field.source, f"field {field.source!r} is {'empty' if word == '' else _kind(word)}; give a word."
            )
    numbers = token_numbers(words, field).tolist()
    return numbers if isinstance(found, list) else numbers[0]


def _without_null(found: Any) -> Any:
    if isinstance(found, list):
        return [_without_null(each) for each in found]
    return np.nan if found is None else found


def _check_numbers(name: str, value: Any, where: str = "") -> None:
    if isinstance(value, list):
        for number, part in enumerate(value):
            _check_numbers(name, part, f"{where}[{number}]")
    elif isinstance(value, bool) or not isinstance(value, (int, float)):
        raise LineError(name, f"field {name!r} is {_kind(value)} at {name}{where}; give a number.")


def _check_lengths(parts: list[tuple[Floats, bool]], features: Features) -> None:
    first, is_one = parts[0]
    for (values, each), field in zip(parts[1:], features.fields[1:], strict=True):
        if (len(values), each) != (len(first), is_one):
            raise LineError(
                field.name,
                f"field {field.name!r} holds {_steps(values, is_one=each)}, and {features.names[0]!r} "
                f"{_steps(first, is_one=is_one)}; all fields of a line need the same steps.",
            )


def _steps(values: Floats, *, is_one: bool) -> str:
    return "one step" if is_one else f"a list of {len(values)}"


def _kind(value: Any) -> str:
    kinds = {str: "text", bool: "true or false", list: "a list", dict: "an object", type(None): "null"}
    return kinds.get(type(value), "a number")
