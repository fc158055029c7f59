"""The loaders that training and prediction read."""

from collections.abc import Collection

import torch

from drystone.core.layouts import Layout
from drystone.core.loader import Loader
from drystone.core.sequences import Sequences
from drystone.train.layouts import prediction_layout

READ_AHEAD = 8  # batches


def loader_of(
    seqs: Sequences, layout: Layout, fields: Collection[str], device: torch.device, *, seed: int = 0
) -> Loader:
    """Returns a loader of the fields that a model on a device is given."""
    in_background = device.type != "cpu"  # a thread takes its time from a CPU that is busy with the model
    return Loader(seqs, layout, seed, fields=fields, read_ahead=READ_AHEAD, in_background=in_background)


def prediction_loader(seqs: Sequences, fields: Collection[str], device: torch.device) -> Loader:
    """Returns a loader of whole sequences for evaluation and prediction, whose layout no result depends on."""
    return loader_of(seqs, prediction_layout(seqs.lengths), fields, device)
