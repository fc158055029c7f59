"""Which steps of which sequences are for training, validation and test."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import ceil
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from drystone.core.errors import DataError, RunError
from drystone.core.lengths import Lengths
from drystone.core.sequences import Sequences
from drystone.core.shuffle import SPLIT, permutation
from drystone.core.storage import whole_file
from drystone.core.views.split import borders_of, part_between
from drystone.core.words import so_many

PARTS = ("train", "valid", "test")
FINGERPRINT = "drystone.fingerprint."  # and the part: what metadata of a saved split are called
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Runs:
    """Runs of consecutive steps, at most one a sequence; each attribute is [runs].

    Args:
        sequence: which sequence, rising.
        offset: its first step that belongs to the part.
        length: how many do.
    """

    sequence: Ints
    offset: Ints
    length: Ints

    def __len__(self) -> int:
        return len(self.sequence)

    @property
    def num_steps(self) -> int:
        """The steps of all runs together."""
        return int(self.length.sum())


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Split:
    """The parts of some sequences: whole sequences, or a run of the steps of each.

    Args:
        runs: of each of train, valid and test.
        fingerprints: of the parts that were sources of their own, so that they are known again: see `Schema.fingerprint_of`.
    """

    runs: Mapping[str, Runs]
    fingerprints: Mapping[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def of_wholes(cls, lengths: Lengths, parts: Mapping[str, Ints]) -> "Split":
        """Returns the split whose parts are whole sequences, given by their indices."""
        return cls(
            runs={
                name: Runs(sequence=found, offset=np.zeros_like(found), length=lengths[found])
                for name, found in parts.items()
            }
        )

    def is_of_wholes(self, lengths: Lengths) -> bool:
        """Returns whether all parts hold whole sequences, of these numbers of steps."""
        return all((runs.length == lengths[runs.sequence]).all() for runs in self.runs.values())

    def of_other_steps(self, before: Lengths, lengths: Lengths) -> "Split":
        """Returns the same parts of the same sequences with other steps, such as documents with a step a token.

        Args:
            before: how many steps each sequence had; where any has another number now, all parts hold whole sequences.
            lengths: how many it has now.
        """
        if (before == lengths).all():
            return self
        assert self.is_of_wholes(before)
        found = Split.of_wholes(lengths, {name: self.part(name) for name in self.runs})
        return replace(found, fingerprints=self.fingerprints)

    @property
    def train(self) -> Ints:
        """The indices of the sequences with steps in the training part, rising."""
        return self.part("train")

    @property
    def valid(self) -> Ints:
        """The indices of the sequences with steps in the validation part, rising."""
        return self.part("valid")

    @property
    def test(self) -> Ints:
        """The indices of the sequences with steps in the test part, rising."""
        return self.part("test")

    def part(self, name: str) -> Ints:
        """Returns the indices of the sequences with steps in one part, rising."""
        return self.runs[name].sequence

    def sequences(self, seqs: Sequences, name: str, context: Literal["before"] | int | None = None) -> Sequences:
        """Returns one part of the sequences that the split is of.

        Args:
            seqs: the sequences.
            name: of the part.
            context: how far the inputs of a run reach back before it, unscored: see `Sequences.split_by_time`.
        """
        runs = self.runs[name]
        if (runs.length == seqs.lengths[runs.sequence]).all():
            return seqs.select(runs.sequence)
        first = seqs.starts.copy()
        first[runs.sequence] += runs.offset
        stop = first.copy()
        stop[runs.sequence] += runs.length
        return part_between(seqs, (first, stop), context, f"{name} part")

    def in_words(self) -> str:
        """Returns how large the parts are, such as "train 80 steps, test 20 steps"."""
        is_whole = sum(map(len, self.runs.values())) == len(np.unique(np.concatenate([self.part(p) for p in PARTS])))
        sizes = {name: len(runs) if is_whole else runs.num_steps for name, runs in self.runs.items()}
        unit = "sequence" if is_whole else "step"
        return ", ".join(f"{name} {so_many(size, unit)}" for name, size in sizes.items() if size)

    def save(self, path: Path) -> None:
        """Writes a Parquet table of one row a run of steps: sequence, part, offset, length; fingerprints as metadata."""
        runs = [self.runs[name] for name in PARTS]
        columns: dict[str, Any] = {
            name: np.concatenate([getattr(each, name) for each in runs]) for name in ("sequence", "offset", "length")
        }
        parts = pa.array(np.repeat(np.array(PARTS, dtype=object), [len(each) for each in runs]), pa.string())
        known = {f"{FINGERPRINT}{part}": fingerprint for part, fingerprint in self.fingerprints.items()}
        table = pa.table(columns).add_column(1, "part", parts).replace_schema_metadata(known or None)
        with whole_file(path) as partial:
            pq.write_table(table.sort_by([("sequence", "ascending"), ("offset", "ascending")]), partial)

    @classmethod
    def load(cls, path: Path) -> "Split":
        """Reads a split that `save` wrote.

        Raises:
            RunError: the file is damaged.
        """
        try:
            table = pq.read_table(path, columns=["sequence", "part", "offset", "length"])
        except (pa.ArrowException, OSError) as error:
            raise RunError(f"{path} is not a whole split: {error}") from error
        parts = np.asarray(table["part"])
        columns = {name: np.asarray(table[name]) for name in ("sequence", "offset", "length")}
        runs = {name: Runs(**{key: each[parts == name] for key, each in columns.items()}) for name in PARTS}
        stored: dict[bytes, bytes] = table.schema.metadata or {}
        known = {name: stored.get(f"{FINGERPRINT}{name}".encode()) for name in PARTS}
        return cls(runs=runs, fingerprints={name: value.decode() for name, value in known.items() if value is not None})


def stratified(labels: npt.NDArray[Any], seed: int, valid_fraction: float, test_fraction: float) -> dict[str, Ints]:
    """Draws parts, each [sequences] rising, in which every class has its share.

    Each class is shuffled and cut by itself. The fractions are rounded so that errors do not add up over the
    classes, and every class keeps at least one sequence for training.

    Args:
        labels: [sequences], one class each.
        seed: of the draw.
        valid_fraction: the share of the validation part, 0 … 1.
        test_fraction: the share of the test part, 0 … 1.
    """
    order = permutation(len(labels), seed, 0, SPLIT)
    _, codes = np.unique(labels[order], return_inverse=True)
    parts: dict[str, list[Ints]] = {name: [] for name in PARTS}
    shares = {"valid": valid_fraction, "test": test_fraction}
    owed = dict.fromkeys(shares, 0.0)
    for code in range(int(codes.max()) + 1):
        members = order[codes == code]
        count = len(members)
        for name, share in shares.items():
            owed[name] += share * count
            wanted = round(owed[name])
            owed[name] -= wanted  # what a class is too small to give is not taken from others
            taken = max(0, min(wanted, ceil(share * count), len(members) - 1))
            parts[name].append(members[:taken])
            members = members[taken:]
        parts["train"].append(members)
    return {name: np.sort(np.concatenate(found)) for name, found in parts.items()}


def by_column(seqs: Sequences, name: str) -> dict[str, Ints]:
    """Returns the parts that a field of the data states, each [sequences] rising; it may repeat them at every step.

    Raises:
        DataError: a value that changes within a sequence, or is none of train, valid and test; or no sequence to train on.
    """
    values = seqs.collapsed(name).field(name).values
    wrong = ~np.isin(values.astype(object), PARTS)
    if wrong.any():
        at = int(np.argmax(wrong))
        raise DataError(
            f"field {name!r} of sequence {at} is {values.tolist()[at]!r}; expected one of {', '.join(PARTS)}."
        )
    parts = {part: np.flatnonzero(values == part) for part in PARTS}
    if len(parts["train"]) == 0:
        raise DataError(f'no sequence has "train" in field {name!r}.')
    return parts


def by_time(seqs: Sequences, valid_fraction: float, test_fraction: float) -> Split:
    """Returns the split into first, later and last steps: at times that divide all steps so, where there are times.

    Args:
        seqs: the sequences; `order_by` names their times.
        valid_fraction: the share of the validation part, 0 … 1; 0 for none.
        test_fraction: the share of the test part, 0 … 1; 0 for none.

    Raises:
        DataError: a part without a step, or times that are missing or fall.
    """
    shares = {"train": 1 - valid_fraction - test_fraction, "valid": valid_fraction, "test": test_fraction}
    wanted = {name: share for name, share in shares.items() if share}
    borders = borders_of(seqs, None, list(wanted.values()), None)
    runs = dict.fromkeys(PARTS, _NONE) | {
        name: _runs_between(seqs, *pair) for name, pair in zip(wanted, borders, strict=True)
    }
    for name in wanted:
        if not len(runs[name]):
            raise DataError(f"the {name} part holds no step; choose other fractions, or 0 for no part.")
    return Split(runs=runs)


def _runs_between(seqs: Sequences, lower: Ints, upper: Ints) -> Runs:
    first = np.maximum(lower, seqs.starts)
    length = np.minimum(upper, seqs.starts + seqs.lengths) - first
    kept = np.flatnonzero(length > 0)
    return Runs(sequence=kept, offset=(first - seqs.starts)[kept], length=length[kept])


_NONE = Runs(sequence=np.zeros(0, np.int64), offset=np.zeros(0, np.int64), length=np.zeros(0, np.int64))
