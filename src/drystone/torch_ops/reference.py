"""The plain loop over steps: any device and dtype, any masks; what every other kernel is measured against."""

import torch
from torch import Tensor
from torch.nn import functional

from drystone.torch_ops.kernel import Layer, LayerResult, initial_state


class Reference:
    """The recurrence of Hochreiter and Schmidhuber (1997) with forget gates, step by step."""

    name = "reference"
    reads_invalid_cells = True

    def refuses(self, layer: Layer) -> str | None:
        """Refuses nothing."""
        return None

    def run(self, layer: Layer) -> LayerResult:
        """Runs the loop; `where`, not multiplication, keeps NaN from crossing a reset."""
        weights, masks = layer.weights, layer.masks
        projected = functional.linear(layer.x, weights.input, weights.input_bias)
        h, c = initial_state(layer)
        outputs: list[Tensor] = []
        cells: list[Tensor] = []
        for step, gates in enumerate(projected.unbind(1)):
            if masks.reset is not None:
                reset = masks.reset[:, step, None]
                h, c = torch.where(reset, 0.0, h), torch.where(reset, 0.0, c)
            i, f, g, o = (gates + functional.linear(h, weights.hidden, weights.hidden_bias)).chunk(4, dim=-1)
            c_new = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h_new = o.sigmoid() * c_new.tanh()
            if weights.projection is not None:
                h_new = functional.linear(h_new, weights.projection)
            if masks.valid is None:
                h, c, output = h_new, c_new, h_new
            else:
                valid = masks.valid[:, step, None]
                h, c = torch.where(valid, h_new, h), torch.where(valid, c_new, c)
                output = torch.where(valid, h_new, 0.0)
            outputs.append(output)
            cells.append(c)
        all_cells = torch.stack(cells, 1)
        return LayerResult(torch.stack(outputs, 1), h, c, lambda: all_cells)
