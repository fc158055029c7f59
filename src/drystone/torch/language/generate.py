"""Text that goes on, token after token; the state is carried, so that each costs the same."""

from collections.abc import Iterator, Sequence
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from drystone.core.errors import ConfigError
from drystone.torch.language.sampling import Sampling, draw
from drystone.torch.lstm_run import State


@runtime_checkable
class Advancing(Protocol):
    """A model of token ids that goes on from a state, as `LanguageModel` does."""

    def advance(self, ids: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Returns a score for each token that may follow, [rows, tokens], and the state."""
        ...


def generate(
    model: Advancing,
    prompt: Sequence[int],
    num_tokens: int,
    *,
    sampling: Sampling | None = None,
    seed: int | None = None,
    stop: Sequence[int] = (),
) -> Iterator[int]:
    """Returns an iterator of the ids of the tokens that follow a prompt, each as soon as it is drawn.

    The prompt runs once, then one step a token: none costs more than another, however long the text grows. The model runs
    in evaluation mode, and is left in the mode that it was in.

    Args:
        model: a `LanguageModel`, or what has its `advance`.
        prompt: the ids that the text begins with, at least one: that of the beginning of a document, if no other.
        num_tokens: how many follow, at most.
        sampling: how each is chosen; as likely as the model has it by default.
        seed: of the random numbers; the same ids come again from the same seed. None for others each time.
        stop: ids that end the text; such a token is not returned.

    Raises:
        ConfigError: a prompt without ids, or a number out of range.
        NotFiniteError: the model's scores are NaN.

    Example:
        >>> from drystone.torch.language import LanguageModel
        >>> model = LanguageModel(6, 4, 8)
        >>> list(generate(model, [5, 2], 8, seed=1)) == list(generate(model, [5, 2], 8, seed=1))
        True
    """
    if not len(prompt):
        raise ConfigError("the prompt holds no token; give at least one, such as the one that begins documents.")
    if num_tokens < 0:
        raise ConfigError(f"num_tokens must be at least 0; got {num_tokens}.")
    generator = torch.Generator()
    if seed is None:
        generator.seed()
    else:
        generator.manual_seed(seed)
    return _tokens(model, prompt, num_tokens, sampling or Sampling(), generator, frozenset(stop))


def _tokens(
    model: Advancing,
    prompt: Sequence[int],
    num_tokens: int,
    sampling: Sampling,
    generator: torch.Generator,
    stop: frozenset[int],
) -> Iterator[int]:
    device = next(model.parameters()).device if isinstance(model, nn.Module) else torch.device("cpu")
    ids, state = torch.tensor([list(prompt)], device=device), None
    for _ in range(num_tokens):
        logits, state = _advanced(model, ids, state)
        ids = draw(logits.cpu(), sampling, generator)[:, None].to(device)  # the same random numbers on every device
        token = int(ids)
        if token in stop:
            return
        yield token


def _advanced(model: Advancing, ids: Tensor, state: State | None) -> tuple[Tensor, State]:
    """Goes on by some tokens. Modes are set for the call alone: between two tokens, the caller may do anything."""
    trained = model if isinstance(model, nn.Module) and model.training else None
    with torch.inference_mode():
        if trained is None:
            return model.advance(ids, state)
        trained.eval()
        try:
            return model.advance(ids, state)
        finally:
            trained.train()
