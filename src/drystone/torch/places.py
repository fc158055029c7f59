"""The numbers of a batch's sequences together with where they lie, on their way through a DataLoader."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast, final

import numpy as np
from torch.utils.data import Dataset, IterableDataset

from drystone.core.errors import DataError
from drystone.core.grid import Grid, Ints, Spans
from drystone.core.plan import Plan


@final
class Places(list[int]):
    """The sequences of one batch, one number a span in row-major order, so that any Dataset and Sampler can use it.

    Attributes:
        shape: the rows and steps of the grid.
        spans: where each lies.
        lengths: [spans] the planned length of each span's sequence.
        num_sequences: how many sequences were planned in all.
        epoch: of the plan.
        first_length: of the first of them.
    """

    shape: tuple[int, int]
    spans: Spans
    lengths: Ints
    num_sequences: int
    epoch: int
    first_length: int

    @classmethod
    def of(cls, plan: Plan, batch: int) -> "Places":
        """Returns the places of one batch of a plan."""
        spans = plan.spans(batch)
        places = cls(spans.sequence.tolist())
        places.shape = plan.shape(batch)
        places.spans = spans
        places.lengths = np.asarray(plan.lengths[spans.sequence])
        places.num_sequences = len(plan.lengths)
        places.epoch = plan.epoch
        places.first_length = int(plan.lengths[0])
        return places

    def shown(self) -> "Places":
        """Returns these; or of none, as a rank without rows has them, sequence 0: it shows which fields there are."""
        if self:
            return self
        steps, nothing = np.array([self.first_length]), np.zeros(1, dtype=np.int64)
        is_whole = np.ones(1, dtype=bool)
        found = Places([0])
        found.shape = (1, self.first_length)
        found.spans = Spans(
            row=nothing,
            start=nothing,
            stop=steps,
            sequence=nothing,
            offset=nothing,
            is_first=is_whole,
            is_last=is_whole,
        )
        found.lengths, found.num_sequences, found.first_length = steps, self.num_sequences, self.first_length
        found.epoch = self.epoch
        return found

    def grid(self) -> Grid:
        """Returns the grid that they lie on."""
        return Grid.from_spans(*self.shape, self.spans)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlacedItems:
    """The items of `places.shown()`, one a span, and where they lie."""

    places: Places
    items: Sequence[Any]

    def __getitem__(self, index: int) -> Any:
        raise DataError("placed items need a collate_fn that knows them: DataLoader(..., collate_fn=Collate()).")


@final
class Placed(Dataset[Any]):
    """A Dataset whose items come with their places, when a `BatchSampler` asks for them.

    A DataLoader shows its `collate_fn` the items of a batch but not their numbers; this hands both on. Single
    items are those of the dataset, which is asked for an item once a span: a sequence that `Stateful` lays over
    three batches is fetched three times.

    Args:
        dataset: a map-style dataset, whose `dataset[i]` is sequence i. One that answers `__getitems__` is asked for
            all items of a batch at once.

    Raises:
        DataError: the dataset gives no items by number.

    Example:
        >>> Placed([[1.0, 2.0], [3.0]])[1]
        [3.0]
    """

    def __init__(self, dataset: Any) -> None:
        if isinstance(dataset, IterableDataset) or not hasattr(dataset, "__getitem__"):
            raise DataError(f"{type(dataset).__name__} gives no items by number; a map-style dataset is needed.")
        self.dataset = dataset

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, index: int) -> Any:
        return self.dataset[index]

    def __getitems__(self, places: Sequence[int]) -> PlacedItems:
        """Returns the items of a batch with their places; a DataLoader calls this."""
        if not isinstance(places, Places):
            raise DataError(
                "Placed(dataset) got numbers without places: pass it to the DataLoader itself, not inside a Subset or "
                "another dataset, as DataLoader(Placed(...), batch_sampler=BatchSampler(...))."
            )
        if hasattr(self.dataset, "__len__") and len(self.dataset) != places.num_sequences:
            raise DataError(
                f"the dataset has {len(self.dataset)} items; the BatchSampler was made with "
                f"{places.num_sequences} lengths. Give it one length an item."
            )
        return PlacedItems(places=places, items=self._items(list(places.shown())))

    def _items(self, numbers: list[int]) -> Sequence[Any]:
        together = getattr(self.dataset, "__getitems__", None)
        if callable(together):
            return list(cast("Iterable[Any]", together(numbers)))
        return [self.dataset[number] for number in numbers]
