"""The files of all shards, put together: one file for each layer of each field."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from drystone.core.errors import DataError
from drystone.core.storage import KEYS
from drystone.readers.shards.convert import Converted
from drystone.readers.shards.layers import MISSING, OFFSETS, SIZES, offsets_from
from drystone.readers.shards.place import Place
from drystone.readers.shards.raw import RawFile, write_blocks
from drystone.readers.shards.store import About, FieldAbout

LARGEST_EXACT = 2**53  # beyond it, two different whole numbers can become one float
Tell = Callable[[float], None]
Blocks = Iterator[npt.NDArray[Any]]


def join(found: Sequence[Converted], folder: Path, tell: Tell) -> About:
    """Puts the files of shards together, and removes each as soon as it is copied.

    Args:
        found: the shards, in their order.
        folder: for the new files.
        tell: is told of the bytes that are copied, as they are.

    Returns:
        What the files hold.

    Raises:
        DataError: no shard holds a sequence, or two differ in fields or keys.
    """
    filled = [shard for shard in found if shard.num_sequences]
    if not filled:
        what = "every sequence has length 0" if any(shard.dropped for shard in found) else "no shard has rows"
        raise DataError(f"{what}; nothing is left.")
    keys = {key: _common_key(key, filled) for key in KEYS}
    fields = [
        FieldAbout(
            name=name,
            per_step=_same(name, filled),
            layers=_field(name, filled, folder, f"{number}.", tell),
        )
        for number, name in enumerate(filled[0].fields)
    ]
    return About(
        fields=tuple(fields),
        marks=_joined([shard.marks for shard in filled], folder, "", tell),
        keys=keys,
        places=tuple(_places(filled)),
        dropped=tuple(_dropped(found)),
        remarks=_remarks(filled),
    )


def _field(name: str, filled: Sequence[Converted], folder: Path, stem: str, tell: Tell) -> dict[str, RawFile]:
    try:
        return _joined([shard.fields[name].layers for shard in filled], folder, stem, tell)
    except DataError as error:
        raise DataError(f"field {name!r}: {error}") from None


def _joined(members: Sequence[Mapping[str, RawFile]], folder: Path, stem: str, tell: Tell) -> dict[str, RawFile]:
    return _written({layer: _blocks([member[layer] for member in members], tell) for layer in members[0]}, folder, stem)


def written(layers: Mapping[str, npt.NDArray[Any]], folder: Path, stem: str) -> dict[str, RawFile]:
    """Writes the layers of a column whole; of missing values only where there are any."""
    return _written({layer: iter([values]) for layer, values in layers.items()}, folder, stem)


def _written(layers: Mapping[str, Blocks], folder: Path, stem: str) -> dict[str, RawFile]:
    found: dict[str, RawFile] = {}
    for layer, blocks in layers.items():
        name, final = (OFFSETS, offsets_from(blocks)) if layer == SIZES else (layer, blocks)
        file = write_blocks(folder / f"{stem}{name}", final)
        if name == MISSING and not file.mapped().any():
            file.path.unlink()
        else:
            found[name] = file
    return found


def _blocks(files: Sequence[RawFile], tell: Tell) -> Blocks:
    """Yields the values of several files in the type that holds all of them, and removes each file after its last."""
    kind = np.result_type(*(segment.kind for file in files for segment in file.segments))
    for file in files:
        for block in file.blocks():
            yield _as(kind, block)
            tell(block.nbytes)
        file.path.unlink()


def _as(kind: np.dtype[Any], block: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if kind.kind == "f" and block.dtype.kind in "iu" and len(block):
        for value in (block.min(), block.max()):
            if abs(int(value)) > LARGEST_EXACT:
                raise DataError(
                    f"{value} is too large for the fractions that whole numbers become where some are missing. Fill in what is "
                    f"missing, or write them as text."
                )
    return block.astype(kind, copy=False)


def _same(name: str, filled: Sequence[Converted]) -> bool:
    """Returns whether a field has a value a step, as in all shards."""
    first = filled[0]
    expected = first.fields[name]
    for shard in filled:
        if name not in shard.fields:
            raise DataError(f"{shard.shard.name} has no field {name!r}, and {first.shard.name} has.")
        found = shard.fields[name]
        if (found.per_step, found.kind) != (expected.per_step, expected.kind):
            raise DataError(
                f"field {name!r}: the values of {shard.shard.name} are {found.in_words}, and those of {first.shard.name} are "
                f"{expected.in_words}; all need one type and shape."
            )
    return expected.per_step


def _common_key(key: str, filled: Sequence[Converted]) -> str | None:
    first = filled[0]
    for shard in filled:
        if shard.keys[key] == first.keys[key]:
            continue
        if key == "text":  # words of one character each make no documents
            return None
        raise DataError(
            f"{key} is {first.keys[key]!r} in {first.shard.name} and {shard.keys[key]!r} in {shard.shard.name}; all need the same."
        )
    return first.keys[key]


def _places(filled: Sequence[Converted]) -> Iterator[Place]:
    steps = sequences = 0
    for shard in filled:
        for place in shard.places:
            yield replace(place, first_step=place.first_step + steps, first_sequence=place.first_sequence + sequences)
        steps, sequences = steps + shard.num_steps, sequences + shard.num_sequences


def _dropped(found: Sequence[Converted]) -> Iterator[int]:
    before = 0
    for shard in found:
        yield from (before + each for each in shard.dropped)
        before += shard.num_sequences + len(shard.dropped)


def _remarks(filled: Sequence[Converted]) -> tuple[str, ...]:
    said = [shard.remarks for shard in filled if shard.remarks]
    if len(said) < 2:
        return said[0] if said else ()
    return (*said[0], f"likewise in {len(said) - 1} more shards")
