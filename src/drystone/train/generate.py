"""Text that goes on from a prompt, as a run's language model has it."""

import warnings
from collections.abc import Iterator, Sequence

import numpy as np

from drystone.core.errors import ConfigError
from drystone.core.words import so_many
from drystone.text import Vocabulary
from drystone.text.kinds import UNKNOWN
from drystone.torch.language import Sampling
from drystone.torch.language import generate as generate_ids
from drystone.train.run import Run
from drystone.train.tasks.language_model.model import LanguageNet, NextScores
from drystone.train.tasks.language_model.task import LanguageModelling

PADDING_AND_UNKNOWN = (0, UNKNOWN)
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"  # what bytes that are no whole character yet decode to


def generate(
    run: Run, prompt: str = "", num_tokens: int = 200, *, sampling: Sampling | None = None, seed: int | None = None
) -> Iterator[str]:
    """Returns an iterator of pieces of the text that follows a prompt, each as soon as it is there.

    The prompt runs once, then one step a token, however long the text grows. Padding and the unknown word never come.

    Args:
        run: of a language model.
        prompt: how the document begins; a token that training did not see is read as unknown, with a warning.
        num_tokens: how many tokens follow.
        sampling: temperature, top-k, top-p; the probabilities of the model by default.
        seed: the same text comes again from the same one; None for another each time.

    Raises:
        ConfigError: the run is of another task, or a number is out of range.

    Example:
        >>> import drystone as ds
        >>> seqs = ds.Sequences.from_arrays({"text": ["to be or not to be, that is the question. " * 4]}, text="text")
        >>> run = ds.fit(seqs, task="language-model", tokens="characters", hidden_size=8, epochs=1, progress=False)
        >>> len("".join(generate(run, "to ", 12, seed=0)))
        12
    """
    task = run.task
    if not isinstance(task, LanguageModelling):
        raise ConfigError(f"{run.path} was trained to {task.about.name}; text goes on only from a language-model.")
    assert isinstance(run.model, LanguageNet)
    vocabulary = task.vocabulary
    ids = _ids_of(prompt, vocabulary)
    chosen = sampling or Sampling()
    never = (*chosen.never, *PADDING_AND_UNKNOWN)
    chosen = Sampling(temperature=chosen.temperature, top_k=chosen.top_k, top_p=chosen.top_p, never=never)
    run.model.eval()
    found = generate_ids(NextScores(run.model), [task.begin, *ids], num_tokens, sampling=chosen, seed=seed)
    return _pieces(vocabulary, ids, found)


def _ids_of(prompt: str, vocabulary: Vocabulary) -> list[int]:
    if not prompt.strip() and vocabulary.kind in ("words", "given"):
        return []
    ids = vocabulary.ids_of(prompt.split()) if vocabulary.kind == "given" else vocabulary.encode_documents([prompt]).ids
    num_unknown = int(np.count_nonzero(ids == UNKNOWN))
    if num_unknown:
        warnings.warn(
            f"{so_many(num_unknown, 'token')} of the prompt {'was' if num_unknown == 1 else 'were'} not seen in training, and "
            f"{'is' if num_unknown == 1 else 'are'} read as unknown.",
            stacklevel=3,
        )
    return ids.tolist()


def _pieces(vocabulary: Vocabulary, prompt: Sequence[int], found: Iterator[int]) -> Iterator[str]:
    """Yields what each token adds to the text; of characters that are cut into bytes, the whole character."""
    kept, told = list(prompt[-1:]), vocabulary.decode(prompt[-1:])
    for token in found:
        kept.append(token)
        text = vocabulary.decode(kept)
        if text.endswith(REPLACEMENT):
            continue
        if text.startswith(told):
            yield text[len(told) :]
        kept, told = kept[-1:], vocabulary.decode(kept[-1:])
