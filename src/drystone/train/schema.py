"""What a model was trained on, in words that a file can hold: fields, classes, the fingerprint of the data."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from drystone.core.errors import RunError
from drystone.train.features import Feature, Features
from drystone.train.tasks.classify import Label

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """The fields and classes of a model.

    Args:
        features: the input fields.
        target: the field that it predicts.
        classes: what the outputs stand for, in order.
        data: the fingerprint of the sequences that it was trained and tested on.
    """

    features: Features
    target: str
    classes: tuple[Label, ...]
    data: str

    def save(self, path: Path) -> None:
        """Writes the schema as JSON."""
        content: dict[str, Any] = {
            "version": SCHEMA_VERSION,
            "features": [asdict(field) for field in self.features.fields],
            "target": self.target,
            "classes": list(self.classes),
            "data": self.data,
        }
        path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")

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
            fields = tuple(Feature(field["name"], tuple(field["shape"])) for field in content["features"])
            return cls(
                features=Features(fields),
                target=content["target"],
                classes=tuple(content["classes"]),
                data=content["data"],
            )
        except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
            raise RunError(f"{path} is not a whole schema: {error!r}.") from error
