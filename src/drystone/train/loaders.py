"""The loaders that training and prediction read."""

import torch

from drystone.core.layouts import Layout
from drystone.core.loader import Loader
from drystone.core.sequences import Sequences
from drystone.train.features import Features
from drystone.train.layouts import prediction_layout

READ_AHEAD = 8  # batches


def loader_of(seqs: Sequences, layout: Layout, features: Features, device: torch.device, *, seed: int = 0) -> Loader:
    """Returns a loader of the inputs of a model on a device."""
    in_background = device.type != "cpu"  # a thread takes its time from a CPU that is busy with the model
    return Loader(seqs, layout, seed, fields=features.names, read_ahead=READ_AHEAD, in_background=in_background)


def prediction_loader(seqs: Sequences, features: Features, device: torch.device) -> Loader:
    """Returns a loader for evaluation and prediction, whose layout no result depends on."""
    return loader_of(seqs, prediction_layout(seqs.lengths), features, device)
