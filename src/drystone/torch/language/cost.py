"""What a language model has to be told: the sum over every token, once."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import exp, log
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from drystone.core.errors import DataError
from drystone.torch.batch import TensorBatch
from drystone.torch.carried_state import CarriedState
from drystone.torch.language.scored import at_scored


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """The negative log-likelihood of tokens.

    Args:
        nats: of all together.
        num_tokens: how many.
    """

    nats: float
    num_tokens: int

    @property
    def nats_per_token(self) -> float:
        return self.nats / self.num_tokens

    @property
    def bits_per_token(self) -> float:
        return self.nats_per_token / log(2)

    @property
    def perplexity(self) -> float:
        """Of how many equally likely tokens it would have to choose to pay as much: e to the nats a token."""
        return exp(self.nats_per_token)


def cost_of(model: nn.Module, batches: Iterable[TensorBatch], *, targets: str = "next") -> Cost:
    """Returns what a model pays for every scored token, run in evaluation mode over all batches in their order.

    The state is carried from batch to batch, so the cost is that of whole documents; it does not depend on the layout.

    Args:
        model: takes a batch and a state; returns scores at scored cells, and the state. A `LanguageModel` does.
        batches: of one pass.
        targets: the field of the tokens that follow, [rows, steps, 1].

    Raises:
        DataError: no token is scored.

    Example:
        >>> import drystone as ds
        >>> from drystone.torch import batches
        >>> from drystone.torch.language import LanguageModel, next_tokens
        >>> documents = ds.Sequences.from_arrays({"ids": [[2, 3, 2], [4, 2]]})
        >>> loader = ds.Loader(next_tokens(documents, begin=5), ds.Stateful(rows=2, steps=2))
        >>> cost_of(LanguageModel(6, 4, 8), batches(loader)).num_tokens
        5
    """
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            return _summed(model, batches, targets)
    finally:
        model.train(was_training)


def _summed(model: Callable[..., Any], batches: Iterable[TensorBatch], targets: str) -> Cost:
    carried, nats, num_tokens = CarriedState(), 0.0, 0
    for batch in batches:
        logits, carried = carried.run(model, batch)
        wanted = next_of(batch, targets)
        nats += float(functional.cross_entropy(logits, wanted, reduction="sum"))
        num_tokens += len(wanted)
    if not num_tokens:
        raise DataError("no token is scored: every document needs a token that follows another, or `next_tokens`.")
    return Cost(nats=nats, num_tokens=num_tokens)


def next_of(batch: TensorBatch, targets: str = "next") -> Tensor:
    """Returns the tokens that follow at the scored cells, int64 [scored], in the order of a model's scores."""
    return at_scored(batch[targets], batch)[:, 0].long()
