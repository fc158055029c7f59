"""The data that a run was made from, and their parts: found again among sequences."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drystone.core.errors import ConfigError
from drystone.core.sequences import Sequences
from drystone.readers.like import KEYS, read_like
from drystone.train.schema import Schema
from drystone.train.settings import Settings
from drystone.train.split import Split
from drystone.train.targets import fields_of, with_target
from drystone.train.tasks.find import task_of
from drystone.train.tasks.task import Task


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class OwnData:
    """What a run knows of the data that it was made from.

    Args:
        path: the run folder.
        settings: what it was trained with.
        schema: the fields and outputs of the model.
        split: which sequences were for what.
    """

    path: Path
    settings: Settings
    schema: Schema
    split: Split

    @property
    def task(self) -> Task:
        """What the model was trained to do."""
        return task_of(self.settings, self.schema)

    def part(self, seqs: Any, name: str) -> Sequences:
        """Returns one part of the data that the run was made from; of a split by time, with what came before it as lead.

        Args:
            seqs: these data, or what `drystone.read` takes; of a run with a source for each part, that of the part.
            name: "train", "valid" or "test".

        Raises:
            ConfigError: these are other data, or there is no such part.

        Example:
            >>> import drystone as ds
            >>> seqs = ds.read("japanese-vowels")
            >>> run = ds.fit(seqs, target="speaker", split_column="part", epochs=1, hidden_size=8, progress=False)
            >>> run.evaluate(run.part(seqs, "test")).sequences
            370
        """
        seqs = self._read(seqs)
        if not len(self.split.part(name)):
            raise ConfigError(f"{self.path} has no {name} part.")
        known = self.known_part(seqs)
        if known == name:
            return seqs
        if known is not None:
            raise ConfigError(f"these are the {known} part of {self.path}; its {name} part lies elsewhere: give that.")
        if not self.is_made_from(seqs):
            raise ConfigError(f"these are not the data that {self.path} was made from, so they have no {name} part.")
        return self.split.sequences(seqs, name, self.task.context)

    def is_made_from(self, seqs: Sequences) -> bool:
        """Returns whether these are the data that the run was made from."""
        seqs = with_target(seqs, self.schema.target, self.settings.bio)
        return self._has_fields(seqs) and self.schema.is_of(seqs)

    def known_part(self, seqs: Sequences) -> str | None:
        """Returns the part that these sequences are, if the run was made with a source of its own for it."""
        seqs = with_target(seqs, self.schema.target, self.settings.bio)
        if not self.split.fingerprints or not self._has_fields(seqs):
            return None
        found = self.schema.fingerprint_of(seqs)
        return next((part for part, known in self.split.fingerprints.items() if known == found), None)

    def _has_fields(self, seqs: Sequences) -> bool:
        return {*self.schema.features.sources, *fields_of(self.schema.target, seqs)} <= set(seqs.field_names)

    def _read(self, seqs: Any) -> Sequences:
        """Returns sequences as they are, and anything else read as the data of the run were, where that fits."""
        if isinstance(seqs, Sequences):
            return seqs
        known = {name: getattr(self.settings, name) for name in KEYS}
        return read_like(seqs, known, on_empty="drop" if self.settings.drop_empty else "error")
