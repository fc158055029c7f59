"""The training loop, and what it tells those who watch it."""

from collections.abc import Generator, Iterator, Mapping
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any

from lightning_fabric import Fabric
from torch import nn
from torch.optim import Optimizer
from torchmetrics import Metric

from drystone.core.batch import Batch
from drystone.core.errors import ConfigError, DataError, NotFiniteError
from drystone.core.loader import Loader
from drystone.torch.carried_state import CarriedState
from drystone.train.loop.evaluator import Evaluator
from drystone.train.loop.events import Ended, EpochEnded, Evaluated, Event, Updated
from drystone.train.loop.feed import Feed
from drystone.train.loop.objective import Objective
from drystone.train.loop.randomness import random_state, seed_rank, set_random_state
from drystone.train.loop.recipe import Recipe
from drystone.train.loop.step import SpoiledUpdateError, Stepper, scales_losses
from drystone.train.loop.totals import Totals
from drystone.train.ranks.carried import state_of_rank, state_of_whole
from drystone.train.ranks.launch import ranks_of


@dataclass(slots=True, kw_only=True)
class Counts:
    """How far a training is.

    Args:
        epochs: that were ended.
        batches: of the epoch that goes on.
        updates: of all epochs.
        evaluated: the update after which the model was last evaluated.
        seconds: of wall time, over all continuations.
        stopped: why training ends before its limits, or None.
    """

    epochs: int = 0
    batches: int = 0
    updates: int = 0
    evaluated: int = 0
    seconds: float = 0.0
    stopped: str | None = None


class Trainer:
    """Trains a model on the batches of a loader, and tells of every update, epoch and evaluation.

    The loss of an update is Σ weighted loss ÷ Σ weight over all of its batches, so loss and gradient do not depend
    on how sequences are cut into batches. Between two events nothing happens: whoever reads them may evaluate, save
    `state_dict()`, or stop reading; `run()` then goes on from there.

    Args:
        model: any module that the objective can use; trained in place, and moved to the device of `fabric`.
        loader: the training part; from its position on.
        objective: makes a sum of losses of a model, a batch and the carried state.
        recipe: optimiser, learning rate and limits.
        evaluator: of the validation part, if there is one.
        metrics: figures of the training part by their names, as it is seen in training.
        optimizer: in place of the recipe's AdamW. Rates of its groups keep their ratio to the recipe's.
        fabric: device and precision; by default the CPU, and the type that the model has.

    Several processes, as torchrun starts them, train one model where each has a loader of its rank,
    `Loader(..., rank=, num_ranks=)`: all begin with the weights of rank 0, and all call the same methods. Losses,
    figures and gradients are sums over all ranks; the sequences of the evaluator are shared out among them.

    Raises:
        ConfigError: parts that do not go together, such as a loader of another rank.

    Example:
        >>> import torch, drystone as ds
        >>> from drystone.train import Outcome, Recipe, Trainer
        >>> def squares(model, batch, state):
        ...     errors = (model(batch["x"])[..., 0] - 1)[batch.scored] ** 2
        ...     return Outcome(loss=errors.sum(), weight=len(errors))
        >>> seqs = ds.Sequences.from_arrays({"x": [torch.ones(2, 1).numpy(), torch.ones(1, 1).numpy()]})
        >>> trainer = Trainer(nn.Linear(1, 1), ds.Loader(seqs, ds.Padded(1)), squares, Recipe(epochs=1))
        >>> [type(event).__name__ for event in trainer.run()]
        ['Updated', 'Updated', 'EpochEnded', 'Ended']
    """

    def __init__(
        self,
        model: nn.Module,
        loader: Loader,
        objective: Objective,
        recipe: Recipe,
        *,
        evaluator: Evaluator | None = None,
        metrics: Mapping[str, Metric] | None = None,
        optimizer: Optimizer | None = None,
        fabric: Fabric | None = None,
    ) -> None:
        if recipe.backprop_steps is not None and not loader.layout.carries:
            raise ConfigError(
                f"backprop_steps goes with a layout that carries state over batches, such as Stateful; "
                f"got {loader.layout}, whose gradients go back to the start of each sequence."
            )
        self.model = model
        self.loader = loader
        self.recipe = recipe
        self.ranks = ranks_of(loader)
        self.counts = Counts()
        self._fabric = fabric or Fabric(accelerator="cpu", devices=1)
        if self._fabric.world_size > 1:
            raise ConfigError("fabric is for the one device of each process: give Fabric(devices=1).")
        self.optimizer = optimizer or recipe.optimizer(model, fused=not scales_losses(self._fabric))
        self._rate_shares = [group["lr"] / recipe.learning_rate for group in self.optimizer.param_groups]
        self._stepper = Stepper(model, objective, self.optimizer, recipe.gradient_clip, self._fabric, self.ranks)
        self.ranks.made_equal([*model.parameters(), *model.buffers()])
        self._feed = Feed(loader, recipe.batches_per_update)
        self._evaluator = None if evaluator is None else evaluator.shared_out(self.ranks)
        self._totals = Totals(metrics, self._fabric.device, self.ranks)
        self._epoch = loader.epoch
        self._carried = CarriedState(backprop_steps=recipe.backprop_steps)

    def run(self) -> Generator[Event]:
        """Trains to a limit of the recipe, or until `stop` is called; yields what happened.

        Raises:
            NotFiniteError: loss or gradient is not finite; the message names the batch and its sequences, and the
                weights are those before its update.
            DataError: the layout drops all sequences.
            RankError: another rank is lost.
        """
        self.ranks.meet()
        started = self.ranks.now - self.counts.seconds
        self.model.train()
        try:
            while True:
                yield from self._due()
                if (reason := self._reason_to_end()) is not None:
                    break
                begun = perf_counter()
                if batches := self._feed.take():
                    updated = self._update(batches, begun)
                    self._feed.finish()
                    self.counts.seconds = self.ranks.now - started
                    yield updated
        finally:
            self._feed.close()
        yield from self._due_at_the_end()
        yield Ended(epoch=self.counts.epochs, update=self.counts.updates, reason=reason)

    def stop(self, reason: str) -> None:
        """Ends training after the event that was last told of; continued from a checkpoint, it stays ended."""
        self.counts.stopped = reason

    def state_dict(self) -> dict[str, Any]:
        """Returns all that the rest of the training depends on, in tensors and plain values.

        Weights are not copied: save them before training goes on. Several ranks all call it; that of rank 0 is whole,
        and any number of ranks goes on from it.
        """
        return {
            "counts": asdict(self.counts),
            "epoch": self._epoch,
            "loader": self.loader.state_dict(),
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "precision": self._fabric.strategy.precision.state_dict(),
            "totals": self._totals.state_dict(),
            "carried": state_of_whole(self._carried, self.loader, self.ranks),
            "randomness": self.ranks.gathered_by_first(random_state()),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on from a state that `state_dict` returned, with the same parts, on the same number of ranks to the bit.

        On another number, sums have other roundings, and plain dropout draws other numbers.

        Raises:
            DataError: the loader has other data, another layout or another seed.
            ConfigError: the carried state cannot be dealt out to this number of ranks.
        """
        self.loader.load_state_dict(state["loader"])
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self._fabric.strategy.precision.load_state_dict(state["precision"])
        self.counts = Counts(**state["counts"])
        self._totals.load_state_dict(state["totals"])
        self._epoch = state["epoch"]
        self._carried = state_of_rank(
            self._carried.restarted(), state["carried"], self.loader, self.ranks, self._fabric.device
        )
        if self.ranks.rank < len(state["randomness"]):
            set_random_state(state["randomness"][self.ranks.rank])
        else:
            seed_rank(self.counts.updates, self.ranks.rank)  # a rank that was not there before

    @property
    def progress(self) -> float:
        """The share of the training that is done, 0 … 1."""
        counts = self.counts
        return self.recipe.progress(counts.epochs + self._feed.share(counts.batches), counts.updates, counts.seconds)

    def _update(self, batches: tuple[Batch, ...], begun: float) -> Updated:
        counts, totals = self.counts, self._totals
        rate = self._set_rate()
        try:
            stepped, self._carried = self._stepper.step(batches, self._carried, totals)
        except SpoiledUpdateError as error:
            raise NotFiniteError(f"{error} {self._place(batches, is_here=error.is_here)}") from None
        counts.updates, counts.batches = counts.updates + 1, counts.batches + len(batches)
        seconds = perf_counter() - begun
        totals.seconds += seconds
        return Updated(
            update=counts.updates,
            epoch=counts.epochs,
            progress=self.progress,
            loss=stepped.loss,
            weight=stepped.weight,
            sequences=stepped.sequences,
            steps=stepped.steps,
            learning_rate=rate,
            gradient_norm=stepped.gradient_norm,
            seconds=seconds,
        )

    def _set_rate(self) -> float:
        rate = self.recipe.rate(self.progress)
        for group, share in zip(self.optimizer.param_groups, self._rate_shares, strict=True):
            group["lr"] = rate * share
        return rate

    def _due(self) -> Iterator[Event]:
        """What comes before the next update: the end of an epoch, an evaluation."""
        if self.loader.epoch != self._epoch:
            yield self._end_epoch(is_whole=True)
        every = self.recipe.evaluate_every
        if self.counts.updates % every == 0 if every else self.counts.batches == 0:
            yield from self._evaluation()

    def _due_at_the_end(self) -> Iterator[Event]:
        if not self._totals.is_empty:
            yield self._end_epoch(is_whole=False)
        yield from self._evaluation()

    def _evaluation(self) -> Iterator[Event]:
        if self._evaluator is None or self.counts.evaluated == self.counts.updates:
            return
        figures = self._evaluator.figures(self.model, self._fabric.autocast)
        self.counts.evaluated = self.counts.updates
        yield Evaluated(epoch=self.counts.epochs, update=self.counts.updates, figures=figures)

    def _end_epoch(self, *, is_whole: bool) -> EpochEnded:
        counts, totals = self.counts, self._totals
        if totals.is_empty:
            raise DataError(
                f"epoch {counts.epochs + 1} has no batches: the layout {self.loader.layout} drops them all."
            )
        event = EpochEnded(epoch=counts.epochs, update=counts.updates, figures=totals.figures(), is_whole=is_whole)
        totals.reset()
        if is_whole:
            self._epoch, self._carried = self.loader.epoch, self._carried.restarted()
            counts.epochs, counts.batches = counts.epochs + 1, 0
        return event

    def _reason_to_end(self) -> str | None:
        counts = self.counts
        return counts.stopped or self.recipe.limit_reached(counts.epochs, counts.updates, counts.seconds)

    def _place(self, batches: tuple[Batch, ...], *, is_here: bool) -> str:
        first, last = self.counts.batches, self.counts.batches + len(batches) - 1
        where = f"batch {first}" if first == last else f"batches {first} to {last}"
        named = self.ranks.gathered(self._feed.in_words(batches) if is_here else "")
        return (
            f"in epoch {self.counts.epochs + 1}, {where} (update {self.counts.updates + 1}), of "
            f"{'; '.join(filter(None, named)) or 'all ranks together'}. Try a lower learning_rate, or look at these sequences."
        )
