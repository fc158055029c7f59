"""The sizes of an LSTM, and the parameters that follow from them: names and shapes of `torch.nn.LSTM`."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from drystone.core.errors import ShapeError
from drystone.torch_ops.kernel import Weights


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """What the shapes of parameters and states depend on.

    Args:
        features: a step of the inputs.
        hidden: units of the cell state.
        projected: units of h, where it is a projection; 0 where it is not.
        layers: one on the output of the other.
        bias: whether gates have biases.
        bidirectional: whether there are two directions.
    """

    features: int
    hidden: int
    projected: int
    layers: int
    bias: bool
    bidirectional: bool

    def __post_init__(self) -> None:
        check_count("input_size", self.features)
        check_count("hidden_size", self.hidden)
        check_count("num_layers", self.layers)
        check_count("proj_size", self.projected, at_least=0)
        if self.projected >= self.hidden:
            raise ShapeError(f"proj_size must be less than hidden_size, {self.hidden}; got {self.projected}.")

    @property
    def units(self) -> int:
        """Units of h and of the output of one direction."""
        return self.projected or self.hidden

    @property
    def directions(self) -> int:
        return 2 if self.bidirectional else 1

    def below(self, layer: int) -> int:
        """Features of the inputs of a layer."""
        return self.features if layer == 0 else self.units * self.directions

    def suffixes(self, layer: int) -> tuple[str, ...]:
        """Returns how the names of a layer's parameters end, one suffix a direction."""
        return (f"_l{layer}", f"_l{layer}_reverse")[: self.directions]

    def shapes(self, layer: int) -> dict[str, tuple[int, ...]]:
        """Returns the shapes of one direction's parameters, by name without its suffix, in the order of `nn.LSTM`."""
        gates = 4 * self.hidden
        shapes: dict[str, tuple[int, ...]] = {"weight_ih": (gates, self.below(layer)), "weight_hh": (gates, self.units)}
        if self.bias:
            shapes |= {"bias_ih": (gates,), "bias_hh": (gates,)}
        return shapes | ({"weight_hr": (self.projected, self.hidden)} if self.projected else {})

    def state_shapes(self, *rows: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Returns the shapes of h and c; without rows, of one unbatched sequence."""
        number = self.layers * self.directions
        return (number, *rows, self.units), (number, *rows, self.hidden)


class Parameters(nn.Module):
    """The parameters of `torch.nn.LSTM` and nothing else: an LSTM is built on them."""

    def __init__(self, sizes: Sizes, device: torch.device | str | None, dtype: torch.dtype | None) -> None:
        super().__init__()
        self.sizes = sizes
        for layer in range(sizes.layers):
            for suffix in sizes.suffixes(layer):
                for name, shape in sizes.shapes(layer).items():
                    weight = torch.empty(shape, device=device, dtype=dtype)
                    self.register_parameter(f"{name}{suffix}", nn.Parameter(weight))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws all parameters uniformly from ±1 ∕ √hidden, in the order of `nn.LSTM`."""
        bound = 1.0 / math.sqrt(self.sizes.hidden)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def flatten_parameters(self) -> None:
        """Does nothing: kernels lay weights out as they need them. It is here because `nn.LSTM` has it."""

    @property
    def all_weights(self) -> list[list[Tensor]]:
        """The parameters, one list a layer and direction."""
        return [
            [getattr(self, name + suffix) for name in self.sizes.shapes(layer)]
            for layer in range(self.sizes.layers)
            for suffix in self.sizes.suffixes(layer)
        ]

    @property
    def first_weight(self) -> Tensor:
        """One that every LSTM has; all are on its device and of its type."""
        return getattr(self, "weight_ih_l0")  # noqa: B009 - registered by name

    def weights(self, suffix: str, dtype: torch.dtype) -> Weights:
        """Returns the parameters of one layer and direction, as kernels take them."""

        def part(name: str) -> Tensor:
            found = getattr(self, name + suffix)
            return found if found.dtype == dtype else found.to(dtype)

        return Weights(
            input=part("weight_ih"),
            hidden=part("weight_hh"),
            input_bias=part("bias_ih") if self.sizes.bias else None,
            hidden_bias=part("bias_hh") if self.sizes.bias else None,
            projection=part("weight_hr") if self.sizes.projected else None,
        )


def check_count(name: str, size: object, at_least: int = 1) -> None:
    """Raises ShapeError where a size is no whole number, or too small."""
    if not isinstance(size, int) or isinstance(size, bool) or size < at_least:
        raise ShapeError(f"{name} must be a whole number of at least {at_least}; got {size!r}.")


def check_fraction(name: str, value: object, *, may_be_1: bool = False) -> float:
    """Returns the value as a float, or raises ShapeError where it is no fraction that can be dropped."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0.0 <= value <= 1.0:
        fraction = float(value)
        if fraction < 1.0 or may_be_1:
            return fraction
    raise ShapeError(f"{name} must lie between 0 and 1{'' if may_be_1 else ', and below 1'}; got {value!r}.")
