"""The built-in real data sets: `drystone.read(name)` reads them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from drystone.core.errors import DataError


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """One built-in data set.

    Args:
        name: what it is called.
        file: its file in this folder.
        target: the field to predict.
        split_column: the field that says "train" or "test".
        settings: of training, where they differ from the defaults; found by cross-validation in the training part.
        source: where it comes from.
        licence: under which terms it may be used.
    """

    name: str
    file: str
    target: str
    split_column: str
    settings: Mapping[str, Any]
    source: str
    licence: str


DATASETS = (
    Dataset(
        name="japanese-vowels",
        file="japanese_vowels.parquet",
        target="speaker",
        split_column="part",
        settings=MappingProxyType({"noise": 1.25}),
        source="Kudo, Toyama and Shimbo (1999), UCI Machine Learning Repository, https://doi.org/10.24432/C5NS47",
        licence="CC BY 4.0",
    ),
)


def names() -> tuple[str, ...]:
    """Returns the names of the built-in data sets."""
    return tuple(dataset.name for dataset in DATASETS)


def find(name: str) -> Dataset:
    """Returns the record of a built-in data set.

    Raises:
        DataError: there is none of this name.
    """
    for dataset in DATASETS:
        if dataset.name == name:
            return dataset
    raise DataError(f"there is no built-in data set {name!r}; there are: {', '.join(names())}.")


def path(name: str) -> Path:
    """Returns the file of a built-in data set.

    Raises:
        DataError: there is none of this name.
    """
    return Path(__file__).parent / find(name).file
