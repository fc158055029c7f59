"""What PyTorch asks of a call before it takes cuDNN's persistent algorithms, which keep the weights on the chip.

For any type of numbers it takes the one for few units (up to 192 forward, 128 backward) by itself. The one for more
units, up to 1,024, is taken in float16 only, if units and features are multiples of 128 and rows of 8. Units are what
the user chose; features and rows are filled up with zeros here. A row or a feature of zeros changes no other one, and
the gradients of both are cut off. (PyTorch 2.13, aten/src/ATen/native/cudnn/RNN.cpp.)

cuDNN reads its weights from one block of memory. Where they lie elsewhere PyTorch copies them at every call, and warns.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

FEATURES_AND_UNITS = 128
MOST_UNITS = 1024
MOST_ROWS = 128
ROWS = 8
FEWEST_MULTIPROCESSORS = 98  # smaller devices of the same generation have too little room


class Filling(NamedTuple):
    """How many rows and features of zeros a call gets."""

    rows: int
    features: int


NOTHING = Filling(0, 0)


def filling_for_persistent(x: Tensor, num_units: int, *, is_projected: bool) -> Filling:
    """Returns what x, [steps, rows, features], lacks for a persistent algorithm; nothing where there is none to reach."""
    if x.device.type != "cuda" or x.dtype != torch.float16 or is_projected or not _is_persistent_device(x.device):
        return NOTHING
    rows, features = x.shape[1:]
    if num_units % FEATURES_AND_UNITS or num_units > MOST_UNITS or rows > MOST_ROWS:
        return NOTHING
    return Filling(-rows % ROWS, -features % FEATURES_AND_UNITS)


def filled(
    x: Tensor, h: Tensor, c: Tensor, parameters: Sequence[Tensor], filling: Filling
) -> tuple[Tensor, Tensor, Tensor, list[Tensor]]:
    """Returns what `lstm_call` takes with the rows and features of zeros after the others."""
    x = functional.pad(x, (0, filling.features, 0, filling.rows))
    h, c = (functional.pad(part, (0, 0, 0, filling.rows)) for part in (h, c))
    return x, h, c, [functional.pad(parameters[0], (0, filling.features)), *parameters[1:]]


def _is_persistent_device(device: torch.device) -> bool:
    properties = torch.cuda.get_device_properties(device)
    is_consumer = (properties.major, properties.minor) == (8, 6)
    return properties.major >= 8 and not is_consumer and properties.multi_processor_count >= FEWEST_MULTIPROCESSORS


def in_one_block(parameters: Sequence[Tensor]) -> list[Tensor]:
    """Returns the parameters as views of one block of memory, one after the other."""
    block = torch.cat([part.flatten() for part in parameters])
    parts = block.split([part.numel() for part in parameters])
    return [part.view_as(like) for part, like in zip(parts, parameters, strict=True)]
