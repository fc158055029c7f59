"""Which sequences are for training, validation and test."""

from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from drystone.core.errors import DataError, RunError
from drystone.core.sequences import Sequences
from drystone.core.shuffle import SPLIT, permutation
from drystone.core.storage import whole_file

PARTS = ("train", "valid", "test")
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Split:
    """The indices of the sequences of each part, rising."""

    train: Ints
    valid: Ints
    test: Ints

    def part(self, name: str) -> Ints:
        """Returns the indices of one part."""
        return {"train": self.train, "valid": self.valid, "test": self.test}[name]

    def save(self, path: Path) -> None:
        """Writes a Parquet table of one row a sequence: sequence, part."""
        indices = np.concatenate([self.part(name) for name in PARTS])
        names = np.repeat(np.array(PARTS, dtype=object), [len(self.part(name)) for name in PARTS])
        table = pa.table({"sequence": indices, "part": pa.array(names, pa.string())})
        with whole_file(path) as partial:
            pq.write_table(table.sort_by("sequence"), partial)

    @classmethod
    def load(cls, path: Path) -> "Split":
        """Reads a split that `save` wrote.

        Raises:
            RunError: the file is damaged.
        """
        try:
            table = pq.read_table(path, columns=["sequence", "part"])
        except (pa.ArrowException, OSError) as error:
            raise RunError(f"{path} is not a whole split: {error}") from error
        parts, indices = np.asarray(table["part"]), np.asarray(table["sequence"])
        return cls(**{name: indices[parts == name] for name in PARTS})


def stratified(labels: npt.NDArray[Any], seed: int, valid_fraction: float, test_fraction: float) -> Split:
    """Draws a split in which every class has its share of every part.

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
    return Split(**{name: np.sort(np.concatenate(found)) for name, found in parts.items()})


def by_column(seqs: Sequences, name: str) -> Split:
    """Returns the split that a field of the data states.

    Raises:
        DataError: a value other than train, valid and test, or no sequence to train on.
    """
    field = seqs.field(name)
    if field.per_step:
        raise DataError(f"field {name!r} has a value a step; a split needs one of {', '.join(PARTS)} a sequence.")
    values = field.values
    wrong = ~np.isin(values.astype(object), PARTS)
    if wrong.any():
        at = int(np.argmax(wrong))
        raise DataError(f"field {name!r} of sequence {at} is {values[at]!r}; expected one of {', '.join(PARTS)}.")
    split = Split(**{part: np.flatnonzero(values == part) for part in PARTS})
    if len(split.train) == 0:
        raise DataError(f'no sequence has "train" in field {name!r}.')
    return split
