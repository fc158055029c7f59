"""Learning the unknown word: in training, some rare words are read as it."""

from dataclasses import replace
from typing import Any

import numpy as np
from torch import nn

from drystone.text import Vocabulary
from drystone.text.kinds import UNKNOWN
from drystone.torch.batch import TensorBatch
from drystone.train.features.feature import Features
from drystone.train.loop.objective import Objective, Outcome, on_device


def with_unknown(objective: Objective, features: Features, *, rate: float, seed: int) -> Objective:
    """Returns the objective of a training in which some rare words are read as the unknown one; without text as it is.

    Byte pairs are never unknown, so none of them is.

    Args:
        objective: on batches as they are.
        features: the inputs.
        rate: the share of rare words that are replaced in each epoch, 0 to 1.
        seed: fixes which, with the epoch.
    """
    for feature in features.fields:
        if feature.kind == "tokens" and feature.vocabulary is not None and feature.vocabulary.kind != "bpe" and rate:
            return WithUnknown(objective, feature.vocabulary, feature.field, rate=rate, seed=seed)
    return objective


class WithUnknown:
    """An objective on batches in which rare words are replaced as `Vocabulary.replaced` says.

    It is given to trainers only: what evaluates and predicts is told of words as they are.

    Args:
        objective: on batches as they are.
        vocabulary: of the words.
        field: of their ids, one a step.
        rate, seed: as in `with_unknown`.
    """

    def __init__(self, objective: Objective, vocabulary: Vocabulary, field: str, *, rate: float, seed: int) -> None:
        self._objective = objective
        self._vocabulary, self._field = vocabulary, field
        self._rate, self._seed = rate, seed

    def __call__(self, model: nn.Module, batch: TensorBatch, state: Any) -> Outcome:
        return self._objective(model, self.replaced(batch), state)

    def replaced(self, batch: TensorBatch) -> TensorBatch:
        """Returns the batch with other ids on its device; those on the host stay. The device is not waited for."""
        ids = batch.host[self._field].reshape(-1)
        rare = np.flatnonzero(ids >= self._vocabulary.first_rare)
        sequence, step = batch.grid.places(rare).T
        is_hidden = self._vocabulary.replaced(
            ids[rare], sequence, step, rate=self._rate, seed=self._seed, epoch=batch.epoch
        )
        whole = batch[self._field]
        seen = whole.flatten().index_fill(0, on_device(rare[is_hidden], batch), UNKNOWN)
        return replace(batch, fields={**batch.fields, self._field: seen.reshape(whole.shape)})
