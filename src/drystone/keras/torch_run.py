"""One layer on PyTorch's kernels; imported only where Keras runs on PyTorch."""

from typing import Any

import torch
from torch import Tensor

from drystone.keras.masks import GridMasks
from drystone.torch_ops.arrangement import to_host
from drystone.torch_ops.choose import KERNELS, choose
from drystone.torch_ops.kernel import Layer, Masks, Weights


def torch_run(
    x: Tensor, state: list[Tensor], masks: GridMasks, parameters: list[Any], *, kernel: str
) -> tuple[Tensor, list[Tensor]]:
    """Returns the output at every cell, [rows, steps, units], and h and c after each row's last one.

    The masks are read on the host; on a GPU that waits for the device.

    Args:
        x: the inputs, [rows, steps, features], 0 at invalid cells.
        state: h and c that rows start from, [rows, units] each.
        masks: of the cells, in the order of the run.
        parameters: kernel [features, 4 × units], recurrent kernel [units, 4 × units] and bias [4 × units] or None;
            gates in the order of Keras, which is PyTorch's: i, f, c (there called g), o.
        kernel: the name of a kernel, or "auto".
    """
    weights_in, weights_hidden, bias = parameters
    second_bias = None if bias is None else torch.zeros_like(bias)  # Keras has one bias, PyTorch two
    layer = Layer(
        x,
        (state[0], state[1]),
        Weights(weights_in.T.contiguous(), weights_hidden.T.contiguous(), bias, second_bias),
        _read(masks, x),
    )
    result = choose(kernel, layer).run(layer)
    # The vendor's kernel lets NaN cross a reset; it then lasts to the end of the row, where the state shows it.
    if layer.masks.reset is not None and not bool(result.c.isfinite().all()):
        result = KERNELS["reference"].run(layer)
    return result.output, [result.h, result.c]


@torch.compiler.disable(reason="masks are read on the host")
def _read(masks: GridMasks, x: Tensor) -> Masks:
    rows, steps = x.shape[:2]
    if (masks.reset is None and masks.valid is None) or x.device.type == "meta":  # no values to read there
        return Masks.none(rows, steps, x.device)
    return Masks.of(
        valid=to_host(masks.valid, (rows, steps), default=True),
        reset=to_host(masks.reset, (rows, steps), default=False),
        device=x.device,
    )
