"""What a model was trained on, in words that a file can hold: fields, outputs, the fingerprint of the data."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from drystone.core.errors import RunError
from drystone.core.sequences import Sequences
from drystone.text import Vocabulary
from drystone.train.features.feature import Features
from drystone.train.folder.names import VOCABULARY
from drystone.train.targets import fields_of

SCHEMA_VERSION = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """The fields and outputs of a model.

    Args:
        features: the input fields.
        target: the field that it predicts.
        outputs: what the outputs stand for, as the task has it and JSON can hold it: the classes in order, the horizon.
        data: the fingerprint of the sequences that it was trained and tested on.
        baselines: by name, what trivial predictions say, from the training part alone: its majority class, its mean.
    """

    features: Features
    target: str
    outputs: Mapping[str, Any]
    data: str
    baselines: Mapping[str, Any]

    @classmethod
    def of(
        cls,
        seqs: Sequences,
        features: Features,
        target: str,
        outputs: Mapping[str, Any],
        baselines: Mapping[str, Any] = MappingProxyType({}),
    ) -> "Schema":
        """Returns the schema of a model of these sequences."""
        data = seqs.fingerprint((*features.sources, *fields_of(target, seqs)))
        return cls(features=features, target=target, outputs=outputs, data=data, baselines=baselines)

    def is_of(self, seqs: Sequences) -> bool:
        """Returns whether these are the sequences that the model was trained and tested on.

        Raises:
            DataError: a field is missing.
        """
        return self.fingerprint_of(seqs) == self.data

    def fingerprint_of(self, seqs: Sequences) -> str:
        """Returns the fingerprint of the features and the target of some sequences.

        Raises:
            DataError: a field is missing.
        """
        return seqs.fingerprint((*self.features.sources, *fields_of(self.target, seqs)))

    def save(self, path: Path) -> None:
        """Writes the schema as JSON, and the vocabulary beside it."""
        content: dict[str, Any] = {
            "version": SCHEMA_VERSION,
            "features": self.features.to_plain(),
            "target": self.target,
            "outputs": dict(self.outputs),
            "data": self.data,
            "baselines": dict(self.baselines),
        }
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        if self.features.vocabulary is not None:
            self.features.vocabulary.save(path.with_name(VOCABULARY))

    @classmethod
    def load(cls, path: Path) -> "Schema":
        """Reads a schema that `save` wrote.

        Raises:
            RunError: another version, or not a schema.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            if content["version"] != SCHEMA_VERSION:
                raise RunError(f"{path} has version {content['version']}; this drystone reads {SCHEMA_VERSION}.")
            return cls(
                features=Features.from_plain(content["features"], _vocabulary_beside(path)),
                target=content["target"],
                outputs=dict(content["outputs"]),
                data=content["data"],
                baselines=dict(content["baselines"]),
            )
        except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
            raise RunError(f"{path} is not a whole schema: {error!r}.") from error


def _vocabulary_beside(path: Path) -> Vocabulary | None:
    file = path.with_name(VOCABULARY)
    return Vocabulary.load(file) if file.is_file() else None
