"""A trained classifier of sequences as plain arrays: what formats of other frameworks are written from."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from drystone.core.errors import RunError

LARGEST_ROUNDING = 1e-3  # of a feature's standard deviation, when its mean becomes float32
SMALLEST_SPREAD, LARGEST_SPREAD = 1e-30, 1e30

Floats = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LSTMWeights:
    """The weights of one direction of one layer; gates in the order i, f, g, o.

    Args:
        input: [4 × hidden, features].
        hidden: [4 × hidden, hidden].
        bias: [4 × hidden].
    """

    input: Floats
    hidden: Floats
    bias: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Standardising:
    """How inputs are standardised in float32: (x − near) × scale + rest; each is float32 [features].

    The mean is taken away in two parts, so that large numbers with small differences keep their digits.
    """

    near: npt.NDArray[np.float32]
    scale: npt.NDArray[np.float32]
    rest: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trained:
    """A trained classifier of sequences, as plain arrays and settings.

    Args:
        columns: the names of the numbers of one step.
        mean, spread: [features], what inputs are standardised with.
        lstm: the weights of each layer, one a direction.
        poolings: "last" alone, or any of "mean" and "max"; they lie side by side before the head.
        head: [classes, width].
        head_bias: [classes].
        activation: what makes probabilities of the head's logits: softmax of classes, sigmoid of several labels at once.
        noise: standard deviation of the noise on standardised inputs, in training.
        dropout: fraction dropped between layers, in training.
        head_dropout: fraction dropped before the head, in training.
        seed: of noise and dropout.
    """

    columns: tuple[str, ...]
    mean: Floats
    spread: Floats
    lstm: tuple[tuple[LSTMWeights, ...], ...]
    poolings: tuple[str, ...]
    head: Floats
    head_bias: Floats
    activation: str
    noise: float
    dropout: float
    head_dropout: float
    seed: int

    def standardising(self) -> Standardising:
        """Returns how to standardise inputs in float32.

        Raises:
            RunError: a feature that float32 cannot hold well enough.
        """
        self._check_range()
        near = self.mean.astype(np.float32)
        scale = 1 / self.spread
        rest = -(self.mean - near) * scale
        return Standardising(near=near, scale=scale.astype(np.float32), rest=rest.astype(np.float32))

    def _check_range(self) -> None:
        """Raises RunError for the first feature that loses too much when it becomes float32."""
        rounding = np.abs(self.mean) * np.finfo(np.float32).epsneg / self.spread
        held = (self.spread >= SMALLEST_SPREAD) & (self.spread <= LARGEST_SPREAD) & (rounding <= LARGEST_ROUNDING)
        if held.all():
            return
        at = int(np.argmin(held))
        raise RunError(
            f"feature {self.columns[at]!r} has mean {self.mean[at]:.6g} and standard deviation "
            f"{self.spread[at]:.3g}: the model would take float32, which cannot tell such numbers apart well enough. "
            f"Subtract a constant from it, or multiply it by one, in the data, and train again; "
            f"or export to torch, which takes float64."
        )
