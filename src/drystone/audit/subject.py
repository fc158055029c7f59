"""The models that an audit can run: what lays sequences out for them and calls them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from typing import Any, Literal, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from drystone.audit.arrangement import Arrangement, Takes
from drystone.core.collate import fill
from drystone.core.errors import DataError, ShapeError
from drystone.core.sequences import Sequences
from drystone.torch.batch import TensorBatch, to_tensors

Results = Tensor | Mapping[str, Tensor]
JUNK_SCALE = 10.0  # far outside the data, and yet no overflow in half precision


class Call(NamedTuple):
    """One call of a model: what went in, [rows, steps, ...] of each field, and what came out."""

    inputs: dict[str, Tensor]
    results: dict[str, Tensor]


class Subject(Protocol):
    """A model with sequences to try it on."""

    @property
    def takes(self) -> Takes:
        """What the model is told of where sequences lie."""
        ...

    @property
    def lengths(self) -> tuple[int, ...]:
        """[sequences] the steps of each."""
        ...

    @property
    def per_step(self) -> Collection[str]:
        """The results that have a value a step; others have one a sequence."""
        ...

    @property
    def parameters(self) -> dict[str, Tensor]:
        """Parameters whose gradients are compared too."""
        ...

    def call(self, arrangement: Arrangement) -> Call:
        """Runs the model once."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class PaddedModel:
    """A model of padded arrays, as most code has it.

    Args:
        model: called as `model(x, lengths)` or `model(x, valid)`, with x [rows, steps, ...], lengths int64 [rows] on
            the CPU, valid bool [rows, steps]. Returns a tensor (then named "output") or a dict of tensors by name.
            Each has one value a sequence, [rows, ...], or one a step, [rows, steps, ...]. States of `nn.LSTM` are
            [layers, rows, hidden]: swap the first two axes.
        sequences: two or more of different lengths, each [length, ...], all of one type and device. A few short
            ones are enough.
        takes: "lengths" or "mask". A model that takes a mask must serve padding before a sequence as well.
        per_step: names of results that have a value a step.
        module: whose parameters' gradients are compared too; `model` itself where it is a module.

    Example:
        >>> PaddedModel(lambda x, lengths: x.sum(1), [torch.ones(2, 3), torch.ones(4, 3)]).lengths
        (2, 4)
    """

    model: Callable[[Tensor, Tensor], Results]
    sequences: Sequence[Any]
    _: KW_ONLY
    takes: Literal["lengths", "mask"] = "lengths"
    per_step: Collection[str] = ()
    module: nn.Module | None = None

    def __post_init__(self) -> None:
        tensors = [torch.as_tensor(part) for part in self.sequences]
        _check_lengths([len(part) for part in tensors])
        for number, part in enumerate(tensors):
            if part.shape[1:] != tensors[0].shape[1:] or part.dtype != tensors[0].dtype:
                raise ShapeError(
                    f"sequences[{number}] is {part.dtype} of shape {tuple(part.shape)}; sequences[0] is "
                    f"{tensors[0].dtype} of shape {tuple(tensors[0].shape)}. Only lengths may differ."
                )
        if self.takes not in ("lengths", "mask"):
            raise ShapeError(f'takes must be "lengths" or "mask"; got {self.takes!r}.')
        object.__setattr__(self, "sequences", tensors)

    @property
    def lengths(self) -> tuple[int, ...]:
        """[sequences] the steps of each."""
        return tuple(len(part) for part in self.sequences)

    @property
    def parameters(self) -> dict[str, Tensor]:
        """The parameters that are trained."""
        return _parameters(self.model, self.module)

    def call(self, arrangement: Arrangement) -> Call:
        """Pads the sequences as arranged and runs the model."""
        first = self.sequences[0]
        x = first.new_zeros(arrangement.num_rows, arrangement.num_steps, *first.shape[1:])
        valid = torch.from_numpy(arrangement.grid().valid).to(first.device)
        places = zip(arrangement.sequences, arrangement.rows, arrangement.starts, arrangement.lengths, strict=True)
        for number, row, start, length in places:
            x[row, start : start + length] = self.sequences[number].detach()
        x = _with_junk(x, valid, arrangement)
        told = valid if self.takes == "mask" else torch.tensor(arrangement.lengths)
        return Call({"x": x}, _named(self.model(x, told)))


@dataclass(frozen=True, slots=True, eq=False)
class BatchModel:
    """A model of drystone's batches, whatever their layout.

    Args:
        model: called with a `TensorBatch`. Returns a tensor (then named "output") or a dict of tensors by name. Each
            has one value a sequence, in the order of `batch.ends`, or one a step, [rows, steps, ...].
        sequences: two or more of different lengths. A few short ones are enough.
        per_step: names of results that have a value a step.
        module: whose parameters' gradients are compared too; `model` itself where it is a module.
        device, dtype: as for `drystone.torch.batches`.

    Example:
        >>> import drystone as ds
        >>> from drystone.torch import pool
        >>> seqs = ds.Sequences.from_arrays(per_step={"x": [np.ones((2, 3)), np.ones((4, 3))]})
        >>> BatchModel(lambda batch: pool(batch["x"], batch.grid, "mean"), seqs).lengths
        (2, 4)
    """

    model: Callable[[TensorBatch], Results]
    sequences: Sequences
    _: KW_ONLY
    per_step: Collection[str] = ()
    module: nn.Module | None = None
    device: torch.device | str = "cpu"
    dtype: torch.dtype | None = None

    def __post_init__(self) -> None:
        _check_lengths(self.sequences.lengths.tolist())

    @property
    def takes(self) -> Takes:
        """A batch, which says all."""
        return "batch"

    @property
    def lengths(self) -> tuple[int, ...]:
        """[sequences] the steps of each."""
        return tuple(self.sequences.lengths.tolist())

    @property
    def parameters(self) -> dict[str, Tensor]:
        """The parameters that are trained."""
        return _parameters(self.model, self.module)

    def call(self, arrangement: Arrangement) -> Call:
        """Fills a batch as arranged and runs the model."""
        grid, which = arrangement.grid(), np.array(arrangement.sequences)
        host = fill(self.sequences, grid, which, np.zeros_like(which), self.sequences.field_names, epoch=0)
        batch = to_tensors(host, self.device, self.dtype)
        inputs = {
            name: _with_junk(batch[name], batch.valid, arrangement)
            for name in host.step_fields
            if isinstance(batch[name], Tensor)
        }
        return Call(inputs, _named(self.model(replace(batch, fields=batch.fields | inputs))))


def _with_junk(x: Tensor, valid: Tensor, arrangement: Arrangement) -> Tensor:
    """Puts arbitrary values where they are asked for; real values of other cells where x has no fractions."""
    number = torch.arange(x.numel(), device=x.device).reshape(x.shape)
    if x.is_floating_point():
        junk = (JUNK_SCALE * x.abs().max().clamp(min=1) * torch.cos(7.0 * number + 1)).to(x.dtype)
    else:
        real = x[valid].flatten()
        junk = real[(7 * number + 3) % len(real)]
    mask = torch.from_numpy(arrangement.junk()).to(x.device)
    laid = torch.where(mask.reshape(*mask.shape, *[1] * (x.ndim - 2)), junk, x)
    return laid.requires_grad_(laid.is_floating_point())


def _named(results: Any) -> dict[str, Tensor]:
    named = {"output": results} if isinstance(results, Tensor) else results
    if not isinstance(named, Mapping) or not named or not all(isinstance(value, Tensor) for value in named.values()):
        raise ShapeError(
            f"the model returned {'an empty' if results == {} else 'a'} {type(results).__name__}; return a tensor, or a dict of tensors by name, such as "
            f'{{"output": output, "final": final}}.'
        )
    return dict(named)


def _parameters(model: object, module: nn.Module | None) -> dict[str, Tensor]:
    found = module if module is not None else model
    if not isinstance(found, nn.Module):
        return {}
    return {name: value for name, value in found.named_parameters() if value.requires_grad}


def _check_lengths(lengths: Sequence[int]) -> None:
    if len(lengths) < 2 or len(set(lengths)) < 2 or min(lengths) < 1:
        raise DataError(
            f"an audit needs 2 or more sequences, of different lengths of at least 1 step; got lengths "
            f"{list(lengths)}. A few short ones are enough."
        )
