"""From scores to the next token: temperature, top-k, top-p."""

from dataclasses import dataclass
from math import isfinite

import torch
from jaxtyping import Float, Int
from torch import Tensor

from drystone.core.errors import ConfigError, NotFiniteError


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How the next token is chosen.

    Args:
        temperature: what scores are divided by, ≥ 0; 0 always takes the likeliest token, 1 leaves the model as it is.
        top_k: only so many of the likeliest tokens may come, ≥ 1; None for all.
        top_p: of these, only the fewest likeliest that have this probability together (Holtzman et al., 2020), in
            more than 0 … 1.
        never: ids that never come, such as that of padding.

    Of tokens that are equally likely, those of smaller ids are taken first.

    Raises:
        ConfigError: a number out of range.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float = 1.0
    never: tuple[int, ...] = (0,)

    def __post_init__(self) -> None:
        if not (isfinite(self.temperature) and self.temperature >= 0):
            raise ConfigError(f"temperature must be a number ≥ 0; got {self.temperature}.")
        if self.top_k is not None and (isinstance(self.top_k, bool) or self.top_k < 1):
            raise ConfigError(f"top_k must be a whole number ≥ 1, or None for all tokens; got {self.top_k}.")
        if not 0 < self.top_p <= 1:
            raise ConfigError(f"top_p must lie in more than 0 … 1; got {self.top_p}.")


def probabilities(logits: Float[Tensor, "rows tokens"], sampling: Sampling) -> Float[Tensor, "rows tokens"]:
    """Returns the probability with which each token comes next, float64 [rows, tokens].

    Args:
        logits: a score for each token, as a language model returns them.
        sampling: how tokens are chosen.

    Raises:
        ConfigError: an id in `never` that there is none of, or no token is left.
        NotFiniteError: scores that are NaN, or infinite and positive.

    Example:
        >>> probabilities(torch.tensor([[9.0, 1.0, 1.0, 0.0]]), Sampling(top_k=2)).tolist()
        [[0.0, 0.5, 0.5, 0.0]]
    """
    scores = _allowed(logits, sampling)
    ordered, order = scores.sort(dim=1, descending=True, stable=True)
    if sampling.temperature == 0:
        shares = torch.zeros_like(ordered)
        shares[:, 0] = 1.0
    else:
        # From the largest down, so that no temperature is too small.
        shares = ((ordered - ordered[:, :1]) / sampling.temperature).softmax(dim=1)
    if sampling.top_k is not None:
        shares = _only(shares, torch.arange(shares.shape[1], device=shares.device) < sampling.top_k)
    if sampling.top_p < 1:
        before = shares.cumsum(dim=1) - shares
        is_first = torch.arange(shares.shape[1], device=shares.device) == 0
        shares = _only(shares, (before < sampling.top_p) | is_first)
    return torch.zeros_like(shares).scatter_(1, order, shares)


def draw(
    logits: Float[Tensor, "rows tokens"], sampling: Sampling, generator: torch.Generator | None = None
) -> Int[Tensor, "rows"]:
    """Returns the next token of each row, int64 [rows].

    Args:
        logits: a score for each token.
        sampling: how tokens are chosen.
        generator: draws the random numbers; none are drawn at temperature 0. PyTorch's own by default.

    Raises:
        ConfigError: an id in `never` that there is none of, or no token is left.
        NotFiniteError: scores that are NaN, or infinite and positive.

    Example:
        >>> draw(torch.tensor([[9.0, 1.0, 2.0]]), Sampling(temperature=0.0)).tolist()
        [2]
    """
    if sampling.temperature == 0:
        return _allowed(logits, sampling).argmax(dim=1)
    return torch.multinomial(probabilities(logits, sampling), 1, generator=generator)[:, 0]


def _allowed(logits: Tensor, sampling: Sampling) -> Tensor:
    """Returns scores in float64, with −∞ for what never comes."""
    num_tokens = logits.shape[1]
    unknown = [number for number in sampling.never if not 0 <= number < num_tokens]
    if unknown:
        raise ConfigError(f"never names the id {unknown[0]}; ids lie in 0 … {num_tokens - 1}.")
    scores = logits.double()
    if (scores.isnan() | (scores == torch.inf)).any():
        raise NotFiniteError("scores of tokens are NaN or infinite; the model diverged in training.")
    if sampling.never:
        scores = scores.index_fill(1, torch.tensor(sampling.never, device=scores.device), -torch.inf)
    if (scores == -torch.inf).all(dim=1).any():
        raise ConfigError("no token is left that may come; name fewer ids in never.")
    return scores


def _only(shares: Tensor, kept: Tensor) -> Tensor:
    shares = torch.where(kept, shares, 0.0)
    return shares / shares.sum(dim=1, keepdim=True)
