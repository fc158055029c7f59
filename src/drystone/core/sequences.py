"""Sequences of unequal length, as ragged columns over Arrow memory."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import cached_property
from hashlib import blake2b
from operator import index
from pathlib import Path
from typing import Any, Self, cast, overload

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from drystone.core import build, storage
from drystone.core.ahead import Ahead
from drystone.core.bounds import Bounds
from drystone.core.build import OnEmpty
from drystone.core.collapse import collapse
from drystone.core.column import Column
from drystone.core.errors import DataError
from drystone.core.field import Field
from drystone.core.from_memory import FromMemory
from drystone.core.lengths import Lengths
from drystone.core.origin import Origin
from drystone.core.views import ViewNote, Views
from drystone.core.words import so_many, span_of


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Sequences(FromMemory, Views):
    """Sequences of unequal length: fields with a value a step, and fields with a value a sequence.

    Make them with `from_arrays`, `from_ragged`, `from_padded`, `drystone.read` or `open`. The keys `sequence_id`,
    `order_by` and `text` name the fields that say which sequence it is, what orders its steps, and whose steps are the
    characters of one document a sequence. Selecting, slicing
    and views (`windows`, `cut`, `join`, `truncate`, `ahead`, `split_by_time`) copy no data; `notes` says what
    each view left out or repeated, `remarks` what reading put in order.

    Example:
        >>> seqs = Sequences.from_arrays(per_step={"x": [[1.0, 2.0, 3.0], [4.0]]}, per_sequence={"y": ["a", "b"]})
        >>> seqs
        Sequences(2 sequences of 1 to 3 steps; per step: x float64; per sequence: y text)
        >>> seqs[0]["x"], seqs[1]["y"]
        (array([1., 2., 3.]), 'b')
    """

    step_columns: Mapping[str, Column]
    sequence_columns: Mapping[str, Column]
    starts: npt.NDArray[np.int64]
    lengths: Lengths
    rows: npt.NDArray[np.int64]
    source_starts: npt.NDArray[np.int64]
    sources: npt.NDArray[np.int64] | None = None
    bounds: Bounds | None = None
    ahead_fields: Mapping[str, Ahead] = field(default_factory=dict[str, Ahead])
    notes: tuple[ViewNote, ...] = ()
    origin: Origin = field(default_factory=Origin)
    sequence_id: str | None = None
    order_by: str | None = None
    text: str | None = None
    dropped: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    remarks: tuple[str, ...] = ()

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Opens sequences that `save` wrote, memory-mapped: values are read when they are used.

        Raises:
            DataError: no such file, or not a whole file of sequences.
        """
        parts, keys = storage.open_parts(Path(path))
        return cls.from_parts(parts, "error", **keys)

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Writes the sequences as one Arrow file, which appears only when it is whole.

        Views are written as their steps, fields made by `ahead` as their values, and which steps are scored is
        kept. What lay past the end of a sequence, and the notes of views, are not.

        Raises:
            DataError: the file exists and `overwrite` is false, or its folder does not exist.
        """
        storage.save(self, Path(path), overwrite=overwrite)

    @classmethod
    def from_parts(cls, parts: build.Parts, on_empty: OnEmpty, **known: Any) -> Self:
        """Makes sequences of parts that are checked already; `known` are origin, keys and remarks."""
        whole = cls(
            step_columns=parts.step_columns,
            sequence_columns=parts.sequence_columns,
            starts=_fixed(parts.starts),
            lengths=_fixed(parts.lengths),
            rows=_fixed(np.arange(len(parts.lengths), dtype=np.int64)),
            source_starts=_fixed(parts.starts),
            bounds=parts.bounds,
            **known,
        )
        return whole._without_empty(on_empty)

    def _without_empty(self, on_empty: OnEmpty) -> Self:
        empty = np.flatnonzero(self.lengths == 0)
        if len(empty) == 0:
            return self
        if on_empty == "error":
            raise DataError(
                f"{self.place(int(empty[0]))} has length 0{self._more(len(empty))}; every sequence needs "
                f'at least 1 step. Drop it, or pass on_empty="drop" (--drop-empty).'
            )
        if len(empty) == len(self):
            raise DataError("every sequence has length 0; nothing is left.")
        return replace(self.select(np.flatnonzero(self.lengths)), dropped=empty)

    @staticmethod
    def _more(count: int) -> str:
        return f" (and {count - 1} more)" if count > 1 else ""

    def __len__(self) -> int:
        return len(self.lengths)

    @overload
    def __getitem__(self, key: int) -> dict[str, Any]: ...
    @overload
    def __getitem__(self, key: slice) -> Self: ...
    def __getitem__(self, key: int | slice) -> Any:
        if isinstance(key, slice):
            return self.select(np.arange(len(self))[key])
        at = self._number(key)
        return {name: self.field(name)[at] for name in self.field_names}

    def _number(self, key: object) -> int:
        try:
            number = index(cast("int", key))
        except TypeError:
            raise DataError(
                f"seqs[{key!r}]: pass a number or a slice; for a field use field(), for a list select()."
            ) from None
        if not -len(self) <= number < len(self):
            raise IndexError(f"there is no sequence {number}; there are {len(self)}.")
        return number % len(self)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (self[index] for index in range(len(self)))

    def select(self, indices: npt.ArrayLike) -> Self:
        """Returns the sequences at these indices, in this order, without copying values.

        Args:
            indices: whole numbers (negative ones count from the end), or one bool a sequence.

        Raises:
            DataError: an index out of range, or a bool array of another length.
        """
        chosen = build.check_indices(indices, len(self))
        return replace(
            self,
            starts=_fixed(self.starts[chosen]),
            lengths=_fixed(self.lengths[chosen]),
            rows=_fixed(self.rows[chosen]),
            sources=None if self.sources is None else _fixed(self.sources[chosen]),
            bounds=None if self.bounds is None else self.bounds.take(chosen),
            dropped=chosen[:0],
            remarks=(),
        )

    @property
    def field_names(self) -> tuple[str, ...]:
        """The names of all fields: those with a value a step first."""
        return (*self.step_columns, *self.ahead_fields, *self.sequence_columns)

    def field(self, name: str) -> Field:
        """Returns one field: its values, type and shape.

        Raises:
            DataError: there is no field of this name.
        """
        if name in self.step_columns:
            return Field(
                name=name, per_step=True, column=self.step_columns[name], starts=self.starts, lengths=self.lengths
            )
        if name in self.ahead_fields:
            ahead = self.ahead_fields[name]
            return Field(
                name=name,
                per_step=True,
                column=self.step_columns[ahead.source],
                starts=self.starts,
                lengths=self.lengths,
                offsets=ahead.offsets,
                ceiling=None if self.bounds is None else self.bounds.ceiling,
            )
        if name in self.sequence_columns:
            ones = np.ones_like(self.lengths)
            return Field(name=name, per_step=False, column=self.sequence_columns[name], starts=self.rows, lengths=ones)
        near = get_close_matches(str(name), self.field_names, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise DataError(f"there is no field {name!r}; the fields are: {', '.join(self.field_names)}.{hint}")

    def collapsed(self, name: str) -> Self:
        """Returns the sequences with a field that repeats one value at all steps made one with a value a sequence.

        Raises:
            DataError: there is no such field, its value changes within a sequence, or another looks ahead in it.
        """
        if name not in self.step_columns or not len(self):
            self.field(name)
            return self
        for other, ahead in self.ahead_fields.items():
            if ahead.source == name:
                raise DataError(f"field {name!r} holds the values of {other!r}; it needs a value a step.")
        values = collapse(self.field(name), self.place)
        return replace(
            self,
            step_columns={key: value for key, value in self.step_columns.items() if key != name},
            sequence_columns={key: self.field(key).compact for key in self.sequence_columns} | {name: values},
            rows=_fixed(np.arange(len(self), dtype=np.int64)),
            sources=self.source,
            text=None if name == self.text else self.text,
        )

    def place(self, sequence: int, step: int | None = None) -> str:
        """Returns words for a sequence, or a step of it, such as "sequence 3 (id 'pump-7'), step 12, line 40 of a.csv".

        A step is counted in this sequence; of one that a view made, the words say where it starts in its source.
        """
        source, start = int(self.source[sequence]), int(self.starts[sequence])
        known: list[str] = []
        if self.sequence_id is not None and self.sequence_id in self.sequence_columns:
            key = self.field(self.sequence_id)[sequence]
            known.append(f"{self.sequence_id} {repr(key) if isinstance(key, str) else key}")
        if self.notes:
            known.append(f"from step {start - int(self.source_starts[source])} of source sequence {source}")
        words = f"sequence {sequence} ({', '.join(known)})" if known else f"sequence {sequence}"
        if step is not None:
            words += f", step {step}"
        found = self.origin.where(start + (step or 0), source)
        return f"{words}, {found}" if found else words

    @cached_property
    def num_steps(self) -> int:
        """The steps of all sequences together."""
        return int(self.lengths.sum())

    def fingerprint(self, names: Sequence[str] | None = None) -> str:
        """Returns a short text that tells these sequences from others: a hash of lengths, values and the steps scored.

        Args:
            names: the fields that count; all by default.
        """
        digest = blake2b(self.lengths.tobytes(), digest_size=16)
        for name in self.field_names if names is None else names:
            field = self.field(name)
            digest.update(f"{name} {field.describe()}".encode())
            for content in field.content():
                digest.update(content)
        if not self.scores_every_step:
            for steps in self.scored_steps():
                digest.update(steps.tobytes())
        return digest.hexdigest()

    def to_arrow(self) -> pa.Table:
        """Returns a table of one row a sequence: lists for fields with a value a step."""
        return storage.to_table(self)

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def __repr__(self) -> str:
        per_step = ", ".join(
            f"{name} {self.field(name).describe()}"
            for name in (*self.step_columns, *self.ahead_fields)
            if name != self.text
        )
        per_sequence = ", ".join(f"{name} {self.field(name).describe()}" for name in self.sequence_columns)
        steps = span_of(int(self.lengths.min()), int(self.lengths.max()), "step") if len(self) else "0 steps"
        parts = [f"{so_many(len(self), 'sequence')} of {steps}"]
        parts += [f"text: {self.text}"] if self.text is not None else []
        parts += [f"per step: {per_step}"] if per_step else []
        parts += [f"per sequence: {per_sequence}"] if per_sequence else []
        parts += [f"{len(self.dropped)} empty ones dropped"] if len(self.dropped) else []
        parts += [*self.remarks, *(str(note) for note in self.notes)]
        return f"Sequences({'; '.join(parts)})"


def _fixed(array: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    view = array.view()
    view.setflags(write=False)
    return view
