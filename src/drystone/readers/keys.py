"""The keys of sequences that are whole already: the field that names them and the field that orders their steps."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from drystone.core.documents import are_characters, check_text
from drystone.core.errors import DataError
from drystone.core.lengths import offsets_of, place_of
from drystone.core.sequences import Sequences
from drystone.readers.duplicates import with_duplicates
from drystone.readers.options import Options


def with_keys(seqs: Sequences, options: Options) -> Sequences:
    """Returns the sequences with the keys that the options name; keys that they have already stay.

    Raises:
        DataError: a key is no field or of the wrong kind, or steps are not in the order of `order_by`, or at the same time.
    """
    options.check_names(seqs.field_names)
    for name in (options.sequence_id, *options.per_sequence):
        if name in seqs.step_columns:
            raise DataError(f"column {name!r} has a value a step; expected one with a value a sequence.")
    keyed = replace(
        seqs,
        sequence_id=options.sequence_id or seqs.sequence_id,
        order_by=options.order_by or seqs.order_by,
        text=seqs.text if options.text is None else _documents_in(seqs, options.text),
    )
    if options.order_by is None and options.duplicates is None:
        return keyed  # sequences that were saved keep their ties
    if keyed.order_by is not None:
        _check_order(seqs, keyed.order_by)
    return with_duplicates(keyed, options.duplicates)


def _documents_in(seqs: Sequences, name: str) -> str | None:
    """Returns the field, if its steps are characters; words that are split already are no documents."""
    check_text(seqs, name)
    return name if are_characters(seqs, name) else None


def _check_order(seqs: Sequences, name: str) -> None:
    field = seqs.field(name)
    if not field.per_step or field.item_shape:
        raise DataError(f"order_by is {name!r}, which has no single value a step.")
    values = pa.array(field.values)
    rises = pc.fill_null(pc.less_equal(values.slice(0, max(len(values) - 1, 0)), values.slice(1)), False)
    bounds = offsets_of(seqs.lengths)
    wrong = ~np.asarray(rises)
    wrong[bounds[1:-1] - 1] = False
    if wrong.any():
        step = int(np.argmax(wrong))
        index, within = place_of(step, seqs.lengths)
        raise DataError(
            f"{name!r} falls or is missing in sequence {index}: {values[step]} at step {within} "
            f"comes before {values[step + 1]}. Sort the steps of each sequence first."
        )
