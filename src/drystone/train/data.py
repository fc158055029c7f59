"""The sequences of a run: given, or read from where its settings say."""

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from drystone.core.append import append
from drystone.core.convert import column_of
from drystone.core.errors import ConfigError, DataError
from drystone.core.sequences import Sequences
from drystone.readers.like import KEYS, that_count
from drystone.readers.read import read
from drystone.train.settings import PART_FIELD, Settings

SETTINGS = {"train": "data", "valid": "valid", "test": "test"}  # of each part, the one that says where it lies
IN_MEMORY = "(in memory)"  # what a setting says of a part that was no file


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where the sequences of a run come from; each is sequences, what `drystone.read` takes, or None.

    Args:
        train: all sequences; or, where the others say their parts, the training part.
        valid, test: the validation part and the test part; None where they are drawn or stated by a field.
    """

    train: Any = None
    valid: Any = None
    test: Any = None

    def by_part(self) -> dict[str, Any]:
        """Returns the source of each part; None for those that are not given."""
        return {part: getattr(self, part) for part in SETTINGS}

    def named(self) -> dict[str, str]:
        """Returns the settings that say where the parts lie."""
        found = {} if _name(self.train) is None else {"data": str(self.train)}
        others = {part: source for part, source in (("valid", self.valid), ("test", self.test)) if source is not None}
        return found | {part: _name(source) or IN_MEMORY for part, source in others.items()}


def sequences_for(sources: Sources, settings: Settings) -> Sequences:
    """Returns the sequences of a run, all parts together; with a field of their parts, where these are sources of their own.

    Sequences that have this field are all of them already.

    Args:
        sources: what is given; the rest is read from where the settings say.
        settings: with the keys that a table of one step a row needs.

    Raises:
        ConfigError: a part is neither given nor named, or given though the run has none such.
        DataError: what is there cannot be read, or the parts do not fit together.
    """
    train = _read(sources.train, "train", settings)
    if PART_FIELD in train.field_names:
        return train
    wholes = {"train": train}
    for part in ("valid", "test"):
        given = getattr(sources, part)
        if getattr(settings, part) is not None:
            wholes[part] = _read(given, part, settings)
        elif given is not None:
            raise ConfigError(f"{part} is given, and the run has no such source: leave out {part} (--{part}).")
    return _together(wholes, settings) if len(wholes) > 1 else train


def source_of(given: Any, part: str, settings: Settings) -> Any:
    """Returns where the sequences of a part lie: as it is given, else as the settings say; None where they do not."""
    named = getattr(settings, SETTINGS[part])
    return given if given is not None else None if named == IN_MEMORY else named


def options_for(source: Any, settings: Settings) -> dict[str, Any]:
    """Returns the arguments of `drystone.read` with which a run reads a source."""
    keys = that_count(source, {name: getattr(settings, name) for name in KEYS})
    return {"on_empty": "drop" if settings.drop_empty else "error", **keys}


def _read(given: Any, part: str, settings: Settings) -> Sequences:
    source = source_of(given, part, settings)
    if source is None:
        which = "its data" if part == "train" else f"the sequences of its {part} part"
        raise ConfigError(
            f"the run does not say where {which} lie, since it was made from sequences in memory: give them."
        )
    if isinstance(source, Sequences):
        return source
    return read(source, **options_for(source, settings))


def _name(source: Any) -> str | None:
    return str(source) if isinstance(source, (str, Path)) else None


def _together(parts: Mapping[str, Sequences], settings: Settings) -> Sequences:
    sources = {f"the {part} part ({_where(part, settings)})": seqs for part, seqs in parts.items()}
    first, *others = (seqs.field_names for seqs in sources.values())
    fields = [name for name in first if all(name in names for names in others)]
    _check_needed(sources, settings)
    _warn_of_left_out(sources, fields)
    whole = append(sources, fields)
    stated = np.repeat(list(parts), [len(seqs) for seqs in parts.values()])
    remarks = tuple(remark for seqs in parts.values() for remark in seqs.remarks)
    columns = {**whole.sequence_columns, PART_FIELD: column_of(stated, PART_FIELD)}
    return replace(whole, sequence_columns=columns, dropped=_dropped(parts.values()), remarks=remarks)


def _where(part: str, settings: Settings) -> str:
    named = getattr(settings, SETTINGS[part])
    return "in memory" if named in (None, IN_MEMORY) else named


def _check_needed(sources: Mapping[str, Sequences], settings: Settings) -> None:
    needed = (
        *settings.target.split(","),
        *(settings.features or ()),
        settings.sequence_id,
        settings.order_by,
        settings.text,
        settings.group,
    )
    for words, seqs in sources.items():
        for name in needed:
            if name is not None and any(name in other.field_names for other in sources.values()):
                _field(name, words, seqs)


def _field(name: str, words: str, seqs: Sequences) -> None:
    try:
        seqs.field(name)
    except DataError as error:
        raise DataError(f"{words}: {error}") from None


def _warn_of_left_out(sources: Mapping[str, Sequences], fields: Iterable[str]) -> None:
    for words, seqs in sources.items():
        extra = [name for name in seqs.field_names if name not in set(fields)]
        if extra:
            warnings.warn(
                f"left out of {words}, since not every part has it: {', '.join(map(repr, extra))}.", stacklevel=5
            )


def _dropped(parts: Iterable[Sequences]) -> "np.ndarray[Any, np.dtype[np.int64]]":
    """Returns the empty sequences that were left out, counted through all parts."""
    found, before = [], 0
    for seqs in parts:
        found.append(seqs.dropped + before)
        before += len(seqs) + len(seqs.dropped)
    return np.concatenate(found)
