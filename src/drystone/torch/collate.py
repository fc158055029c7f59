"""The `collate_fn` that makes our batches of the items of people's own datasets."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from drystone.core.collate import fill
from drystone.core.errors import DataError
from drystone.torch.batch import TensorBatch, to_tensors
from drystone.torch.items import pieces
from drystone.torch.places import PlacedItems


@dataclass(frozen=True, slots=True, kw_only=True)
class Collate:
    """Makes a `TensorBatch` of the items of a `Placed` dataset: the one that `batches(Loader(...))` gives.

    An item is a mapping of fields, a tuple of fields, or one field alone (a list is one field: a value a step).
    Fields are tensors on the CPU, NumPy arrays, or lists of numbers or text.

    Args:
        names: what the fields of a tuple are called, in order; the first also names a field that comes alone.
        per_step: the fields with a value a step; all others have one a sequence. By default those with a dimension
            have a value a step, and single numbers and texts one a sequence; so a vector that belongs to the whole
            sequence must be kept apart by naming the others here.

    Raises:
        DataError: when called with an item of another length than planned, or of other fields, shapes or types than
            the rest of its batch; the message names the item.

    Example:
        >>> from torch.utils.data import DataLoader
        >>> from drystone import Padded
        >>> from drystone.torch import BatchSampler, Placed
        >>> pairs = [([1.0, 2.0], [0, 1]), ([3.0, 4.0, 5.0], [1, 0])]       # a sequence, and a vector that labels it
        >>> sampler = BatchSampler([2, 3], Padded(2, order="given"))
        >>> loader = DataLoader(Placed(pairs), batch_sampler=sampler, collate_fn=Collate(per_step="x"))
        >>> next(iter(loader))["y"]
        tensor([[0, 1],
                [1, 0]])
    """

    names: Sequence[str] = ("x", "y")
    per_step: Collection[str] | None = None

    def __post_init__(self) -> None:
        for option in ("names", "per_step"):
            value = getattr(self, option)
            if value is not None:
                object.__setattr__(self, option, (value,) if isinstance(value, str) else tuple(value))
        if not self.names:
            raise DataError("names is empty; at least one field needs a name.")

    def __call__(self, placed: Any) -> TensorBatch:
        """Makes one batch; a DataLoader calls this."""
        if not isinstance(placed, PlacedItems):
            raise DataError("Collate needs the places of items: DataLoader(Placed(dataset), ...).")
        seqs = pieces(placed, self.names, self.per_step)
        grid = placed.places.grid()
        spans = np.arange(len(grid.spans))
        epoch = placed.places.epoch
        return to_tensors(fill(seqs, grid, spans, np.zeros_like(spans), seqs.field_names, epoch=epoch))
