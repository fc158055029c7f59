"""What a language model is trained on: the negative log-likelihood of the next token at every scored step."""

from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from drystone.torch.batch import TensorBatch
from drystone.train.loop.objective import Outcome, on_device
from drystone.train.tasks.language_model.model import LanguageNet


class NextTokenLosses:
    """The negative log-likelihood of the token after each scored step, in nats; a step weighs 1.

    Args:
        targets: the field of next tokens.
        label_smoothing: the share of each target that is spread over all tokens.
        keep: whether the loss of each step is given as what is predicted.
    """

    def __init__(self, targets: str, label_smoothing: float = 0.0, *, keep: bool = False) -> None:
        self._targets, self._smoothing, self._keep = targets, label_smoothing, keep

    def __call__(self, model: nn.Module, batch: TensorBatch, state: Any) -> Outcome:
        assert isinstance(model, LanguageNet)
        scored = np.flatnonzero(batch.host.scored)
        cells = on_device(scored, batch)
        scores, state = model(batch, state, cells)
        targets = batch[self._targets].flatten(0, 1).index_select(0, cells)[:, 0].long()
        scores = scores.to(torch.promote_types(scores.dtype, torch.float32))
        if not self._keep:
            loss = functional.cross_entropy(scores, targets, reduction="sum", label_smoothing=self._smoothing)
            return Outcome(loss=loss, weight=len(scored), state=state)
        losses = functional.cross_entropy(scores, targets, reduction="none")
        return Outcome(loss=losses.sum(), weight=len(scored), predictions=losses, cells=scored, state=state)
