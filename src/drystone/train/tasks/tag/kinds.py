"""From a target with a value a step to the kind of output that suits it."""

from drystone.core.errors import DataError
from drystone.core.sequences import Sequences
from drystone.train.tasks.outputs.classes import Classes
from drystone.train.tasks.outputs.numbers import Numbers
from drystone.train.tasks.outputs.outputs import Outputs
from drystone.train.tasks.outputs.yes_no import YesNo, is_yes_no


def kind_for(seqs: Sequences, target: str) -> type[Outputs]:
    """Returns the kind that suits a target with a value a step.

    One text, whole number or bool is a class; several values that are all 0 or 1 are yes/no; all else are numbers.

    Raises:
        DataError: it has a value a sequence, looks ahead, or holds timestamps; the message says what to do.
    """
    field = seqs.field(target)
    if not field.per_step:
        raise DataError(f"target {target!r} is {field.describe()} a sequence; tag learns something at every step.")
    if field.offsets:
        source = seqs.ahead_fields[target].source
        raise DataError(
            f"target {target!r} looks ahead in {source!r}, so a backward direction would read it. Give target={source!r} and "
            f"ahead={field.offsets[0]} (--ahead {field.offsets[0]}) instead."
        )
    if field.is_text:
        return Classes
    if not field.is_numeric:
        raise DataError(f"target {target!r} is {field.describe()} a step; tag learns text, bools or numbers.")
    if not field.item_shape:
        return Numbers if field.values.dtype.kind == "f" else Classes
    return YesNo if is_yes_no(field.values).all() else Numbers
