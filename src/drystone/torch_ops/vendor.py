"""One unpacked call of the vendor's LSTM (oneDNN, cuDNN), where each row holds one run of valid cells.

Invalid cells would change the state, so they are told apart by one more input feature: on them it is 1 and all
others are 0; its weights close the input gate (−HOLD) and open the forget gate (+HOLD). The sigmoids are then
exactly 0 and 1 (as long as biases and weights add up to less than HOLD − 100), the cell state passes unchanged, and all gate gradients are exactly 0. The hidden state is not
held, so it is read from the output at the last valid cell; before the first valid cell it stays 0 if the state
is zero there.
"""

import torch
from torch import Tensor

from drystone.torch_ops.kernel import Layer, LayerResult, Masks, Weights, initial_state
from drystone.torch_ops.lstm_call import lstm_call

HOLD = 1e4  # far beyond any sum of inputs, and still a finite number in half precision


class Vendor:
    """The library's own LSTM on unpacked input."""

    name = "vendor"

    def refuses(self, layer: Layer) -> str | None:
        """Refuses projections, rows of several runs, and states that would have to survive invalid cells before the first valid."""
        if layer.weights.projection is not None:
            return "the layer has a projection (proj_size)"
        if not layer.masks.is_one_run:
            return "a row holds several sequences, or invalid cells between valid ones"
        if layer.masks.has_lead and layer.state is not None:
            return "a state must be kept over invalid cells at the start of a row"
        return None

    def run(self, layer: Layer) -> LayerResult:
        """Runs one call and puts right what invalid cells did to h."""
        masks = layer.masks
        h, c = (_cleared(part, masks) for part in initial_state(layer))
        x, weights = (layer.x, layer.weights) if masks.valid is None else _holding(layer.x, layer.weights, masks.valid)
        parameters = [part for part in weights if part is not None]
        has_bias = weights.input_bias is not None
        raw, h_n, c_n = lstm_call(x, h[None], c[None], parameters, has_bias=has_bias, batch_first=True)
        if masks.valid is None:
            return LayerResult(raw, h_n[0], c_n[0], None)
        output = torch.where(masks.valid[..., None], raw, 0.0)
        return LayerResult(output, _hidden_at(output, masks.last, h), c_n[0], None)


def _cleared(part: Tensor, masks: Masks) -> Tensor:
    return part if masks.reset is None else torch.where(masks.clears[:, None], 0.0, part)


def _holding(x: Tensor, weights: Weights, valid: Tensor) -> tuple[Tensor, Weights]:
    hidden = weights.hidden.shape[1]
    column = x.new_zeros(4 * hidden, 1)
    column[:hidden] = -HOLD
    column[hidden : 2 * hidden] = HOLD
    flagged = torch.cat([x, (~valid)[..., None].to(x.dtype)], dim=2)
    return flagged, weights._replace(input=torch.cat([weights.input, column], dim=1))


def _hidden_at(output: Tensor, last: Tensor, before: Tensor) -> Tensor:
    index = last.clamp(min=0)[:, None, None].expand(-1, 1, output.shape[2])
    return torch.where((last >= 0)[:, None], output.gather(1, index)[:, 0], before)
