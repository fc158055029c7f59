"""From the numbers of features to what an LSTM reads."""

from math import ceil, pi

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from drystone.text import Vocabulary
from drystone.text.kinds import PADDING
from drystone.torch.drop import Dropout
from drystone.torch.vectors import vectors_of
from drystone.train.features.calendar import PARTS
from drystone.train.features.feature import Feature, Features

MOST_ONE_HOT = 10  # categories, where nobody chose
MOST_EMBEDDED = 50  # numbers of a category's embedding, where nobody chose
MOST_OF_WORDS = 300  # numbers of a word's


class InputLayer(nn.Module):
    """Standardised numbers stay as they are; missing ones become 0, their mean, and may have an input that says so.

    Categories become one-hot vectors, or embeddings that are learned; what training did not see is the zero vector. Parts
    of a calendar become sine and cosine, so that 23:59 lies near 0:00.

    Args:
        features: the inputs.
        embedding_size: the numbers of each embedding; 0 for one-hot vectors; None for one-hot vectors of up to 10
            categories, and embeddings that grow slowly with more.
        embedding_dropout: the fraction of the numbers that text becomes which are dropped in training.
    """

    def __init__(
        self,
        features: Features,
        embedding_size: int | None,
        *,
        embedding_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.features = features
        self.readers = nn.ModuleList(_reader(feature, embedding_size, embedding_dropout) for feature in features.fields)
        self.width = sum(reader.width for reader in self._readers)

    def forward(
        self, x: Float[Tensor, "rows steps numbers"], standardised: Float[Tensor, "rows steps numbers"]
    ) -> Float[Tensor, "rows steps width"]:
        """Returns what the LSTM reads.

        Args:
            x: float64, the features as `Features.matrix` returns them.
            standardised: the same in units of their standard deviation, in the type of the weights.
        """
        if all(type(reader) is Numbers for reader in self._readers):
            return standardised
        places = self.features.places.values()
        parts = [
            reader(x[..., place], standardised[..., place]) for reader, place in zip(self._readers, places, strict=True)
        ]
        return torch.cat(parts, dim=-1)

    def looked_up(
        self, x: Float[Tensor, "rows steps numbers"]
    ) -> tuple[Int[Tensor, "rows steps"], Float[Tensor, "vectors width"]] | None:
        """Returns which vector each step reads, and of which; None unless that is all, and there are more steps than vectors.

        Args:
            x: as of `forward`.
        """
        embedding = self._readers[0].embedding() if len(self._readers) == 1 else None
        if embedding is None or embedding.num_embeddings >= x[..., 0].numel():
            return None  # more vectors than steps: it costs less to read those that are named
        return _codes(x, embedding.num_embeddings - 1).squeeze(-1), vectors_of(embedding)

    @property
    def _readers(self) -> "list[Reader]":
        return [reader for reader in self.readers if isinstance(reader, Reader)]


class Reader(nn.Module):
    """Reads one feature; `width` is how many numbers come of it."""

    width: int

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width

    def embedding(self) -> nn.Embedding | None:
        """Returns the embedding of which each step reads one vector as it is; None where it reads something else."""
        return None


class Numbers(Reader):
    """Numbers of which none misses."""

    def forward(self, _x: Tensor, standardised: Tensor) -> Tensor:
        return standardised


class NumbersWithGaps(Reader):
    """Numbers of which some miss, and which, if that is asked for."""

    def __init__(self, size: int, *, marks_missing: bool) -> None:
        super().__init__(size * 2 if marks_missing else size)
        self.marks_missing = marks_missing

    def forward(self, x: Tensor, standardised: Tensor) -> Tensor:
        misses = x.isnan()
        known = standardised.masked_fill(misses, 0.0)
        return torch.cat([known, misses.to(known.dtype)], dim=-1) if self.marks_missing else known


class Round(Reader):
    """Numbers that come round again."""

    def __init__(self, period: float, count: int) -> None:
        super().__init__(2 * count)
        self.period = period

    def forward(self, x: Tensor, standardised: Tensor) -> Tensor:
        angle = x * (2 * pi / self.period)
        return torch.cat([angle.sin(), angle.cos()], dim=-1).to(standardised.dtype)


class OneHot(Reader):
    """Categories as vectors with a 1 at the place of each; what is unknown is all 0."""

    def __init__(self, num_categories: int, count: int) -> None:
        super().__init__(num_categories * count)
        self.num_categories = num_categories

    def forward(self, x: Tensor, standardised: Tensor) -> Tensor:
        codes = _codes(x, self.num_categories)
        return functional.one_hot(codes, self.num_categories + 1)[..., 1:].flatten(-2).to(standardised.dtype)


class Embedded(Reader):
    """Categories as vectors that are learned; what is unknown is all 0."""

    def __init__(self, num_categories: int, count: int, size: int) -> None:
        super().__init__(size * count)
        self.vectors = nn.Embedding(num_categories + 1, size, padding_idx=0)

    def forward(self, x: Tensor, _standardised: Tensor) -> Tensor:
        return self.vectors(_codes(x, self.vectors.num_embeddings - 1)).flatten(-2)

    def embedding(self) -> nn.Embedding | None:
        return self.vectors if self.width == self.vectors.embedding_dim else None


class Tokens(Reader):
    """Tokens as vectors that are learned, that of the unknown word among them."""

    def __init__(self, num_tokens: int, size: int, dropout: float) -> None:
        super().__init__(size)
        self.vectors = nn.Embedding(num_tokens, size, padding_idx=PADDING)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, _standardised: Tensor) -> Tensor:
        return self.dropout(self.vectors(_codes(x, self.vectors.num_embeddings - 1).squeeze(-1)))

    def embedding(self) -> nn.Embedding | None:
        is_dropped = self.training and self.dropout.fraction > 0
        return None if is_dropped else self.vectors


class Spelling(Reader):
    """The strongest answer to each of some patterns of three letters, wherever in a word they lie."""

    letters = 25  # numbers of a letter's vector
    patterns = 50

    def __init__(self, num_characters: int, dropout: float) -> None:
        super().__init__(self.patterns)
        self.vectors = nn.Embedding(num_characters, self.letters, padding_idx=PADDING)
        self.seen = nn.Conv1d(self.letters, self.patterns, kernel_size=3, padding=1)
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor, _standardised: Tensor) -> Tensor:
        ids = _codes(x, self.vectors.num_embeddings - 1)
        found = self.seen(self.vectors(ids.flatten(0, -2)).transpose(1, 2))
        is_letter = (ids.flatten(0, -2) != PADDING)[:, None]
        strongest = found.masked_fill(~is_letter, -torch.inf).amax(dim=2)
        return self.dropout(strongest.masked_fill(strongest == -torch.inf, 0.0).unflatten(0, ids.shape[:-1]))


def _codes(x: Tensor, num_categories: int) -> Tensor:
    """Invalid cells may hold anything; no result depends on them."""
    is_code = (x >= 0) & (x <= num_categories)
    return torch.where(is_code, x, 0.0).long()


def _reader(feature: Feature, embedding_size: int | None, dropout: float) -> Reader:
    if feature.vocabulary is not None:
        return _reader_of_text(feature, feature.vocabulary, embedding_size, dropout)
    if feature.kind == "calendar":
        return Round(PARTS[feature.part].period, feature.size)
    if feature.kind == "numbers":
        if feature.is_plain:
            return Numbers(feature.size)
        return NumbersWithGaps(feature.size, marks_missing=feature.marks_missing)
    count = len(feature.categories)
    size = _usual_size(count) if embedding_size is None else embedding_size
    return Embedded(count, feature.size, size) if size else OneHot(count, feature.size)


def _reader_of_text(feature: Feature, vocabulary: Vocabulary, embedding_size: int | None, dropout: float) -> Reader:
    if feature.kind == "spelling":
        return Spelling(len(vocabulary.characters_of_words()), dropout)
    size = min(MOST_OF_WORDS, _grown(len(vocabulary))) if embedding_size is None else embedding_size
    return Tokens(len(vocabulary), size, dropout) if size else OneHot(len(vocabulary) - 1, feature.size)


def _usual_size(num_categories: int) -> int:
    """Returns 0 for one-hot vectors, else a size that grows slowly."""
    return 0 if num_categories <= MOST_ONE_HOT else min(MOST_EMBEDDED, _grown(num_categories))


def _grown(count: int) -> int:
    """Returns 1.6 × count^0.56, a rule of thumb that fastai found to serve."""
    return ceil(1.6 * count**0.56)
