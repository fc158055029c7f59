"""Carried state over ranks: in a checkpoint it is that of the whole plan's rows, so that any number of ranks goes on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from drystone.core.errors import ConfigError
from drystone.core.loader import Loader
from drystone.core.shares import goes_on, rows_with_state
from drystone.torch.batch import to_tensors
from drystone.torch.carried_state import CarriedState, each_tensor
from drystone.torch.plain_batch import to_plain
from drystone.train.ranks.ranks import Ranks

Ints = npt.NDArray[np.int64]


def state_of_whole(carried: CarriedState, loader: Loader, ranks: Ranks) -> dict[str, Any] | None:
    """Returns the carried state of all ranks, on rank 0, as `CarriedState.state_dict` of one process has it.

    Args:
        carried: of this rank.
        loader: of this rank, at its position after the batch that the state is of.
        ranks: all of them, which all ask.
    """
    if ranks.is_alone:
        return carried.state_dict()
    parts = ranks.gathered_by_first((carried.before, len(carried.lead), carried.num_rows))
    if not ranks.is_first:
        return None
    whole, number = loader.share(0, 1), loader.state_dict()["batches"]
    befores, leads, nums = zip(*parts, strict=True)
    if not number or nums[0] is None or not goes_on(whole.plan):
        return carried.restarted().state_dict()
    num_rows, _ = whole.plan.shape(number - 1)
    rank_of, _ = rows_with_state(whole.plan, ranks.num_ranks)
    rows = [np.flatnonzero(rank_of[:num_rows] == rank) for rank in range(ranks.num_ranks)]
    lead = [to_plain(whole.batch(number - back)) for back in range(max(leads), 0, -1)]
    return {"before": _joined(befores, rows, num_rows), "lead": lead, "num_rows": num_rows}


def state_of_rank(
    carried: CarriedState, state: Mapping[str, Any], loader: Loader, ranks: Ranks, device: torch.device
) -> CarriedState:
    """Returns the carried state of a rank, from what `state_of_whole` returned for any number of ranks.

    Args:
        carried: of this rank, before anything is carried.
        state: of the whole.
        loader: of this rank, at the position that the state is of.
        ranks: all of them.
        device: of the state.

    Raises:
        ConfigError: a tensor does not have the rows where they belong, so it cannot be taken apart.
    """
    if ranks.is_alone:
        return carried.loaded(state, device)
    number = loader.state_dict()["batches"]
    if not number or state["num_rows"] is None:
        return carried
    whole = loader.share(0, 1)
    if not goes_on(whole.plan):
        return carried
    rank_of, _ = rows_with_state(whole.plan, ranks.num_ranks)
    num_rows, _ = loader.plan.shape(number - 1)
    taken = _Taken(np.flatnonzero(rank_of[: state["num_rows"]] == ranks.rank), num_rows, state["num_rows"])
    lead = [loader.batch(number - back) for back in range(len(state["lead"]), 0, -1)]
    return CarriedState(
        backprop_steps=carried.backprop_steps,
        before=each_tensor(state["before"], lambda tensor: taken(tensor).to(device)),
        lead=tuple(to_tensors(batch, device) for batch in lead),
        num_rows=num_rows,
    )


def axis_of_rows(tensor: Tensor) -> int:
    """Returns where the rows of a state lie: as PyTorch's cells have them, [rows, units], or its layers, [layers, rows, units]."""
    return 1 if tensor.ndim > 2 else 0


@dataclass(frozen=True, slots=True)
class _Taken:
    """Takes some rows of a tensor of all of them, and rows of zeros up to a number."""

    rows: Ints
    num_rows: int
    num_of_whole: int

    def __call__(self, whole: Tensor) -> Tensor:
        axis = axis_of_rows(whole)
        if not whole.ndim or whole.shape[axis] != self.num_of_whole:
            raise ConfigError(
                f"the carried state holds a tensor of shape {list(whole.shape)} for {self.num_of_whole} rows; to go on on several "
                f"ranks, or another number of them, rows must be the first axis of up to two, or the second of more."
            )
        shape = list(whole.shape)
        shape[axis] = self.num_rows
        found = whole.new_zeros(shape)
        found.narrow(axis, 0, len(self.rows)).copy_(whole.index_select(axis, torch.from_numpy(self.rows)))
        return found


def _joined(befores: Sequence[Any], rows: Sequence[Ints], num_rows: int) -> Any:
    """Puts the rows of all ranks where they are in the whole; a rank that carries nothing has zeros."""
    known = [(before, found) for before, found in zip(befores, rows, strict=True) if before is not None]
    if not known:
        return None
    parts = iter([_leaves(before) for before, _ in known])
    columns = iter(list(zip(*parts, strict=True)))

    def join(_: Tensor) -> Tensor:
        tensors = next(columns)
        axis = axis_of_rows(tensors[0])
        shape = list(tensors[0].shape)
        shape[axis] = num_rows
        whole = tensors[0].new_zeros(shape)
        for tensor, (_before, places) in zip(tensors, known, strict=True):
            whole.index_copy_(axis, torch.from_numpy(places), tensor.narrow(axis, 0, len(places)))
        return whole

    return each_tensor(known[0][0], join)


def _leaves(nest: Any) -> list[Tensor]:
    found: list[Tensor] = []
    each_tensor(nest, lambda tensor: (found.append(tensor), tensor)[1])
    return found
