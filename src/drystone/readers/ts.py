"""The .ts files of the UCR/UEA time series archive.

The format: https://www.sktime.net/en/stable/api_reference/file_specifications/ts.html
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from drystone.core import build
from drystone.core.build import OnEmpty
from drystone.core.errors import DataError
from drystone.core.lengths import offsets_of
from drystone.core.origin import Origin
from drystone.core.sequences import Sequences

Line = tuple[int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What the lines before @data say.

    Args:
        num_dimensions: values a step, or None where the header leaves it to the data.
        has_class: whether each line ends in a class label.
        has_target: whether each line ends in a number to predict.
        classes: the class labels that may occur; any where empty.
    """

    num_dimensions: int | None
    has_class: bool
    has_target: bool
    classes: frozenset[str] = field(default_factory=frozenset)


def read_ts(path: Path, on_empty: OnEmpty) -> Sequences:
    """Reads a .ts file: the field `x` [steps, dimensions], and `y`, a text (class) or a number (target).

    Args:
        path: the file.
        on_empty: what happens to sequences of 0 steps.

    Raises:
        DataError: a line that breaks the format, or time stamps.
    """
    with path.open(encoding="utf-8-sig") as file:
        lines = _filled_lines(file)
        header = _header(lines, path.name)
        numbers, arrays, targets = _data(lines, header, path.name)
    if not arrays:
        raise DataError(f"{path.name} holds no sequences after @data.")
    per_sequence: dict[str, Any] = {"y": np.array(targets)} if header.has_class or header.has_target else {}
    bounds = offsets_of(np.array([len(array) for array in arrays]))
    parts = build.parts_from_ragged(bounds, {"x": np.concatenate(arrays)}, per_sequence)
    origin = Origin(name=path.name, unit="line", order=np.array(numbers))
    return Sequences.from_parts(parts, on_empty, origin=origin)


def _filled_lines(file: Iterable[str]) -> Iterator[Line]:
    """Yields the lines that say something, with their numbers."""
    for number, line in enumerate(file, start=1):
        text = line.strip()
        if text and not text.startswith("#"):
            yield number, text


def _header(lines: Iterator[Line], name: str) -> Header:
    tags: dict[str, list[str]] = {}
    for number, text in lines:
        if not text.startswith("@"):
            raise DataError(f"line {number} of {name} holds values before the line @data.")
        tag, *words = text[1:].split() or [""]
        if tag.lower() == "data":
            return _header_of(tags, name)
        tags[tag.lower()] = words
    raise DataError(f"{name} has no line @data, after which the sequences would follow.")


def _header_of(tags: dict[str, list[str]], name: str) -> Header:
    if _is_true(tags, "timestamps"):
        raise DataError(f"{name} has time stamps (@timeStamps true), which drystone does not read. Save it without.")
    return Header(
        num_dimensions=1 if _is_true(tags, "univariate") else _num_dimensions(tags, name),
        has_class=_is_true(tags, "classlabel"),
        has_target=_is_true(tags, "targetlabel"),
        classes=frozenset(tags.get("classlabel", [])[1:]),
    )


def _is_true(tags: dict[str, list[str]], tag: str) -> bool:
    return [word.lower() for word in tags.get(tag, [])[:1]] == ["true"]


def _num_dimensions(tags: dict[str, list[str]], name: str) -> int | None:
    if "dimensions" not in tags:
        return None
    words = " ".join(tags["dimensions"])
    if not words.isdecimal() or int(words) < 1:
        raise DataError(f"@dimensions of {name} is {words!r}; expected a whole number of at least 1.")
    return int(words)


def _data(
    lines: Iterator[Line], header: Header, name: str
) -> tuple[list[int], list[npt.NDArray[np.float64]], list[str | float]]:
    numbers: list[int] = []
    arrays: list[npt.NDArray[np.float64]] = []
    targets: list[str | float] = []
    num_dimensions = header.num_dimensions
    for number, text in lines:
        where = f"line {number} of {name}"
        dimensions = text.split(":")
        if header.has_class or header.has_target:
            targets.append(_target(dimensions.pop().strip(), header, where))
        num_dimensions = num_dimensions or len(dimensions)
        if len(dimensions) != num_dimensions:
            raise DataError(f"{where} has {len(dimensions)} dimensions; expected {num_dimensions}.")
        numbers.append(number)
        arrays.append(_steps(dimensions, where))
    return numbers, arrays, targets


def _target(word: str, header: Header, where: str) -> str | float:
    if header.has_target:
        return _number(word, where)
    if header.classes and word not in header.classes:
        raise DataError(f"{where} has the label {word!r}; the header lists {', '.join(sorted(header.classes))}.")
    return word


def _steps(dimensions: list[str], where: str) -> npt.NDArray[np.float64]:
    """Parses the dimensions of one sequence into [steps, dimensions]."""
    values = [_numbers(text, where) for text in dimensions]
    for index, other in enumerate(values):
        if len(other) != len(values[0]):
            raise DataError(
                f"{where} has {len(values[0])} steps in dimension 0 and {len(other)} in dimension {index}; "
                f"all dimensions of a sequence need one length."
            )
    return np.array(values, dtype=np.float64).T


def _numbers(text: str, where: str) -> list[float]:
    return [_number(word, where) for word in text.split(",")] if text.strip() else []


def _number(word: str, where: str) -> float:
    try:
        return float("nan") if word.strip() == "?" else float(word)
    except ValueError:
        raise DataError(f"{where} holds {word.strip()!r}, where a number (or ? for a missing one) belongs.") from None
