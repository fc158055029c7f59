"""Sequences in a folder of raw files, and a note of what these hold."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from drystone.core.bounds import Bounds
from drystone.core.build import Parts
from drystone.core.lengths import offsets_of
from drystone.core.sequences import Sequences
from drystone.readers.shards.layers import column_in
from drystone.readers.shards.place import Place, origin_of
from drystone.readers.shards.raw import RawFile, Segment

FORMAT = 1  # of the files; those of another are made anew
NOTE = "store.json"
LENGTHS, SCORED_FROM, SCORED_TO = "lengths", "scored_from", "scored_to"
Key = list[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldAbout:
    """A field: its name, whether it has a value a step, and its files by layer."""

    name: str
    per_step: bool
    layers: Mapping[str, RawFile]


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What the files of a store hold.

    Args:
        fields: in their order.
        marks: the lengths of the sequences, and which steps of each are scored.
        keys: of the sequences.
        places: where they were read.
        dropped: the empty sequences that were left out.
        remarks: what reading put in order.
    """

    fields: tuple[FieldAbout, ...]
    marks: Mapping[str, RawFile]
    keys: Mapping[str, str | None]
    places: tuple[Place, ...]
    dropped: tuple[int, ...]
    remarks: tuple[str, ...]


def write_note(about: About, made_of: Key, folder: Path) -> None:
    """Writes what a store holds, once all of its files are whole.

    Args:
        about: what they hold.
        made_of: what tells the data that it was made of from others.
        folder: of the files.
    """
    content = {
        "format": FORMAT,
        "made_of": made_of,
        "about": asdict(about),
        "files": {path.name: _state(path) for path in sorted(folder.iterdir())},
    }
    text = json.dumps(content, default=str)
    (folder / NOTE).write_text(f"{_digest(text)}\n{text}\n", encoding="utf-8")


def open_store(folder: Path, made_of: Key) -> Sequences | None:
    """Opens the sequences in a store, memory-mapped; None where there is none, or none that is whole and of these data."""
    try:
        digest, text = (folder / NOTE).read_text(encoding="utf-8").splitlines()
        if digest != _digest(text):
            return None
        content = json.loads(text)
        if content["format"] != FORMAT or content["made_of"] != made_of:
            return None
        if any(_state(folder / name) != state for name, state in content["files"].items()):
            return None
        return _sequences(_about(content["about"], folder))
    except (OSError, ValueError, KeyError):
        return None


def _state(path: Path) -> list[int]:
    """What changes when anybody writes to a file."""
    known = path.stat()
    return [known.st_size, known.st_mtime_ns]


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=16).hexdigest()


def _about(content: Any, folder: Path) -> About:
    def files(layers: Any) -> dict[str, RawFile]:
        return {
            layer: RawFile(
                path=folder / Path(file["path"]).name,
                item_shape=tuple(file["item_shape"]),
                segments=tuple(Segment(**segment) for segment in file["segments"]),
            )
            for layer, file in layers.items()
        }

    return About(
        fields=tuple(FieldAbout(**{**each, "layers": files(each["layers"])}) for each in content["fields"]),
        marks=files(content["marks"]),
        keys=content["keys"],
        places=tuple(Place(**place) for place in content["places"]),
        dropped=tuple(content["dropped"]),
        remarks=tuple(content["remarks"]),
    )


def _sequences(about: About) -> Sequences:
    lengths, first, stop = (np.array(about.marks[name].mapped()) for name in (LENGTHS, SCORED_FROM, SCORED_TO))
    starts = offsets_of(lengths)[:-1]
    parts = Parts(
        step_columns={each.name: column_in(each.layers) for each in about.fields if each.per_step},
        sequence_columns={each.name: column_in(each.layers) for each in about.fields if not each.per_step},
        starts=starts,
        lengths=lengths,
        bounds=Bounds(lead=first, floor=starts, ceiling=starts + stop).unless_whole(starts, lengths),
    )
    seqs = Sequences.from_parts(parts, "error", origin=origin_of(about.places), remarks=about.remarks, **about.keys)
    return replace(seqs, dropped=np.array(about.dropped, np.int64))
