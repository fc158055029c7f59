"""The inputs of a model: which fields they are, and the numbers that each becomes."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from math import prod
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch

from drystone.core.lengths import ranges
from drystone.core.sequences import Sequences
from drystone.text import Vocabulary
from drystone.torch.batch import TensorBatch
from drystone.train.features.numbers import Statistics, mean_and_spread
from drystone.train.features.wishes import Missing

Kind = Literal["numbers", "category", "calendar", "tokens", "spelling"]


OF_TEXT = ("tokens", "spelling")


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """One input.

    Args:
        name: what it is called: its field, or of a calendar "hour of TIME".
        shape: of one step of it.
        kind: numbers as they are; a category, given by its number; a part of a calendar, which comes round again; a token
            of text, given by its id; or the spelling of one, the ids of its characters.
        source: the field that it is read from.
        is_per_sequence: whether that has a value a sequence, which every step repeats.
        missing: what missing values become: refused; the last value before, if any, else the mean or the unknown category;
            or the mean, with an input that says so (`marks_missing`), or a category of their own.
        marks_missing: of numbers, whether an input says which are missing: where some were in the training part.
        categories: text, whole numbers or bools; the first has number 1, and 0 is what training did not see.
        part: of a calendar, which.
        ahead: how many of the next steps' values it holds, in place of its own, [ahead, *shape of one]: they are known
            before they come.
        of: of those, the feature that looks no step ahead.
        vocabulary: of tokens and their spelling.
    """

    name: str
    shape: tuple[int, ...] = ()
    kind: Kind = "numbers"
    source: str = ""
    is_per_sequence: bool = False
    missing: Missing = "error"
    marks_missing: bool = False
    categories: tuple[Any, ...] = ()
    part: str = ""
    ahead: int = 0
    of: str = ""
    vocabulary: Vocabulary | None = None

    def __post_init__(self) -> None:
        if not self.source:
            object.__setattr__(self, "source", self.name)

    @property
    def is_as_read(self) -> bool:
        """Whether batches hold the field as it was read."""
        return self.kind == "numbers" and not self.is_per_sequence and self.missing != "ffill" and not self.ahead

    @property
    def is_plain(self) -> bool:
        """Whether the model reads it as numbers of which none misses."""
        return self.kind == "numbers" and self.missing == "error"

    @property
    def cuts_documents(self) -> bool:
        """Whether its tokens, or what they are spelled like, are cut from documents, so that sequences get other steps."""
        return self.kind in OF_TEXT and self.vocabulary is not None and self.vocabulary.kind in ("words", "bpe")

    @property
    def field(self) -> str:
        """The field of numbers that batches hold."""
        return self.name if self.is_as_read else f"{self.name} as numbers"

    @property
    def size(self) -> int:
        """How many numbers a step of it has."""
        return prod(self.shape)

    @property
    def columns(self) -> tuple[str, ...]:
        """The name of each of its numbers: load, or x[0], x[1], ..."""
        return tuple(f"{self.name}[{', '.join(map(str, at))}]" if at else self.name for at in np.ndindex(self.shape))


@dataclass(frozen=True)
class Features:
    """The inputs of a model, in order."""

    fields: tuple[Feature, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields)

    @cached_property
    def batch_fields(self) -> tuple[str, ...]:
        """The fields of numbers that batches hold, of sequences that went through `encoded`."""
        return tuple(field.field for field in self.fields)

    @property
    def vocabulary(self) -> Vocabulary | None:
        """Of the text among them, if there is any."""
        return next((field.vocabulary for field in self.fields if field.vocabulary is not None), None)

    @property
    def cut_documents(self) -> bool:
        """Whether sequences get other steps, since documents are cut to words or byte pairs."""
        return any(field.cuts_documents for field in self.fields)

    @property
    def sources(self) -> tuple[str, ...]:
        """The fields that they are read from, each once."""
        return tuple(dict.fromkeys(field.source for field in self.fields))

    @property
    def columns(self) -> tuple[str, ...]:
        """The name of each number of one step, in the order of `matrix`: load, x[0], x[1], ..."""
        return tuple(column for field in self.fields for column in field.columns)

    @property
    def size(self) -> int:
        """The numbers of one step, of all fields together."""
        return sum(field.size for field in self.fields)

    @property
    def places(self) -> dict[str, slice]:
        """Where the numbers of each lie in `matrix`."""
        ends = np.cumsum([field.size for field in self.fields]).tolist()
        return {field.name: slice(end - field.size, end) for field, end in zip(self.fields, ends, strict=True)}

    def statistics(self, seqs: Sequences) -> Statistics:
        """Returns the mean and the standard deviation of each number, over all real steps; 1 for constant ones.

        What is no measurement, a category or a part of a calendar, has mean 0 and standard deviation 1.

        Args:
            seqs: that went through `encoded`.
        """
        known = [self._statistics_of(seqs, field) for field in self.fields]
        return np.concatenate([mean for mean, _ in known]), np.concatenate([spread for _, spread in known])

    def _statistics_of(self, seqs: Sequences, field: Feature) -> Statistics:
        if field.kind != "numbers":
            return np.zeros(field.size), np.ones(field.size)
        if not field.ahead:
            return mean_and_spread(seqs, field.field)
        mean, spread = mean_and_spread(seqs, self.named(field.of).field)  # those past the end are no values
        return np.tile(mean, field.ahead), np.tile(spread, field.ahead)

    def named(self, name: str) -> Feature:
        """Returns the feature of a name."""
        return next(field for field in self.fields if field.name == name)

    def are_known_ahead(self, seqs: Sequences) -> npt.NDArray[np.bool_]:
        """Returns [steps] where all inputs that look ahead lie in the sequence.

        Args:
            seqs: the sequences.
        """
        most = max(field.ahead for field in self.fields)
        left = np.repeat(seqs.bounds_of(np.arange(len(seqs))).ceiling, seqs.lengths) - ranges(seqs.starts, seqs.lengths)
        return left > most

    def matrix(self, batch: TensorBatch) -> torch.Tensor:
        """Returns the inputs of a batch side by side: float64 [rows, steps, size]."""
        return torch.cat([batch[name].reshape(*batch.shape, -1).double() for name in self.batch_fields], dim=2)

    def to_plain(self) -> list[dict[str, Any]]:
        """Returns what JSON can hold, and `from_plain` reads with the vocabulary."""
        plain = [asdict(replace(field, vocabulary=None)) for field in self.fields]
        return [{name: value for name, value in each.items() if name != "vocabulary"} for each in plain]

    @classmethod
    def from_plain(cls, plain: list[Mapping[str, Any]], vocabulary: Vocabulary | None = None) -> "Features":
        """Returns what `to_plain` wrote.

        Args:
            plain: what it returned.
            vocabulary: of the text among the features.
        """
        return cls(tuple(_from_plain(field, vocabulary) for field in plain))


def _from_plain(plain: Mapping[str, Any], vocabulary: Vocabulary | None) -> Feature:
    tuples = {name: tuple(plain[name]) for name in ("shape", "categories")}
    known = vocabulary if plain["kind"] in OF_TEXT else None
    return Feature(**{**plain, **tuples, "vocabulary": known})
