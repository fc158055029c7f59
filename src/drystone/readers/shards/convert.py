"""One shard, read piece by piece into files of its columns."""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from drystone.core.arrow import is_list, is_text
from drystone.core.convert import in_words
from drystone.core.errors import DataError
from drystone.core.origin import Origin
from drystone.core.sequences import Sequences
from drystone.core.storage import KEYS
from drystone.readers.guard import reading
from drystone.readers.options import Options
from drystone.readers.shards.layers import layers_of
from drystone.readers.shards.pieces import pieces_of
from drystone.readers.shards.place import Place
from drystone.readers.shards.raw import RawFile, RawWriter
from drystone.readers.shards.schema import aligned
from drystone.readers.shards.shard import Shard
from drystone.readers.shards.store import LENGTHS, SCORED_FROM, SCORED_TO
from drystone.readers.table import one_step_a_row, sequences_from_table

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How all shards are read.

    Args:
        types: of their columns.
        options: what the caller said.
    """

    types: Mapping[str, pa.DataType]
    options: Options

    @property
    def rows_are_steps(self) -> bool:
        """Whether a row is a step, so that a shard is read as a whole."""
        return one_step_a_row(pa.schema(list(self.types.items())), self.options)


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldFiles:
    """The files of a field: of each layer one.

    Args:
        per_step: whether it has a value a step.
        kind: its values in words; those of all shards are equal.
        layers: by name.
    """

    per_step: bool
    kind: str
    layers: Mapping[str, RawFile]

    @property
    def in_words(self) -> str:
        return f"{self.kind}, one a {'step' if self.per_step else 'sequence'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """What a shard became.

    Args:
        shard: which.
        fields: by name; none where it holds no sequence.
        marks: the lengths of its sequences, and which steps are scored where not all are.
        keys: of its sequences.
        places: where they lie in the shard.
        num_sequences, num_steps: how many.
        dropped: the empty sequences that were left out, counted among all of the shard.
        remarks: what reading put in order.
    """

    shard: Shard
    fields: Mapping[str, FieldFiles] = field(default_factory=dict[str, FieldFiles])
    marks: Mapping[str, RawFile] = field(default_factory=dict[str, RawFile])
    keys: Mapping[str, str | None] = field(default_factory=dict[str, str | None])
    places: tuple[Place, ...] = ()
    num_sequences: int = 0
    num_steps: int = 0
    dropped: tuple[int, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Who watches while a shard is read.

    Args:
        tell: is told of the bytes that are read, as they are.
        is_stopped: whether to stop before the end.
    """

    tell: Callable[[float], None] = lambda _bytes: None
    is_stopped: Callable[[], bool] = lambda: False


def convert(shard: Shard, how: Reading, folder: Path, watch: Watch) -> Converted:
    """Reads a shard into files.

    Args:
        shard: which.
        how: it is read.
        folder: an empty one, for the files.
        watch: who watches.

    Raises:
        DataError: it cannot be read, or its values make no sequences; the message names it.
    """
    with ExitStack() as stack:
        found = _Growing(shard, folder, stack)
        row = 0
        for table, fraction in pieces_of(shard, whole=how.rows_are_steps):
            if watch.is_stopped():
                break
            seqs = _sequences_of(table, Origin(name=shard.name, first=row), how)
            if seqs is None:
                found.drop(table.num_rows)
            else:
                found.add(seqs, row)
            row += table.num_rows
            watch.tell(fraction * shard.num_bytes)
        return found.done()


def _sequences_of(table: pa.Table, origin: Origin, how: Reading) -> Sequences | None:
    """Returns the sequences of a piece; None where all are empty and left out."""
    assert origin.name is not None
    with reading(origin.name):  # apart from writing, whose errors are no fault of the shard
        piece = aligned(table, how.types)
        return None if _is_empty(piece, how.options) else sequences_from_table(piece, origin, how.options)


def _is_empty(table: pa.Table, options: Options) -> bool:
    """Whether no sequence of a piece has a step, where these are left out; as a whole it would be refused."""
    if options.on_empty != "drop":
        return False
    named = options.text if options.text in table.column_names and is_text(table[options.text].type) else None
    columns = [named] if named else [name for name in table.column_names if is_list(table[name].type)]
    if not columns or table[columns[0]].null_count:
        return False
    column = table[columns[0]]
    if named:
        return bool(pc.all(pc.or_(pc.equal(pc.utf8_length(column), 0), pc.utf8_is_space(column))).as_py())
    return not pc.max(pc.list_value_length(column)).as_py()


@final
class _Growing:
    """The files of a shard, while it is read."""

    def __init__(self, shard: Shard, folder: Path, stack: ExitStack) -> None:
        self._folder, self._stack = folder, stack
        self._writers: dict[tuple[str, str], RawWriter] = {}
        self._kinds: dict[str, tuple[bool, str]] = {}
        self._dropped: list[Ints] = []
        self._found = Converted(shard=shard)

    def drop(self, count: int) -> None:
        """Counts empty sequences."""
        self._dropped.append(self._found.num_sequences + self._num_dropped + np.arange(count))

    def add(self, seqs: Sequences, row: int) -> None:
        """Writes sequences after those that are there."""
        found = self._found
        place = Place(
            shard=found.shard.name,
            first_step=found.num_steps,
            first_sequence=found.num_sequences,
            first_row=row,
            one_step_a_row=seqs.origin.one_step_a_row,
            is_moved=seqs.origin.order is not None or len(seqs.dropped) > 0,
        )
        self._dropped.append(found.num_sequences + self._num_dropped + seqs.dropped)
        self._write(seqs)
        self._found = replace(
            found,
            keys=_common(found, {key: getattr(seqs, key) for key in KEYS}),
            places=(*found.places, place),
            num_sequences=found.num_sequences + len(seqs),
            num_steps=found.num_steps + seqs.num_steps,
            remarks=found.remarks or seqs.remarks,
        )

    def done(self) -> Converted:
        """Closes the files."""
        files = {names: writer.done() for names, writer in self._writers.items()}
        fields = {
            name: FieldFiles(
                per_step=per_step,
                kind=kind,
                layers={layer: file for (field, layer), file in files.items() if field == name},
            )
            for name, (per_step, kind) in self._kinds.items()
        }
        marks = {layer: file for (field, layer), file in files.items() if not field}
        dropped = tuple(np.concatenate([np.zeros(0, np.int64), *self._dropped]).tolist())
        return replace(self._found, fields=fields, marks=marks, dropped=dropped)

    @property
    def _num_dropped(self) -> int:
        return sum(map(len, self._dropped))

    def _write(self, seqs: Sequences) -> None:
        first, stop = seqs.scored_steps()
        marks = {LENGTHS: seqs.lengths, SCORED_FROM: first, SCORED_TO: stop}
        for layer, values in marks.items():
            self._append("", layer, values)
        for name in seqs.field_names:
            found = seqs.field(name)
            self._check(name, (found.per_step, in_words(found.column)))
            for layer, values in layers_of(found.compact).items():
                self._append(name, layer, values)

    def _check(self, name: str, kind: tuple[bool, str]) -> None:
        known = self._kinds.setdefault(name, kind)
        if known != kind:
            raise DataError(f"field {name!r} holds {known[1]} in some rows, and {kind[1]} in others.")

    def _append(self, name: str, layer: str, values: npt.NDArray[np.generic]) -> None:
        if (name, layer) not in self._writers:
            path = self._folder / f"{len(self._writers)}.{layer}"
            self._writers[name, layer] = self._stack.enter_context(RawWriter(path))
        self._writers[name, layer].append(values)


def _common(found: Converted, keys: Mapping[str, str | None]) -> Mapping[str, str | None]:
    """Returns the keys of a shard; pieces of it differ only in whether all texts are single characters."""
    if not found.places:
        return keys
    return {key: name if found.keys[key] == name else None for key, name in keys.items()}
