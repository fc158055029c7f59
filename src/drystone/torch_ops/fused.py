"""Our own recurrence for CPUs: no padding and no reset costs a step, whatever lies on the rows.

The valid cells of a grid fall into runs, each of one sequence; the kernel lays runs into lanes of about equal length and
takes as many lanes through a step as registers hold (native/lstm_steps.inl.hpp).
"""

from functools import partial

import torch
from torch import Tensor, nn
from torch.autograd import forward_ad
from torch.nn import functional

from drystone.torch_ops.fused_call import fused_call
from drystone.torch_ops.fused_native import WHY_MISSING
from drystone.torch_ops.fused_passes import Inputs
from drystone.torch_ops.kernel import Layer, LayerResult, Lookup, Weights, without_invalid_cells
from drystone.torch_ops.reference import Reference
from drystone.torch_ops.runs import Runs


class Fused:
    """The native recurrence between PyTorch's large matrix products."""

    name = "fused"
    reads_invalid_cells = False

    def refuses(self, layer: Layer) -> str | None:
        """Refuses what was not built, and what its operator cannot follow."""
        x = layer.x
        if x.device.type != "cpu":
            return f"it runs on cpu only, and the input is on {x.device}"
        if x.dtype not in (torch.float32, torch.float64):
            return f"it knows float32 and float64, and the input is {x.dtype}"
        if layer.weights.projection is not None:
            return "it knows no projection (proj_size)"
        if torch.compiler.is_exporting() or torch._C._get_tracing_state() is not None:
            return "an exported model needs PyTorch's own operators"
        return WHY_MISSING if torch.compiler.is_compiling() else _why_not_now(layer) or WHY_MISSING

    def run(self, layer: Layer) -> LayerResult:
        """Runs the layer over the runs of its grid."""
        masks, runs = layer.masks, layer.masks.runs
        h, c = (None, None) if layer.state is None else layer.state
        if layer.lookup is not None and _pays_off(layer.lookup, runs):
            inputs = _looked_up(layer, layer.lookup)
        else:
            inputs = Inputs(layer.x, h, c, *layer.weights[:4], runs.starts, runs.rows, runs.places)

        def plain(inputs: Inputs) -> tuple[Tensor, Tensor]:
            again = Layer(*_without_lookup(inputs), masks)
            result = Reference().run(without_invalid_cells(again))
            assert result.cells is not None
            cells = result.cells().flatten(0, 1)
            return result.output, cells if runs.places is None else cells.index_select(0, runs.places)

        output, cells = fused_call(inputs, plain)
        flat = output.flatten(0, 1)
        taken = flat if runs.places is None else flat.index_select(0, runs.places)
        all_cells = partial(_on_grid, cells, runs.places, output.shape[:2])
        return LayerResult(output, runs.after(taken, h), runs.after(cells, c), all_cells)


def _pays_off(lookup: Lookup, runs: Runs) -> bool:
    """Whether there are more cells than vectors, each of which goes through the input weights once then."""
    num_cells = lookup.ids.numel() if runs.places is None else len(runs.places)
    return len(lookup.vectors) < num_cells


def _looked_up(layer: Layer, lookup: Lookup) -> Inputs:
    """Returns the inputs of a call whose biases hold what each vector adds to the gates; x is empty."""
    weights, (num_rows, num_steps) = layer.weights, layer.x.shape[:2]
    h, c = layer.state or (None, None)
    bias = (
        None if weights.input_bias is None or weights.hidden_bias is None else weights.input_bias + weights.hidden_bias
    )
    biases = functional.linear(lookup.vectors, weights.input, bias)
    x, no_weights = layer.x.new_empty(num_rows, num_steps, 0), weights.input.new_empty(len(weights.input), 0)
    runs = layer.masks.runs
    return Inputs(x, h, c, no_weights, weights.hidden, biases, None, runs.starts, runs.rows, runs.places, lookup.ids)


def _without_lookup(inputs: Inputs) -> tuple[Tensor, tuple[Tensor, Tensor] | None, Weights]:
    if inputs.bias_of is None:
        return inputs.x, inputs.state, Weights(*inputs[3:7])
    assert inputs.input_bias is not None
    x = functional.embedding(inputs.bias_of, inputs.input_bias)
    same = torch.eye(x.shape[2], dtype=x.dtype)
    return x, inputs.state, Weights(same, inputs.hidden_weights, None, None)


def _why_not_now(layer: Layer) -> str | None:
    if torch._C._are_functorch_transforms_active():
        return "function transforms (torch.func) cannot see through it"
    given = (layer.x, *(layer.state or ()), *layer.weights, *(layer.lookup or ()))
    tensors = [part for part in given if part is not None]
    if torch._C._len_torch_dispatch_stack() or any(type(part) not in (Tensor, nn.Parameter) for part in tensors):
        return "a mode or a subclass of tensors wants to see PyTorch's own operators"
    if any(forward_ad.unpack_dual(part).tangent is not None for part in tensors):
        return "it has no forward-mode derivative"
    return None


def _on_grid(cells: Tensor, places: Tensor | None, shape: torch.Size) -> Tensor:
    if places is not None:
        cells = cells.new_zeros(shape.numel(), cells.shape[1]).index_copy(0, places, cells)
    return cells.unflatten(0, shape)
