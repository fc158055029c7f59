"""The sequences of a run: given, or read from where its settings say."""

from pathlib import Path
from typing import Any

from drystone.core.errors import ConfigError
from drystone.core.sequences import Sequences
from drystone.readers.read import read
from drystone.train.settings import Settings


def named(seqs: Any) -> dict[str, str]:
    """Returns the setting that names the data, if it is a name or a path."""
    return {"data": str(seqs)} if isinstance(seqs, (str, Path)) else {}


def sequences_for(seqs: Any, settings: Settings) -> Sequences:
    """Returns the sequences of a run.

    Args:
        seqs: sequences, or what `drystone.read` takes; None for the data that the settings name.
        settings: with the keys that a table of one step a row needs.

    Raises:
        ConfigError: neither sequences nor a name.
        DataError: what is there cannot be read.
    """
    source = settings.data if seqs is None else seqs
    if source is None:
        raise ConfigError(
            "the run does not say where its data lie, since it was made from sequences in memory: give them."
        )
    if isinstance(source, Sequences):
        return source
    return read(
        source,
        sequence_id=settings.sequence_id,
        order_by=settings.order_by,
        on_empty="drop" if settings.drop_empty else "error",
        duplicates=settings.duplicates,
    )
