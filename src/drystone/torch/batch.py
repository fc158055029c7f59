"""The batches of a loader, as tensors."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Any

import numpy.typing as npt
import torch
from torch import Tensor

from drystone.core.batch import Batch
from drystone.core.grid import Grid, Spans
from drystone.torch.parcel import Parcel

NUMERIC = "fiub"
ENDS = ("row", "step", "sequence")
NAMES = ("valid", "reset", "scored", "sequence", *(f"ends.{name}" for name in ENDS))  # of what a batch can make


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TensorEnds:
    """Where sequences end; each attribute is an int64 tensor [sequences ending here]."""

    row: Tensor
    step: Tensor
    sequence: Tensor


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TensorBatch:
    """A batch whose numbers are tensors on one device; text and timestamps stay NumPy arrays.

    Masks and ends become tensors when they are asked for first, so that a device gets only what is used.

    Args:
        host: the batch that it was made from.
        fields: of each field, as `host[name]`.
        device: where the tensors are.
        made: the masks and ends that were asked for, by name.
    """

    host: Batch
    fields: dict[str, Any]
    device: torch.device
    made: dict[str, Tensor] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Tensor{self.host!r} on {self.device}"

    def __getitem__(self, name: str) -> Any:
        return self.fields[name] if name in self.fields else self.host[name]

    def by_span(self, name: str) -> Any:
        """A field with a value a sequence, one value a span: [spans, *shape]."""
        return self._like_masks(self.host.by_span(name))

    def by_step(self, name: str) -> Any:
        """A field with a value a sequence, repeated at each of its steps: [rows, steps, *shape]."""
        return self._like_masks(self.host.by_step(name))

    def _like_masks(self, array: npt.NDArray[Any]) -> Any:
        return torch.from_numpy(array).to(self.device) if array.dtype.kind in NUMERIC else array

    @property
    def valid(self) -> Tensor:
        """Real steps: bool [rows, steps]."""
        return self._tensor("valid")

    @property
    def reset(self) -> Tensor:
        """Where the state is zeroed: bool [rows, steps]."""
        return self._tensor("reset")

    @property
    def scored(self) -> Tensor:
        """What counts in loss and metrics: bool [rows, steps]."""
        return self._tensor("scored")

    @property
    def sequence(self) -> Tensor:
        """The sequence of each cell: int64 [rows, steps], −1 at padding."""
        return self._tensor("sequence")

    @property
    def ends(self) -> TensorEnds:
        """Where sequences end."""
        return TensorEnds(**{name: self._tensor(f"ends.{name}") for name in ENDS})

    def _tensor(self, name: str) -> Tensor:
        if name not in self.made:
            self.made[name] = _made(attrgetter(name)(self.host), self.device)
        return self.made[name]

    @property
    def epoch(self) -> int:
        """The pass over the data that it belongs to, counted from 0."""
        return self.host.epoch

    @property
    def grid(self) -> Grid:
        """What lies where, on the host: for `lstm.run`."""
        return self.host.grid

    @property
    def spans(self) -> Spans:
        """The spans, on the host."""
        return self.host.spans

    @property
    def shape(self) -> tuple[int, int]:
        """The rows and steps of the grid."""
        return self.host.shape

    def to(self, device: torch.device | str, *, non_blocking: bool = False) -> "TensorBatch":
        """Returns the batch with its tensors on a device."""
        moved = self._each(lambda tensor: tensor.to(device, non_blocking=non_blocking))
        return replace(moved, device=torch.device(device))

    def pin_memory(self) -> "TensorBatch":
        """Returns the batch with its tensors in pinned memory, from which a GPU copies faster; a DataLoader calls this."""
        for name in NAMES:
            self._tensor(name)
        return self._each(Tensor.pin_memory)

    def _each(self, change: Callable[[Tensor], Tensor]) -> "TensorBatch":
        return replace(
            self,
            fields={name: change(value) if isinstance(value, Tensor) else value for name, value in self.fields.items()},
            made={name: change(value) for name, value in self.made.items()},
        )

    def __reduce__(self) -> tuple[Any, ...]:
        """Sends the values once, and what follows from them not at all."""
        dtypes = {name: value.dtype for name, value in self.fields.items() if isinstance(value, Tensor)}
        return _unpacked, (Parcel.of(self.host), self.device, dtypes)


def batches(
    loader: Iterable[Batch], device: torch.device | str = "cpu", dtype: torch.dtype | None = None
) -> Iterator[TensorBatch]:
    """Yields each batch of the loader as tensors.

    Args:
        loader: a `drystone.Loader`, or anything that yields batches.
        device: where the tensors go.
        dtype: the type of all fields of floating-point numbers; as they come by default.

    Example:
        >>> import drystone as ds
        >>> seqs = ds.Sequences.from_arrays(per_step={"x": [[1.0, 2.0], [3.0]]})
        >>> for batch in batches(ds.Loader(seqs, ds.Padded(2, order="given")), dtype=torch.float32):
        ...     print(batch["x"], batch.valid)
        tensor([[1., 2.],
                [3., 0.]]) tensor([[ True,  True],
                [ True, False]])
    """
    for batch in loader:
        yield to_tensors(batch, device, dtype)


def to_tensors(batch: Batch, device: torch.device | str = "cpu", dtype: torch.dtype | None = None) -> TensorBatch:
    """Returns one batch as tensors; on the CPU they share its memory where the type stays the same."""

    def tensor(array: npt.NDArray[Any]) -> Any:
        if array.dtype.kind not in NUMERIC:
            return array
        found = torch.from_numpy(array).to(device, non_blocking=True)
        return found.to(dtype) if dtype is not None and found.is_floating_point() else found

    fields = {name: tensor(batch[name]) for name in batch.field_names}
    return TensorBatch(host=batch, fields=fields, device=torch.device(device))


@torch.compiler.disable(reason="it cannot follow what leaves inference for a moment")
def _made(array: npt.NDArray[Any], device: torch.device) -> Tensor:
    with torch.inference_mode(mode=False):  # it stays, and may be used in training later
        return torch.from_numpy(array).to(device, non_blocking=True)


def _unpacked(parcel: Parcel, device: torch.device, dtypes: dict[str, torch.dtype]) -> TensorBatch:
    batch = to_tensors(parcel.batch(), device)
    fields = {name: value.to(dtypes[name]) if name in dtypes else value for name, value in batch.fields.items()}
    return replace(batch, fields=fields)
