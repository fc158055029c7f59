"""What tasks share that say something at every step."""

from collections.abc import Collection
from typing import Any

import numpy as np

from drystone.core.lengths import ranges
from drystone.core.sequences import Sequences
from drystone.train.tasks.task import id_column


def step_columns(seqs: Sequences, taken: Collection[str]) -> dict[str, Any]:
    """Returns the columns that tell the rows of a table apart, one row a step: `sequence`, its id, `step`, their order.

    Args:
        seqs: the sequences.
        taken: the names of the columns that come after these.
    """
    of = np.repeat(np.arange(len(seqs)), seqs.lengths)
    columns: dict[str, Any] = {"sequence": of}
    columns |= {name: ids.take(of) for name, ids in id_column(seqs, ("sequence", "step", *taken)).items()}
    columns["step"] = ranges(np.zeros_like(seqs.lengths), seqs.lengths)
    if seqs.order_by is not None:
        name = f"{seqs.order_by}_order" if seqs.order_by in (*columns, *taken) else seqs.order_by
        columns[name] = seqs.field(seqs.order_by).to_arrow().flatten()
    return columns
