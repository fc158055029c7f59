"""The two fields of a joint target."""

from dataclasses import dataclass

from drystone.core.errors import DataError
from drystone.core.sequences import Sequences
from drystone.train.targets import parts_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """The fields that a joint model learns.

    Args:
        label: with a value a sequence.
        tag: with a value a step.
    """

    label: str
    tag: str

    @classmethod
    def of(cls, seqs: Sequences, target: str) -> "Targets":
        """Returns the fields of a target such as "label,tag", in whichever order they are named.

        Raises:
            DataError: it does not name one field with a value a sequence and one with a value a step.
        """
        names = parts_of(target, seqs)
        labels = [name for name in names if not seqs.field(name).per_step]
        tags = [name for name in names if name not in labels]
        if len(labels) != 1 or len(tags) != 1:
            raise DataError(
                f"target {target!r} names {len(labels)} with a value a sequence and {len(tags)} with a value a step; the "
                f"task joint learns one of each, such as label,tag."
            )
        return cls(label=labels[0], tag=tags[0])
