"""One batch as the arrays that Keras takes: inputs, targets, weights. NumPy only."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from drystone.core.batch import Batch, Values
from drystone.core.errors import DataError
from drystone.core.grid import Ints
from drystone.keras.indices import ends_of, segment_of
from drystone.keras.recipe import Recipe

LARGEST_INT32 = np.iinfo(np.int32).max


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """What is laid around a batch.

    Args:
        num_rows: rows that its arrays get, at least those of the batch.
        num_ends: ends that they get, at least those of the batch.
        idle_rows: rows that hold nothing, and where column 0 is marked valid.
        scale: of each target, what its weights are multiplied by.
    """

    num_rows: int
    num_ends: int
    idle_rows: Ints
    scale: Mapping[str, float]


def pieces(batch: Batch, recipe: Recipe, frame: Frame) -> tuple[Any, ...]:
    """Returns (x, y, weight) of a batch, or (x,) where the recipe has no targets.

    Args:
        batch: of any layout.
        recipe: what to take from it.
        frame: the shapes to give it.
    """
    maker = _Maker(batch=batch, recipe=recipe, frame=frame)
    x = recipe.x.built({name: maker.input(field) for name, field in recipe.x.names.items()})
    if recipe.y is None:
        return (x,)
    targets = {name: maker.target(field) for name, field in recipe.y.names.items()}
    weights = {name: maker.weight(name, field) for name, field in recipe.y.names.items()}
    return x, recipe.y.built(targets), recipe.y.built(weights)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Maker:
    batch: Batch
    recipe: Recipe
    frame: Frame

    def input(self, name: str) -> Values:
        if name in self.recipe.masks:
            return self._mask(name)
        if name in self.recipe.step_fields:
            values = self._rows(self.batch[name])
        elif self.recipe.knows_borders:
            values = self._rows(self.batch.by_step(name))
        else:
            values = self._sequences(self.batch[name])
        return _as_int32(name, self._typed(values)) if values.dtype.kind in "iu" else self._typed(values)

    def target(self, name: str) -> Values:
        if name not in self.recipe.step_fields:
            return self._typed(self._sequences(self.batch[name]))
        values = self._typed(self._rows(self.batch[name]))
        return values[..., np.newaxis] if values.ndim == 2 else values

    def weight(self, target: str, field: str) -> Values:
        name = self.recipe.weight
        by_step = field in self.recipe.step_fields
        if by_step:
            weights = self.batch.scored.astype(np.float64)
            if name is not None:
                weights *= self.batch[name] if name in self.recipe.step_fields else self.batch.by_step(name)
        else:
            weights = np.ones(len(self.batch.ends)) if name is None else self.batch[name].astype(np.float64)
        weights = (weights * self.frame.scale[target]).astype(self.recipe.float_type)
        return self._rows(weights) if by_step else self._sequences(weights)

    def _mask(self, name: str) -> Values:
        if name == "ends":
            return ends_of(self.batch.grid, self.frame.num_ends)
        if name == "segment":
            return _widened(segment_of(self.batch.grid), self.frame.num_rows, filler=-1)
        if name == "sequence":
            return _widened(self.batch.sequence, self.frame.num_rows, filler=-1).astype(np.int32)
        mask = self._rows(getattr(self.batch, name))
        if name == "scored" or not len(self.frame.idle_rows):
            return mask
        mask = mask.copy()
        mask[self.frame.idle_rows, 0] = True
        return mask

    def _rows(self, values: Values) -> Values:
        return _widened(values, self.frame.num_rows)

    def _sequences(self, values: Values) -> Values:
        return _widened(values, self.frame.num_ends if self.recipe.by_ends else self.frame.num_rows)

    def _typed(self, values: Values) -> Values:
        return values.astype(self.recipe.float_type, copy=False) if values.dtype.kind == "f" else values


def _widened(values: Values, size: int, filler: int = 0) -> Values:
    if len(values) == size:
        return values
    wide = np.full((size, *values.shape[1:]), filler, dtype=values.dtype)
    wide[: len(values)] = values
    return wide


def _as_int32(name: str, values: Values) -> Values:
    if values.size and (values.max() > LARGEST_INT32 or values.min() < -LARGEST_INT32):
        raise DataError(
            f"field {name!r} holds {values.max()} or {values.min()}, which leaves 32 bits, the integers of Keras' "
            f"inputs. Number what they stand for from 1 on, or make them floating-point numbers."
        )
    return values.astype(np.int32, copy=False)
