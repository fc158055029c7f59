"""Language models, as a run knows them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import exp
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from torch import nn
from torchmetrics import Metric

from drystone.core.errors import DataError
from drystone.core.sequences import Sequences
from drystone.core.words import so_many
from drystone.text import Vocabulary
from drystone.torch.language.documents import next_tokens
from drystone.train.features.choose import choose_features
from drystone.train.features.encode import encoded
from drystone.train.features.feature import Feature, Features
from drystone.train.layouts import carrying_layout, stateful_rows
from drystone.train.loaders import loader_of
from drystone.train.loop.evaluator import Evaluator, device_of_model
from drystone.train.model import ModelSpec
from drystone.train.schema import Schema
from drystone.train.settings import Settings
from drystone.train.split import Split
from drystone.train.tasks.drawn import split_of_steps
from drystone.train.tasks.language_model.about import LANGUAGE_MODEL
from drystone.train.tasks.language_model.model import LanguageNet
from drystone.train.tasks.language_model.objective import NextTokenLosses
from drystone.train.tasks.task import Scores, Task, id_column

NEXT = "next token"
UNIGRAM = "unigram"


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageScores(Scores):
    """Figures of a language model, over every token once: those that begin documents too.

    Args:
        loss: the negative log-likelihood of a token, in nats.
        perplexity: e to the loss.
        tokens: how many there are.
    """

    perplexity: float
    tokens: int


class LanguageModelling(Task):
    """The next token of text; the state is reset where documents begin, and carried over batches inside them."""

    about = LANGUAGE_MODEL

    @classmethod
    def check_target(cls, seqs: Sequences, target: str) -> None:
        """Proves that the target is text, a token or a character a step."""
        field = seqs.field(target)
        if not field.per_step or not field.is_text:
            kind = "step" if field.per_step else "sequence"
            raise DataError(
                f"target {target!r} is {field.describe()} a {kind}; a language model learns text: documents "
                f"(text={target!r}, --text {target}), or words, one a step."
            )

    @classmethod
    def split(cls, seqs: Sequences, settings: Settings) -> Split:
        """Draws parts: whole documents, or the ends of a single one."""
        return split_of_steps(seqs, settings)

    @classmethod
    def schema_of(cls, seqs: Sequences, settings: Settings, split: Split) -> Schema:
        """Makes the vocabulary of the training part, and counts its tokens."""
        target, train = settings.target, split.sequences(seqs, "train", 0)
        wishes = settings.model_copy(update={"text": target}).wishes
        features = choose_features(seqs, wishes, train, target, target_is_input=True)
        task = cls(settings, Schema.of(seqs, features, target, {"tokens": len(_vocabulary(features))}))
        ids = encoded(train, features).field(task._feature.field).values
        count = np.bincount(ids, minlength=len(_vocabulary(features))) + 0.5  # none is impossible
        shares = {UNIGRAM: np.log(count / count.sum()).tolist()}
        return Schema.of(seqs, features, target, {"tokens": len(_vocabulary(features))}, shares)

    @property
    def context(self) -> int:
        """None: each part of a document is read as one of its own."""
        return 0

    @property
    def vocabulary(self) -> Vocabulary:
        """The tokens."""
        return _vocabulary(self.schema.features)

    @property
    def begin(self) -> int:
        """The id of the step that begins a document, which no token has."""
        return len(self.vocabulary)

    @property
    def _feature(self) -> Feature:
        return next(field for field in self.schema.features.fields if field.kind == "tokens")

    def new_model(self) -> LanguageNet:
        """Returns a language model."""
        return LanguageNet(ModelSpec(self.schema.features, len(self.vocabulary), self.settings))

    def fields(self, seqs: Sequences) -> tuple[str, ...]:
        """Returns the tokens, and those after them."""
        return (*self.schema.features.batch_fields, NEXT)

    def to_train_on(self, seqs: Sequences) -> Sequences:
        """Returns the documents, each after a step that begins it; cut, where there are fewer than rows."""
        found = self._with_next(seqs)
        rows = stateful_rows(self.settings)
        if self.settings.layout != "stateful" or len(found) >= rows:
            return found
        return found.cut(-(-rows // len(found)), 0)

    def objective(self, seqs: Sequences) -> NextTokenLosses:
        """Returns the losses of the next tokens."""
        return NextTokenLosses(NEXT, self.settings.label_smoothing or 0.0)

    def metrics(self) -> dict[str, Metric]:
        """Returns none: perplexity follows from the loss."""
        return {}

    def evaluator(
        self, seqs: Sequences, device: torch.device, between: Callable[[], object] | None = None
    ) -> Evaluator:
        """Returns what measures a model on every token once."""
        return Evaluator(NextTokenLosses(NEXT), self._loader(self._with_next(seqs), device), between=between)

    def scores(self, seqs: Sequences, figures: Mapping[str, float]) -> LanguageScores:
        """Returns loss and perplexity."""
        loss = figures["loss"]
        return LanguageScores(sequences=len(seqs), loss=loss, perplexity=_perplexity(loss), tokens=seqs.num_steps)

    def baselines(self, seqs: Sequences) -> dict[str, dict[str, float]]:
        """Returns the figures of the shares of the tokens in the training part, whatever came before."""
        shares = np.array(self.schema.baselines[UNIGRAM])
        loss = -float(shares[seqs.field(self._feature.field).values].mean())
        return {UNIGRAM: {"loss": loss, "perplexity": _perplexity(loss)}}

    def predict(self, model: nn.Module, seqs: Sequences) -> pa.Table:
        """Returns one row a document: `sequence`, its id, `tokens`, `loss` (nats a token) and `perplexity`."""
        found = self._with_next(seqs)
        sums = np.zeros(len(seqs))
        losses = NextTokenLosses(NEXT, keep=True)
        for batch, outcome in Evaluator(losses, self._loader(found, device_of_model(model))).outcomes(model):
            assert outcome.predictions is not None
            assert outcome.cells is not None
            np.add.at(sums, batch.grid.places(outcome.cells)[:, 0], outcome.predictions.double().cpu().numpy())
        mean = sums / seqs.lengths
        columns = {"tokens": seqs.lengths, "loss": mean, "perplexity": [_perplexity(loss) for loss in mean]}
        return pa.table({"sequence": np.arange(len(seqs)), **id_column(seqs, ("sequence", *columns)), **columns})

    @property
    def output_names(self) -> tuple[str, ...]:
        """p_TOKEN for every token."""
        return tuple(f"p_{token}" for token in self.vocabulary.tokens.to_pylist())

    def __str__(self) -> str:
        return f"the next of {so_many(len(self.vocabulary), 'token')} of {self.schema.target!r}"

    def _with_next(self, seqs: Sequences) -> Sequences:
        return next_tokens(seqs, self._feature.field, begin=self.begin, name=NEXT)

    def _loader(self, seqs: Sequences, device: torch.device) -> Any:
        return loader_of(seqs, carrying_layout(seqs.lengths), self.fields(seqs), device)


def _vocabulary(features: Features) -> Vocabulary:
    assert features.vocabulary is not None
    return features.vocabulary


def _perplexity(loss: float) -> float:
    return exp(min(loss, 700.0))
