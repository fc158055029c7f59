"""The batches of a loader as the arrays that Keras takes, epoch after epoch."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from drystone.core.batch import Batch
from drystone.core.collate import fill
from drystone.core.errors import DataError, StreamError
from drystone.core.grid import Grid
from drystone.core.loader import Loader
from drystone.core.passes import Pass
from drystone.core.plan import Plan
from drystone.core.sequences import Sequences
from drystone.keras.pieces import Frame, pieces
from drystone.keras.recipe import Names, Recipe
from drystone.keras.shapes import Shapes
from drystone.keras.totals import weight_of_sequences, weight_of_steps


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochFrames:
    """What is laid around the batches of one epoch, so that Keras' means over it are sums over sums.

    Keras divides the weighted losses of a batch by their number, then weighs the quotient by the batch's rows, and
    the means of metrics likewise. Weights × steps (or ends a row) × rows ÷ total weight undo that.

    Args:
        recipe: what is taken from batches.
        shapes: of the batches.
        totals: of each target, the sum of its weights over the epoch.
    """

    recipe: Recipe
    shapes: Shapes
    totals: dict[str, float]

    @classmethod
    def of(cls, loader: Loader, recipe: Recipe, plan: Plan) -> "EpochFrames":
        """Checks that the plan suits the recipe.

        Raises:
            DataError: no batch, sequences that a model of these inputs could not tell apart, or no weight at all.
        """
        if not plan.num_batches:
            raise DataError(f"there is no batch in {plan!r}: {loader.layout} drops all. Let it keep remainders.")
        shapes = Shapes.of(plan)
        if not recipe.knows_borders:
            shapes.check_borders(carries=loader.layout.carries)
        _check_one_a_row(recipe, shapes, loader)
        totals = {
            name: (weight_of_steps if by_step else weight_of_sequences)(loader.seqs, plan, recipe.weight)
            for name, by_step in recipe.targets_by_step.items()
        }
        for name, total in totals.items():
            if total == 0:
                raise DataError(
                    f"target {name!r} weighs nothing in the whole epoch: no step is scored, or all weights are 0."
                )
        return cls(recipe=recipe, shapes=shapes, totals=totals)

    def frame(self, number: int, batch: Batch) -> Frame:
        """Returns what is laid around one batch."""
        num_rows, num_ends = self.shapes.of_batch(number)
        valid = np.zeros((num_rows, batch.grid.num_steps), bool)
        valid[: len(batch.valid)] = batch.valid
        return Frame(
            num_rows=num_rows,
            num_ends=num_ends,
            idle_rows=self.shapes.idle_rows(number, valid),
            scale={
                name: self._entries_a_row(name, batch.grid.num_steps) * self._num_rows / total
                for name, total in self.totals.items()
            },
        )

    @property
    def counts_every_entry(self) -> bool:
        """Whether all weights are equal, so that what takes no notice of them is right all the same."""
        plan = self.shapes.plan
        steps = plan.column("steps")
        return self.recipe.weight is None and all(
            total
            == sum(int(rows) * self._entries_a_row(name, int(steps[at])) for at, rows in enumerate(self.shapes.rows))
            for name, total in self.totals.items()
        )

    @property
    def _num_rows(self) -> int:
        return int(self.shapes.rows.sum())

    def _entries_a_row(self, target: str, num_steps: int) -> int:
        if self.recipe.targets_by_step[target]:
            return num_steps
        return self.shapes.ends_a_row if self.recipe.by_ends else 1


def _check_one_a_row(recipe: Recipe, shapes: Shapes, loader: Loader) -> None:
    by_sequence = [name for name, by_step in recipe.targets_by_step.items() if not by_step]
    if not recipe.by_ends and by_sequence and not shapes.is_one_a_row:
        raise DataError(
            f"target {by_sequence[0]!r} has one value a sequence, and {loader.layout} lays several on a row, or one over "
            f'several batches. Add "ends" to x and gather the outputs there, with drystone.keras.BySequence: the '
            f"targets come in the order of ends; or choose Padded or Bucketed."
        )


@final
class Source:
    """A loader, and what a Keras model is fed from it.

    Args:
        loader: over sequences that are all there.
        x, y, weight: as in `drystone.keras.Dataset`.
        float_type: the type of floating-point numbers.
    """

    def __init__(self, loader: Loader, x: Names, y: Names | None, weight: str | None, float_type: str) -> None:
        self.loader = loader
        self.recipe = Recipe.of(_sequences_of(loader), x, y, weight, float_type)
        self._frames: EpochFrames | None = None
        self.frames  # noqa: B018 - what does not fit together is found here, before training

    @property
    def frames(self) -> EpochFrames:
        """What is laid around the batches of the loader's epoch."""
        plan = self.loader.plan
        if self._frames is None or self._frames.shapes.plan is not plan:
            self._frames = EpochFrames.of(self.loader, self.recipe, plan)
        return self._frames

    def batch(self, number: int, extra_steps: int = 0) -> tuple[Any, ...]:
        """Returns a batch of the loader's epoch, without a pass.

        Args:
            number: of the batch.
            extra_steps: columns of padding to add.
        """
        seqs, plan = self.loader.seqs, self.loader.plan
        if not 0 <= number < plan.num_batches:
            raise IndexError(f"there is no batch {number}; the epoch has {plan.num_batches}.")
        rows, steps = plan.shape(number)
        grid = Grid.from_spans(rows, steps + extra_steps, plan.spans(number))
        batch = fill(seqs, grid, grid.spans.sequence, grid.spans.offset, self.recipe.fields, epoch=plan.epoch)
        return pieces(batch, self.recipe, self.frames.frame(number, batch))

    @property
    def has_equal_steps_at_first(self) -> bool:
        """Whether the first two batches have equal steps, and others, of this epoch or the next, do not."""
        after = self.loader.layout.plan(self.loader.seqs, self.loader.seed, self.loader.epoch + 1)
        steps = self.loader.plan.column("steps")
        return bool(steps[0] == steps[1]) and len({*steps.tolist(), *after.column("steps").tolist()}) > 1

    def epoch(self) -> Generator[tuple[Any, ...], None, None]:
        """Begins the loader's epoch, from its first batch; when all are taken, the next epoch is due.

        Raises:
            DrystoneError: another pass over the loader is going on.
        """
        self.loader.epoch = self.loader.epoch  # setting it leaves a position within the epoch, for its first batch
        return self._made(self.frames, iter(self.loader))

    def _made(self, frames: EpochFrames, batches: Pass) -> Generator[tuple[Any, ...], None, None]:
        try:
            for number, batch in enumerate(batches):
                yield pieces(batch, self.recipe, frames.frame(number, batch))
        finally:
            batches.close()


def _sequences_of(loader: Loader) -> Sequences:
    if not isinstance(loader, Loader):
        raise DataError(
            f"expected a drystone.Loader; got {type(loader).__name__}. Make one with Loader(seqs, layout, seed=0)."
        )
    try:
        return loader.seqs
    except StreamError as error:
        raise StreamError(
            "a loader over a Stream does not know its batches before they are read, and Keras needs their number and "
            "the sum of their weights. Read the data into Sequences; or loop over the loader yourself, and pass "
            "batch['x'], batch['y'] and batch.scored to model.train_on_batch."
        ) from error
