"""Evaluation and prediction over any layout, beside a training that notices nothing."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from time import perf_counter
from typing import Any

import numpy as np
import torch
from torch import nn
from torchmetrics import Metric

from drystone.core.errors import DataError
from drystone.core.loader import Loader
from drystone.torch.batch import TensorBatch, to_tensors
from drystone.torch.carried_state import CarriedState
from drystone.train.loop.objective import Objective, Outcome, forward_of
from drystone.train.loop.randomness import kept_randomness
from drystone.train.loop.totals import Totals
from drystone.train.ranks.ranks import Ranks

Autocast = Callable[[], AbstractContextManager[Any]]


class Evaluator:
    """Figures of a model over all sequences of a loader: sums over sums, the same for any layout and batch size.

    It has a state of its own: rows start from zeros, and what the model, its mode, the random numbers and the
    training loader were before, they are afterwards.

    Args:
        objective: what is measured; give it no smoothing of labels and the like.
        loader: the sequences; every evaluation is a pass over epoch 0.
        metrics: by the names of their figures, updated with predictions and targets of the objective.
        between: called before every batch; what it raises ends the evaluation.
        ranks: those among which the sequences of the loader are shared out; by default this process has them all.

    Example:
        >>> import drystone as ds
        >>> from drystone.train import Evaluator, Outcome
        >>> def squares(model, batch, state):
        ...     errors = (model(batch["x"])[..., 0] - 1)[batch.scored] ** 2
        ...     return Outcome(loss=errors.sum(), weight=len(errors))
        >>> seqs = ds.Sequences.from_arrays({"x": [[[1.0], [2.0]], [[3.0]]]})
        >>> evaluator = Evaluator(squares, ds.Loader(seqs, ds.Padded(2)))
        >>> evaluator.figures(nn.Identity())["loss"]
        1.6666666666666667
    """

    def __init__(
        self,
        objective: Objective,
        loader: Loader,
        metrics: Mapping[str, Metric] | None = None,
        *,
        between: Callable[[], object] | None = None,
        ranks: Ranks | None = None,
    ) -> None:
        self._objective = objective
        self._loader = loader
        self._metrics = metrics
        self._between = between or (lambda: None)
        self._ranks = ranks or Ranks()
        self._ranks.check_same(loader.rank, loader.num_ranks)

    def shared_out(self, ranks: Ranks) -> "Evaluator":
        """Returns one of the same figures, whose sequences are shared out among ranks, which all ask it together."""
        loader = self._loader if ranks.is_alone else self._loader.share(ranks.rank, ranks.num_ranks)
        return Evaluator(self._objective, loader, self._metrics, between=self._between, ranks=ranks)

    def figures(self, model: nn.Module, autocast: Autocast = nullcontext) -> dict[str, float]:
        """Returns loss, metrics, sequences, steps and seconds.

        Args:
            model: of the objective.
            autocast: makes the context that the model runs in, for mixed precision.

        Raises:
            DataError: nothing was scored.
        """
        started = perf_counter()
        totals = Totals(self._metrics, device_of_model(model), self._ranks)
        for batch, outcome in self.outcomes(model, autocast):
            totals.add(batch, outcome)
            totals.loss = totals.loss + outcome.loss.double()
        totals.seconds = perf_counter() - started
        if not self._ranks.sums(np.array([totals.weight]))[0]:
            raise DataError("nothing was scored: the sequences to evaluate have no weight.")
        return totals.figures()

    def outcomes(self, model: nn.Module, autocast: Autocast = nullcontext) -> Iterator[tuple[TensorBatch, Outcome]]:
        """Yields each batch with what the model made of it, in evaluation mode and without gradients."""
        device = device_of_model(model)
        with kept_position(self._loader), undisturbed_model(model), closing(iter(self._loader)) as passing:
            carried, forward = CarriedState(), forward_of(self._objective, model)
            for host in passing:
                self._between()
                batch = to_tensors(host, device)
                with torch.inference_mode(), autocast():
                    outcome, carried = carried.run(forward, batch)
                yield batch, outcome


@contextmanager
def kept_position(loader: Loader) -> Iterator[None]:
    """Lets a loader begin with epoch 0, and puts it back to where it was: it may be that of the training."""
    before = loader.state_dict()
    loader.epoch = 0
    try:
        yield
    finally:
        loader.load_state_dict(before)


@contextmanager
def undisturbed_model(model: nn.Module) -> Iterator[None]:
    """Puts all of a model in evaluation mode, and each part back into its own; random numbers too."""
    modes = [(part, part.training) for part in model.modules()]
    model.eval()
    try:
        with kept_randomness():
            yield
    finally:
        for part, was_training in modes:
            part.training = was_training


def device_of_model(model: nn.Module) -> torch.device:
    """Returns where a model's first parameter or buffer is; the CPU for a model with none."""
    for tensor in (*model.parameters(), *model.buffers()):
        return tensor.device
    return torch.device("cpu")
