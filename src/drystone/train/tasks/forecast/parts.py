"""The parts of series: the last of the time of each, or whole series where a field states parts."""

from drystone.core.errors import ConfigError
from drystone.core.sequences import Sequences
from drystone.train.settings import Settings
from drystone.train.split import Split, by_time
from drystone.train.tasks.task import check_validation, stated_parts


def split_of(seqs: Sequences, settings: Settings) -> Split:
    """Returns the parts that a field states, or splits by time: no two parts share a target."""
    if settings.part_field is None:
        return by_time(seqs, settings.valid_fraction, settings.test_fraction or 0.0)
    parts = stated_parts(seqs, settings)
    if settings.valid_fraction:
        raise ConfigError(
            f"valid_fraction is {settings.valid_fraction}, a share of time, and {settings.parts_are_stated_by} states whole "
            f"series: state a validation part too, or leave out {settings.parts_are_stated_by}."
        )
    check_validation(settings, parts, 'say "valid" of some')
    return Split.of_wholes(seqs.lengths, parts)
