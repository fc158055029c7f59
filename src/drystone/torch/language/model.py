"""A language model: tokens as vectors, an LSTM, and a score for each token that may follow."""

from dataclasses import dataclass
from typing import Any

from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from drystone.core.errors import ShapeError
from drystone.torch.batch import TensorBatch
from drystone.torch.drop import Dropout, drop
from drystone.torch.language.scored import at_scored
from drystone.torch.language.tied import TiedHead
from drystone.torch.lstm import LSTM
from drystone.torch.lstm_run import State
from drystone.torch.parameters import check_count, check_fraction
from drystone.torch.vectors import vectors_of


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageDropout:
    """What is dropped in training; what is kept is divided by 1 − fraction.

    Args:
        outputs: fraction of each layer's outputs, 0 … 1, each value on its own.
        embedding: fraction of the tokens whose vectors are 0 wherever they are read, drawn anew at every batch, from 0 to
            less than 1 (Gal and Ghahramani, 2016; Merity, Keskar and Socher, 2018).
        variational, weight, seed: `variational_dropout`, `weight_dropout` and `dropout_seed` of `drystone.torch.LSTM`.
    """

    outputs: float = 0.0
    embedding: float = 0.0
    variational: float = 0.0
    weight: float = 0.0
    seed: int = 0


class LanguageModel(nn.Module):
    """Scores what follows each token, from all tokens of its document before it.

    Args:
        num_tokens: how many ids there are; 0 is padding, whose vector stays 0.
        embedding_size: numbers of a token's vector.
        hidden_size: units a layer.
        num_layers: layers, one on the output of the other.
        tied: whether tokens are scored by the vectors that they are read by: see `TiedHead`.
        dropout: what is dropped in training; nothing by default.
        kernel: as of `drystone.torch.LSTM`.
        ids: the field of token ids.

    Raises:
        ShapeError: a size or a fraction out of range.

    Example:
        >>> import drystone as ds
        >>> from drystone.torch import batches
        >>> from drystone.torch.language import next_tokens
        >>> documents = ds.Sequences.from_arrays({"ids": [[2, 3, 2], [4, 2]]})
        >>> batch = next(batches(ds.Loader(next_tokens(documents, begin=5), ds.Stateful(rows=1, steps=8))))
        >>> model = LanguageModel(6, 4, 8)
        >>> logits, state = model(batch)
        >>> logits.shape, batch["next"][batch.scored].shape
        (torch.Size([5, 6]), torch.Size([5, 1]))
    """

    def __init__(
        self,
        num_tokens: int,
        embedding_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        tied: bool = False,
        dropout: LanguageDropout | None = None,
        kernel: str = "auto",
        ids: str = "ids",
    ) -> None:
        super().__init__()
        check_count("num_tokens", num_tokens, at_least=2)
        check_count("embedding_size", embedding_size)
        dropped = dropout or LanguageDropout()
        self.ids = ids
        self.embedding_dropout = check_fraction("embedding dropout", dropped.embedding)
        self.embedding = nn.Embedding(num_tokens, embedding_size, padding_idx=0)
        self.lstm = LSTM(
            embedding_size,
            hidden_size,
            num_layers,
            dropout=dropped.outputs if num_layers > 1 else 0.0,
            kernel=kernel,
            variational_dropout=dropped.variational,
            weight_dropout=dropped.weight,
            dropout_seed=dropped.seed,
        )
        self.dropout = Dropout(dropped.outputs)
        self.head = TiedHead(self.embedding, hidden_size) if tied else nn.Linear(hidden_size, num_tokens)

    @property
    def is_tied(self) -> bool:
        """Whether tokens are scored by the vectors that they are read by."""
        return isinstance(self.head, TiedHead)

    def forward(self, batch: TensorBatch, state: State | None = None) -> tuple[Float[Tensor, "scored tokens"], State]:
        """Returns a score for each token at every scored cell, and the state of the rows.

        Args:
            batch: with the field of token ids, int64 [rows, steps].
            state: of the rows before the batch, as the last call returned it; zeros by default.

        Raises:
            ShapeError: ids that are no whole numbers a step.
        """
        ids = batch[self.ids]
        if not isinstance(ids, Tensor) or ids.ndim != 2 or ids.is_floating_point():
            raise ShapeError(f"field {self.ids!r} must hold the id of a token a step; got {_words_for(ids)}.")
        run = self.lstm.run(ids, batch.grid, state, epoch=batch.epoch, vectors=self._vectors())
        return self._scores(at_scored(run.output, batch)), run.state

    def advance(
        self, ids: Int[Tensor, "rows steps"], state: State | None = None
    ) -> tuple[Float[Tensor, "rows tokens"], State]:
        """Goes on with texts by some tokens each, and returns a score for each token that may follow.

        Args:
            ids: int64 [rows, steps], at least one step.
            state: as the last call returned it; None where texts begin.
        """
        output, after = self.lstm(functional.embedding(ids, self._vectors()), state)
        return self._scores(output[:, -1]), after

    def _vectors(self) -> Tensor:
        """Returns the vectors as they are read, [tokens, embedding]; in training, those of some words are 0."""
        vectors = vectors_of(self.embedding)
        if not (self.training and self.embedding_dropout):
            return vectors
        return vectors * drop(vectors.new_ones(len(vectors), 1), self.embedding_dropout)

    def _scores(self, output: Tensor) -> Tensor:
        return self.head(self.dropout(output))


def _words_for(ids: Any) -> str:
    return f"{ids.dtype} {list(ids.shape)}" if isinstance(ids, Tensor) else f"a {type(ids).__name__}"
