"""PyTorch's `PackedSequence` laid out, one sequence a row, and back; nothing waits for the device."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from drystone.core.grid import Grid
from drystone.torch.directions import Direction, completed, directions_of

State = tuple[Tensor, Tensor]


class Unpacked(NamedTuple):
    """A packed sequence laid out: rows from the longest to the shortest."""

    x: Tensor  # [rows, steps, features]
    lengths: Tensor  # [rows], on the host
    directions: tuple[Direction, ...]


@torch.compiler.disable(reason="a PackedSequence is read on the host")
def unpack(packed: PackedSequence, *, both: bool, for_compiler: bool) -> Unpacked:
    """Lays a packed sequence out, for one direction or for both."""
    x, lengths = pad_packed_sequence(PackedSequence(packed.data, packed.batch_sizes), batch_first=True)
    valid = np.arange(x.shape[1]) < lengths.numpy()[:, None]
    grid = Grid.from_masks(reset=np.zeros_like(valid), valid=valid)
    directions = directions_of(grid, x.device, both=both, one_run_a_row=True)
    return Unpacked(x, lengths, completed(directions) if for_compiler else directions)


def pack(output: Tensor, lengths: Tensor, like: PackedSequence) -> PackedSequence:
    """Returns [rows, steps, units] packed in the order of another packed sequence."""
    data, batch_sizes, *_ = pack_padded_sequence(output, lengths, batch_first=True)
    return PackedSequence(data, batch_sizes, like.sorted_indices, like.unsorted_indices)


def in_order(state: State, order: Tensor | None) -> State:
    """Returns a state whose rows, [layers, rows, ...], are taken in an order; None leaves them as they are."""
    if order is None:
        return state
    return state[0].index_select(1, order), state[1].index_select(1, order)
