"""The vendor's LSTM (oneDNN, cuDNN) on unpacked input, whatever lies on the rows.

Such a call knows neither resets nor invalid cells. The rows are laid anew without invalid cells (see `arrangement`),
and two more input features signal what the steps in between do; there all other features are 0.

- *zero the state*: the weights close the input, forget and output gates (−CLOSED). The three sigmoids are exactly 0,
  so h = c = 0 exactly, as long as weights and biases of a gate add up to less than CLOSED − 100.
- *hold the state*, at the end of the shorter rows: the weights close the input gate and open the forget gate
  (+CLOSED). The sigmoids are exactly 0 and 1, and the cell state passes unchanged. The hidden state does not: it is
  read from the output at the row's last valid cell.

The gradients of all gates are exactly 0 on such steps. What is not finite cannot be zeroed: once the state of a
sequence overflows or becomes NaN, the later sequences of its row are NaN too. The reference kernel keeps them apart.

oneDNN knows no projections: on a CPU, PyTorch warns once and runs its own loop for them, as for `nn.LSTM`.
"""

from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from drystone.torch_ops.kernel import Layer, LayerResult, Weights, initial_state
from drystone.torch_ops.lstm_call import lstm_call

CLOSED = 1e4  # far beyond any sum of inputs, and still a finite number in half precision
HOLD, ZERO = (-CLOSED, CLOSED, 0.0, 0.0), (-CLOSED, -CLOSED, 0.0, -CLOSED)  # of the gates i, f, g, o


class Vendor:
    """The library's own LSTM on unpacked input."""

    name = "vendor"
    reads_invalid_cells = True

    def refuses(self, layer: Layer) -> str | None:
        """Refuses devices on which the gates were never shown to close exactly."""
        if layer.x.device.type not in ("cpu", "cuda"):
            return f"its resets are proven exact on cpu and cuda only, and the input is on {layer.x.device}"
        return None

    def run(self, layer: Layer) -> LayerResult:
        """Runs one call, and lays its output back on the grid."""
        arrangement, weights = layer.masks.arrangement, layer.weights
        h, c = initial_state(layer)
        if arrangement.clears is not None:
            h, c = (torch.where(arrangement.clears[:, None], 0.0, part) for part in (h, c))
        x = arrangement.lay(layer.x)
        if arrangement.signals is not None:
            x = torch.cat([x, arrangement.signals.to(x.dtype)], dim=2)
            weights = _signalled(weights)
        raw, h_n, c_n = _call(x, h, c, weights)
        if arrangement.signals is None:
            return LayerResult(arrangement.restore(raw, None), h_n, c_n, None)
        output = arrangement.restore(raw, layer.masks.valid)
        cells = None
        if arrangement.is_zeroed_on_the_way:
            before = h.clone(), c.clone()
            cells = partial(_cells, x, raw, before, _copied(weights), layer, with_gradient=torch.is_grad_enabled())
        return LayerResult(output, _hidden_at(raw, arrangement.last, h), c_n, cells)


def _call(x: Tensor, h: Tensor, c: Tensor, weights: Weights) -> tuple[Tensor, Tensor, Tensor]:
    parameters = [part for part in weights if part is not None]
    has_bias = weights.input_bias is not None
    raw, h_n, c_n = lstm_call(x, h[None], c[None], parameters, has_bias=has_bias)
    return raw, h_n[0], c_n[0]


def _signalled(weights: Weights) -> Weights:
    # Filled on the device: numbers copied from the host would make it wait for the device.
    shape = weights.input.shape[0] // 4, 1
    columns = [torch.cat([weights.input.new_full(shape, gate) for gate in signal]) for signal in (HOLD, ZERO)]
    return weights._replace(input=torch.cat([weights.input, *columns], dim=1))


def _copied(weights: Weights) -> Weights:
    """Returns weights that an update in place does not change; without the projection, which cell states do not need."""
    biases = (None if bias is None else bias.clone() for bias in (weights.input_bias, weights.hidden_bias))
    return Weights(weights.input.clone(), weights.hidden.clone(), *biases)


def _hidden_at(raw: Tensor, last: Tensor, before: Tensor) -> Tensor:
    index = last.clamp(min=0)[None, :, None].expand(1, -1, raw.shape[2])
    return torch.where((last >= 0)[:, None], raw.gather(0, index)[0], before)


def _cells(
    x: Tensor, raw: Tensor, state: tuple[Tensor, Tensor], weights: Weights, layer: Layer, *, with_gradient: bool
) -> Tensor:
    """Works out the cell states, which the call does not show, from the hidden states, which it does.

    All gates together are two matrix products; only the sum c = f · c + i · g goes step by step.
    """
    h, c = state
    with torch.set_grad_enabled(with_gradient), torch.autocast(x.device.type, enabled=False):
        three = 3 * c.shape[1]  # the gates i, f and g; c does not need o
        input_bias, hidden_bias = (
            None if bias is None else bias[:three] for bias in (weights.input_bias, weights.hidden_bias)
        )
        gates = functional.linear(x, weights.input[:three], input_bias)
        gates = gates + functional.linear(torch.cat([h[None], raw[:-1]]), weights.hidden[:three], hidden_bias)
        i, f, g = gates.chunk(3, dim=2)
        kept, added = f.sigmoid(), i.sigmoid() * g.tanh()
        cells: list[Tensor] = []
        for kept_now, added_now in zip(kept.unbind(), added.unbind(), strict=True):
            c = torch.addcmul(added_now, kept_now, c)
            cells.append(c)
        return layer.masks.arrangement.restore(torch.stack(cells), layer.masks.valid)
