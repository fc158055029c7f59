"""`torch.nn.LSTM` over the grid: exact on padded, bucketed and packed batches, and on carried state."""

import warnings
from functools import partial

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional
from torch.nn.utils.rnn import PackedSequence

from drystone.core.batch import Batch
from drystone.core.errors import ShapeError
from drystone.core.grid import Grid
from drystone.core.shuffle import check_seed
from drystone.torch.batch import TensorBatch
from drystone.torch.checks import check_grid, check_ids, check_input, check_mask, check_state, check_tensor
from drystone.torch.directions import Direction, directions_of, directions_of_masks, unmasked
from drystone.torch.drop import drop
from drystone.torch.dropout import DropoutSettings, SequenceDropout, sequence_dropout
from drystone.torch.lstm_run import LSTMRun, State
from drystone.torch.packed import in_order, pack, unpack
from drystone.torch.parameters import Parameters, Sizes, check_fraction
from drystone.torch.precision import run_dtype, without_autocast
from drystone.torch.prepared import PreparedGrid
from drystone.torch.stack import Stacked, run_stack
from drystone.torch_ops.choose import check_kernel, explain
from drystone.torch_ops.kernel import Layer, Lookup, Weights

SHOWN = {
    "num_layers": 1,
    "bias": True,
    "batch_first": True,
    "dropout": 0.0,
    "bidirectional": False,
    "proj_size": 0,
    "variational_dropout": 0.0,
    "weight_dropout": 0.0,
}
"""What `repr` shows where it is not as usual."""


class LSTM(Parameters):
    """An LSTM over grids; parameters, their names and their initial values are those of `torch.nn.LSTM`.

    Args:
        input_size: features a step.
        hidden_size: units a layer and direction.
        num_layers: layers, one on the output of the other.
        bias: whether gates have biases.
        batch_first: whether inputs, outputs and masks are [rows, steps, ...] (else [steps, rows, ...]).
        dropout: fraction dropped between layers in training, 0 … 1; each value on its own.
        bidirectional: whether a second set of layers runs backward through each sequence.
        proj_size: units that h is projected to, less than hidden_size; 0 for no projection.
        device, dtype: of the parameters.
        kernel: "auto", or one of "fused" (native, CPUs only), "vendor" and "reference". "vendor" is exact as long as
            what enters a gate beside the inputs (biases, and weights times h) stays below 9,900; the others know no
            such bound.
        variational_dropout: fraction of each layer's inputs dropped in training, from 0 to less than 1: the same
            ones at all steps of a sequence (Gal and Ghahramani, 2016). They follow from (dropout_seed, epoch,
            sequence, layer) alone, so they last over batches and ranks; `run` and `prepare` then need the epoch.
        weight_dropout: fraction of the recurrent weights dropped in training, from 0 to less than 1, anew at every
            call (Merity, Keskar and Socher, 2018).
        dropout_seed: fixes what variational dropout drops.

    In the forms of dropout, what is kept is divided by 1 − fraction. Under autocast it runs in the type that
    autocast asks for, as `nn.LSTM` does: outputs and states have that type. Weights in float64 keep theirs.

    Raises:
        ShapeError: a size or a fraction out of range.

    Example:
        >>> import drystone as ds
        >>> import numpy as np
        >>> from drystone.torch import LSTM, batches
        >>> seqs = ds.Sequences.from_arrays(per_step={"x": [np.ones((3, 2), "f"), np.ones((1, 2), "f")]})
        >>> batch = next(batches(ds.Loader(seqs, ds.Packed(rows=1, steps=4, order="given"))))
        >>> lstm = LSTM(2, 8)
        >>> output, state = lstm(batch["x"], reset=batch.reset, valid=batch.valid)
        >>> output.shape, bool((output[0, 0] == output[0, 3]).all())
        (torch.Size([1, 4, 8]), True)
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = True,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        *,
        kernel: str = "auto",
        variational_dropout: float = 0.0,
        weight_dropout: float = 0.0,
        dropout_seed: int = 0,
    ) -> None:
        sizes = Sizes(
            features=input_size,
            hidden=hidden_size,
            projected=proj_size,
            layers=num_layers,
            bias=bias,
            bidirectional=bidirectional,
        )
        super().__init__(sizes, device, dtype)
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = check_fraction("dropout", dropout, may_be_1=True)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self.kernel = check_kernel(kernel)
        self.variational_dropout = check_fraction("variational_dropout", variational_dropout)
        self.weight_dropout = check_fraction("weight_dropout", weight_dropout)
        self.dropout_seed = check_seed("dropout_seed", dropout_seed)
        if dropout and num_layers == 1:
            warnings.warn(f"dropout={dropout} acts between layers, and there is only one.", stacklevel=2)

    def forward(
        self,
        x: Float[Tensor, "*cells features"] | PackedSequence,
        state: State | None = None,
        *,
        reset: Bool[Tensor, "*cells"] | None = None,
        valid: Bool[Tensor, "*cells"] | None = None,
    ) -> tuple[Float[Tensor, "*cells outputs"] | PackedSequence, State]:
        """Returns the output at every cell, and the state after each row's last valid cell.

        Without `reset` each row is one run, as in `nn.LSTM`. The masks are read on the host: on a GPU that
        waits for the device; `run` with a batch's own grid does not.

        Args:
            x: the inputs, [rows, steps, features]; or of one sequence, [steps, features]; or a PackedSequence, for
                which the output is one too.
            state: h and c that rows start from, [layers × directions, rows, units] and [..., hidden], without
                rows for one sequence; zeros by default. The rows of a PackedSequence are in the order of its
                sequences before packing.
            reset: true where the state is zeroed just before a cell; passed-in state too.
            valid: true where a cell holds a real step; others output 0 and leave the state unchanged.

        Raises:
            ShapeError: shapes, types or devices that do not fit; a backward direction on a row that does not start
                with a reset; variational dropout in training, which needs `run`.
        """
        if self.training and self.variational_dropout:
            raise ShapeError(
                "variational dropout must know which sequence lies where, and masks do not say it: "
                "in training, call lstm.run(x, batch.grid, epoch=...)."
            )
        if isinstance(x, PackedSequence):
            return self._forward_packed(x, state, has_masks=reset is not None or valid is not None)
        check_tensor(x)
        check_mask("reset", reset, x)
        check_mask("valid", valid, x)
        if x.ndim == 3:
            return self._forward_rows(x, state, reset, valid)
        return self._forward_unbatched(x, state, reset, valid)

    @torch.compiler.disable(reason="grids are read on the host: prepare them before, with lstm.prepare(batch.grid)")
    def prepare(self, grid: Grid, *, epoch: int | None = None) -> PreparedGrid:
        """Returns the grid with all that `run` must know of it on the device of the weights.

        Doing this outside of a function under `torch.compile` keeps that function one graph; inside of a
        prefetching loop it is done ahead. The device is never waited for.

        Args:
            grid: `batch.grid`.
            epoch: counts passes over the data, for variational dropout; `batch.epoch`.

        Raises:
            ShapeError: a backward direction on a sequence that spans several batches.

        Example:
            >>> grid = Grid.from_masks(reset=[[True, False, True]], valid=[[True, True, True]])
            >>> lstm = LSTM(2, 8)
            >>> prepared = lstm.prepare(grid)
            >>> lstm.run(torch.zeros(1, 3, 2), prepared).output.shape
            torch.Size([1, 3, 8])
        """
        with torch.inference_mode(mode=False):  # such tensors would serve nowhere else
            return self._read(grid, epoch).complete()

    def run(
        self,
        x: Float[Tensor, "a b features"] | Int[Tensor, "a b"],
        grid: Grid | PreparedGrid,
        state: State | None = None,
        *,
        epoch: int | None = None,
        vectors: Float[Tensor, "vectors features"] | None = None,
    ) -> LSTMRun:
        """Runs over the grid of a batch; the device is never waited for.

        Args:
            x: the inputs, [rows, steps, features]; or, with `vectors`, int64 [rows, steps].
            grid: `batch.grid`, or what `prepare` made of it.
            state: h and c that rows start from, [layers × directions, rows, units] and [..., hidden]; zeros by
                default.
            epoch: counts passes over the data, for variational dropout; `batch.epoch`.
            vectors: [vectors, features], of which x says one a cell, such as those of words: the same as
                `run(vectors[x], ...)`. Where there are more cells than vectors, the fused kernel multiplies each vector with
                the input weights once, not each cell.

        Raises:
            ShapeError: shapes, types or devices that do not fit; a backward direction on a sequence that
                spans several batches; variational dropout in training without an epoch.
        """
        prepared = self._prepared(grid, epoch)
        lookup = None
        if vectors is not None:
            lookup = Lookup(self._turned(check_ids(x, vectors)), vectors)
            x = functional.embedding(x, vectors)
        self._check(x, prepared.num_rows, prepared.num_steps, state)
        stacked = self._stack(self._turned(x), state, prepared.directions, prepared.dropout, lookup)
        return LSTMRun(
            output=self._turned(stacked.output),
            state=stacked.state(),
            final_h=stacked.final_h(prepared.last_steps),
            final_c=partial(stacked.final_c, prepared.last_steps),
        )

    def explain(self, batch: TensorBatch | Batch | Grid) -> str:
        """Returns one line a kernel: which one runs a batch, and why each other does not.

        Args:
            batch: a batch, or its grid.

        Raises:
            ShapeError: a backward direction on a sequence that spans several batches; no kernel runs that.

        Example:
            >>> print(LSTM(2, 8).explain(Grid.from_masks(reset=[[True, False, True]], valid=[[True, True, True]])))
            fused: runs, the first that can
            vendor: not needed: fused runs and comes first
            reference: not needed: fused runs and comes first
        """
        grid = batch.grid if isinstance(batch, TensorBatch | Batch) else batch
        check_grid(grid)
        weight = self.first_weight
        weights = self.weights("_l0", run_dtype(weight.device, weight.dtype))
        x = weights.input.new_zeros(()).expand(grid.num_rows, grid.num_steps, self.input_size)
        masks = directions_of(grid, x.device, both=self.bidirectional)[0].masks
        return explain(self.kernel, Layer(x, None, weights, masks))

    def _dropout_settings(self) -> DropoutSettings:
        features = tuple(self.sizes.below(layer) for layer in range(self.num_layers))
        return DropoutSettings(self.variational_dropout, self.dropout_seed, features)

    def _read(self, grid: Grid, epoch: int | None) -> PreparedGrid:
        check_grid(grid)
        device = self.first_weight.device
        dropout = None
        if self.variational_dropout and epoch is not None:
            dropout = sequence_dropout(grid, device, self._dropout_settings(), epoch)
        return PreparedGrid.of(grid, device, both=self.bidirectional, dropout=dropout)

    def _prepared(self, grid: Grid | PreparedGrid, epoch: int | None) -> PreparedGrid:
        if not isinstance(grid, PreparedGrid):
            epoch = epoch if self.training else None
            grid = self.prepare(grid, epoch=epoch) if torch.compiler.is_compiling() else self._read(grid, epoch)
        elif epoch is not None:
            raise ShapeError("this grid is prepared already: pass the epoch to lstm.prepare.")
        else:
            dropout = self._dropout_settings() if self.training else None
            grid.check_fits(self.first_weight.device, self.sizes.directions, dropout)
        if self.training and self.variational_dropout and grid.dropout is None:
            raise ShapeError("variational dropout must know the epoch in training: pass epoch=batch.epoch.")
        return grid

    def _forward_unbatched(
        self, x: Tensor, state: State | None, reset: Tensor | None, valid: Tensor | None
    ) -> tuple[Tensor, State]:
        check_state(state, self.sizes.state_shapes(), x)
        axis = 0 if self.batch_first else 1
        masks = (None if mask is None else mask.unsqueeze(axis) for mask in (reset, valid))
        before = None if state is None else (state[0][:, None], state[1][:, None])
        output, (h, c) = self._forward_rows(x.unsqueeze(axis), before, *masks)
        return output.squeeze(axis), (h[:, 0], c[:, 0])

    def _forward_rows(
        self, x: Tensor, state: State | None, reset: Tensor | None, valid: Tensor | None
    ) -> tuple[Tensor, State]:
        num_rows, num_steps = x.shape[:2] if self.batch_first else (x.shape[1], x.shape[0])
        self._check(x, num_rows, num_steps, state)
        if reset is None and valid is None:
            directions = unmasked(num_rows, num_steps, x.device, both=self.bidirectional)
        else:
            directions = directions_of_masks(
                x,
                reset,
                valid,
                batch_first=self.batch_first,
                both=self.bidirectional,
                for_compiler=torch.compiler.is_compiling(),
            )
        stacked = self._stack(self._turned(x), state, directions)
        return self._turned(stacked.output), stacked.state()

    def _forward_packed(
        self, packed: PackedSequence, state: State | None, *, has_masks: bool
    ) -> tuple[PackedSequence, State]:
        if has_masks:
            raise ShapeError("a PackedSequence says itself where its steps are: pass no masks with it.")
        check_input(packed.data, (len(packed.data), self.input_size), self.first_weight)
        x, lengths, directions = unpack(packed, both=self.bidirectional, for_compiler=torch.compiler.is_compiling())
        check_state(state, self.sizes.state_shapes(len(x)), x)
        before = None if state is None else in_order(state, packed.sorted_indices)
        stacked = self._stack(x, before, directions)
        return pack(stacked.output, lengths, packed), in_order(stacked.state(), packed.unsorted_indices)

    def _check(self, x: Tensor, num_rows: int, num_steps: int, state: State | None) -> None:
        cells = (num_rows, num_steps) if self.batch_first else (num_steps, num_rows)
        check_input(x, (*cells, self.input_size), self.first_weight)
        check_state(state, self.sizes.state_shapes(num_rows), x)

    def _stack(
        self,
        x: Tensor,
        state: State | None,
        directions: tuple[Direction, ...],
        by_sequence: SequenceDropout | None = None,
        lookup: Lookup | None = None,
    ) -> Stacked:
        dtype = run_dtype(x.device, self.first_weight.dtype)
        if lookup is not None:
            is_whole = by_sequence is None or not self.training
            lookup = lookup._replace(vectors=lookup.vectors.to(dtype)) if is_whole else None
        before = None if state is None else (state[0].to(dtype), state[1].to(dtype))

        def dropped(values: Tensor, layer: int) -> Tensor:
            if not self.training:
                return values
            if self.dropout and layer:
                values = drop(values, self.dropout)
            return values if by_sequence is None else by_sequence.apply(values, layer)

        with without_autocast(x.device):
            weights = [
                [self._thinned(self.weights(suffix, dtype)) for suffix in self.sizes.suffixes(layer)]
                for layer in range(self.num_layers)
            ]
            return run_stack(x.to(dtype), before, directions, weights, self.kernel, dropped, lookup)

    def _thinned(self, weights: Weights) -> Weights:
        if not (self.weight_dropout and self.training):
            return weights
        return weights._replace(hidden=drop(weights.hidden, self.weight_dropout))

    def _turned(self, values: Tensor) -> Tensor:
        return values if self.batch_first else values.transpose(0, 1)

    def extra_repr(self) -> str:
        """The settings that differ from the defaults, as `nn.LSTM` shows them."""
        changed = [f"{name}={getattr(self, name)}" for name, usual in SHOWN.items() if getattr(self, name) != usual]
        return ", ".join([str(self.input_size), str(self.hidden_size), *changed])
