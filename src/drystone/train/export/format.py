"""What a format is, whichever it is."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any

from drystone.core.errors import ConfigError
from drystone.core.extras import need
from drystone.train.model import RunModel
from drystone.train.schema import Schema
from drystone.train.settings import Settings
from drystone.train.tasks.classify.about import CLASSIFY
from drystone.train.tasks.sequence.model import SequenceModel

CHOICES = MappingProxyType({"softmax": "class", "sigmoid": "label"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What a format is written from: the parts of a run."""

    settings: Settings
    schema: Schema
    model: RunModel

    @property
    def classifier(self) -> SequenceModel:
        """The model.

        Raises:
            ConfigError: it is none that formats know.
        """
        if self.settings.task != CLASSIFY.name:
            raise ConfigError(
                f"the run was trained to {self.settings.task}; only runs that classify can be exported so far. "
                f"drystone predict, and run.predict in Python, serve it."
            )
        if self.settings.max_steps is not None:
            raise ConfigError(
                f"max_steps is {self.settings.max_steps}: the model was trained on the first {self.settings.max_steps} steps "
                f"of sequences, which exported models do not cut; only runs on whole sequences can be exported so far. "
                f"drystone predict serves it."
            )
        others = [field.name for field in self.schema.features.fields if not field.is_plain]
        if others:
            raise ConfigError(
                f"the features {', '.join(map(repr, others))} are categories, parts of a calendar or numbers that may miss; "
                f"only runs on numbers of which none misses can be exported so far. drystone predict serves it."
            )
        assert isinstance(self.model, SequenceModel)
        return self.model

    @property
    def meanings(self) -> list[Any]:
        """What each probability is of: the classes, or several labels."""
        return self.classifier.outputs.meanings(self.schema.target)

    @property
    def choice(self) -> str:
        """What one of them is, in a word."""
        return CHOICES[self.classifier.outputs.activation]


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One form in which a run can be written.

    Args:
        name: what users call it by.
        title: what is written, in words.
        suffix: how its name ends.
        is_folder: whether it is a folder of files.
        extra: the extra of drystone that installs what it needs.
        libraries: what it needs, by import names.
        module: what writes it; imported when it is used, since it imports the libraries.
        write: writes the source, whole or not at all, and returns what it says of itself: see `about`. Whether something
            may be replaced has been settled before, but for what else lies in a folder.
        kept: where in it that is found.
        usage: lines of Python that use it, from its path and what it says of itself.
    """

    name: str
    title: str
    suffix: str
    is_folder: bool = False
    extra: str
    libraries: tuple[str, ...] = ()
    module: str
    write: Callable[[Source, Path], dict[str, Any]]
    kept: str
    usage: Callable[[Path, dict[str, Any]], list[str]]

    def check_name(self, path: Path) -> None:
        """Raises ConfigError where a name has another ending."""
        if path.suffix != self.suffix:
            raise ConfigError(f"{path} should end in {self.suffix}.")

    def load(self) -> None:
        """Imports what the format needs.

        Raises:
            MissingExtraError: a library is not installed.
            DrystoneError: what the library itself needs is not.
        """
        need(self.extra, *self.libraries)
        import_module(self.module)
