"""Prediction over streams that never end: one carried state a stream, all that comes in one call as one batch."""

import os
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from types import NoneType
from typing import Any, overload

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from drystone.core.errors import ConfigError, DataError
from drystone.torch.streaming.arrived import Arrived
from drystone.torch.streaming.by_stream import by_stream, read_by_stream
from drystone.torch.streaming.columns import read_columns
from drystone.torch.streaming.fingerprint import fingerprint_of
from drystone.torch.streaming.ids import IdReader, ids_of, listed
from drystone.torch.streaming.model_call import Model, check_zeros, first_weight, module_of, undisturbed
from drystone.torch.streaming.run import Ran, Rows, run
from drystone.torch.streaming.slots import FREE, Slots
from drystone.torch.streaming.snapshot import Snapshot
from drystone.torch.streaming.states import StateTable

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


class StatefulPredictor:
    """Predicts the next steps of any number of streams, each from the state that its own steps before left.

    All streams of a call run as one batch, and each gets what it would get alone. A call that fails moves no stream.
    Memory: one state a stream that is held; what has been forgotten starts from zeros when it comes again. Calls must
    come one at a time.

    Args:
        model: called as `model(x, state)` with x [rows, steps, features], returns outputs [rows, steps, ...] and the
            state after the last step: a tensor, or tuples, lists or dicts of tensors, with the rows on axis 1, as h
            and c of `nn.LSTM`. The state None means zeros. Every cell of x is a real step. `drystone.torch.LSTM`,
            `nn.LSTM` and `nn.GRU` with batch_first=True are such models. It may not change in place what it is given.
        module: the `nn.Module` behind a model that is a function of its own; by default the model, or the module whose
            method it is. It runs in evaluation mode, and is left in its own; its weights tell state files apart.
        num_features: of each step; by default as many as the first call has.
        max_streams: the most streams that are held: the least recently used is forgotten first.
        forget_after: seconds after which a stream that was not used is forgotten.
        device: of the model; by default that of its weights, the CPU for a model without.
        dtype: of x; by default that of the weights, float32 for a model without.
        missing_allowed: whether values may be NaN, for a model that knows what to make of those that are missing.
        clock: returns the seconds that `forget_after` counts; they should go on when the program starts again.

    Raises:
        ConfigError: a bound that is not above 0.

    Example:
        >>> from drystone.torch import LSTM, StatefulPredictor
        >>> predictor = StatefulPredictor(LSTM(2, 8))
        >>> predictor.step(["pump-7", "pump-9"], [[0.5, 1.0], [0.25, 2.0]]).shape
        torch.Size([2, 8])
    """

    def __init__(  # noqa: PLR0913 (all but the model are named)
        self,
        model: Model,
        *,
        module: nn.Module | None = None,
        num_features: int | None = None,
        max_streams: int | None = None,
        forget_after: int | float | None = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
        missing_allowed: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        bounds = {"num_features": num_features, "max_streams": max_streams, "forget_after": forget_after}
        for name, bound in bounds.items():
            if bound is not None and not bound > 0:
                raise ConfigError(f"{name} is {bound}; it must be above 0, or None.")
            if name != "forget_after" and not isinstance(bound, (int, NoneType)):
                raise ConfigError(f"{name} is {bound!r}; it must be a whole number, or None.")
        self._model = model
        self._module = module_of(model) if module is None else module
        weight = first_weight(self._module)
        self._device = weight.device if device is None else torch.device(device)
        self._dtype = dtype or weight.dtype
        self._num_features = num_features
        self._missing_allowed = missing_allowed
        self._max_streams = max_streams
        self._forget_after = forget_after
        self._clock = clock
        self._ids = IdReader()
        self._slots = Slots(max_streams)
        self._table = StateTable(self._device)

    @overload
    def step(self, ids: Mapping[str, Any], *, anew: Collection[str] = ()) -> dict[str, Tensor]: ...

    @overload
    def step(self, ids: Any, values: Any, *, anew: Collection[str] = ()) -> Tensor: ...

    def step(self, ids: Any, values: Any = None, *, anew: Collection[str] = ()) -> Any:
        """Returns the predictions for the next steps of streams, and carries their states on.

        Args:
            ids: the stream of each row: texts, as a list, NumPy or Arrow array, or any column that NumPy takes. One that
                comes several times gets consecutive steps, in the order of the rows. Or values by stream id: an array
                of [steps, features], of [features] of one step, or a number: one step of one feature.
            values: [rows, features] of one step a row, [rows, steps, features], or [rows] of one feature.
            anew: streams that start from zeros with their first step of this call.

        Returns:
            By row, [rows, ...] or [rows, steps, ...], as the values came. By stream id, [...] for one step, else
            [steps, ...]. Tensors on the device of the model.

        Raises:
            StreamInputError: streams that cannot go on, by id in `reasons`: other numbers of features, ragged steps,
                values or predictions that are not finite, ids that are missing or not text.
            DataError: numbers of ids and rows that differ, nothing at all, or more streams than can be held.
            ShapeError: the model returned something of another shape.
        """
        if isinstance(ids, Mapping):
            if values is not None:
                raise DataError("values came both by stream id and as a column; pass one of them.")
            arrived, is_one_step = read_by_stream(
                ids, self._num_features, self._dtype, missing_allowed=self._missing_allowed
            )
            return by_stream(self._advance(arrived, anew), arrived, is_one_step)
        if values is None:
            raise DataError("there are ids and no values; pass step(ids, values), or values by stream id.")
        found = self._ids.read(ids, self._slots)
        arrived, leading = read_columns(
            found, values, self._num_features, self._dtype, missing_allowed=self._missing_allowed
        )
        outputs = self._advance(arrived, anew)
        return outputs.reshape(*leading, *outputs.shape[2:])

    @property
    def streams(self) -> list[str]:
        """The ids of the streams that are held, the least recently used first."""
        self._forget_unused(self._clock())
        return self._slots.streams

    @property
    def num_streams(self) -> int:
        """How many streams are held."""
        self._forget_unused(self._clock())
        return len(self._slots)

    @property
    def num_forgotten(self) -> int:
        """How many streams were forgotten for room (`max_streams`) or time (`forget_after`)."""
        self._forget_unused(self._clock())
        return self._slots.num_forgotten

    @property
    def max_streams(self) -> int | None:
        """The most streams that are held, and that may come in one call; None for no bound."""
        return self._max_streams

    @property
    def fingerprint(self) -> str:
        """What tells the model from others: a checksum of its weights; "" for a function of no module."""
        return fingerprint_of(self._module)

    def steps_of(self, ids: Any) -> Ints:
        """Returns how many steps each stream has had; 0 for one that is not held.

        Args:
            ids: texts, as a list or an array.

        Raises:
            StreamInputError: an id that is missing, empty or not text.
        """
        self._forget_unused(self._clock())
        found = ids_of(listed(ids))
        slots = self._slots.find(found.streams)
        steps = np.where(slots == FREE, 0, self._slots.num_steps[slots]) if len(self._slots) else np.zeros_like(slots)
        return steps if found.stream is None else steps[found.stream]

    def forget(self, ids: Any) -> None:
        """Ends streams: when they come again, they start from zeros. Those that are not held are passed over.

        Args:
            ids: texts, as a list or an array.

        Raises:
            StreamInputError: an id that is missing, empty or not text; nothing is forgotten then.
        """
        self._slots.forget(ids_of(listed(ids)).streams)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes all streams to a safetensors file, whole or not at all; an older file stays until then.

        Raises:
            DataError: there is no such folder.
        """
        self._forget_unused(self._clock())
        slots = self._slots.in_use()
        with torch.no_grad():
            state = self._table.gather(self._on_device(slots), None)
        Snapshot(
            streams=self._slots.streams,
            num_steps=self._slots.num_steps[slots],
            used_at=self._slots.used_at[slots],
            state=state,
            form=self._table.form,
            model=self.fingerprint,
            num_features=self._num_features,
            num_forgotten=self._slots.num_forgotten,
        ).save(Path(path))

    def load(self, path: str | os.PathLike[str]) -> None:
        """Puts the streams of a file in place of those that are held; of more than `max_streams`, the last used.

        Raises:
            DataError: the file is missing or damaged, or belongs to another model or other features; the streams that
                are held then stay.
        """
        found = Snapshot.load(Path(path))
        self._check_fits(Path(path), found)
        slots, table = Slots(self._max_streams), StateTable(self._device)
        first = max(len(found.streams) - (self._max_streams or len(found.streams)), 0)
        slots.num_forgotten = found.num_forgotten + first
        if found.form is not None:
            table.reserve(slots.needed(len(found.streams)), found.form)
            placed = slots.restore(found.streams[first:], found.num_steps[first:], found.used_at[first:])
            with torch.no_grad():
                state = [leaf[:, first:].to(self._device) for leaf in found.state]
                table.put(self._on_device(placed), state)
        self._slots, self._table, self._num_features = slots, table, found.num_features or self._num_features

    def _check_fits(self, path: Path, found: Snapshot) -> None:
        if found.model != self.fingerprint:
            raise DataError(f"{path} holds states of another model: its weights are not those of this one.")
        if None not in (self._num_features, found.num_features) and self._num_features != found.num_features:
            raise DataError(f"{path} holds streams of {found.num_features} features; here are {self._num_features}.")
        known = self._table.form
        if known is not None and found.form not in (None, known):
            raise DataError(f"{path} holds states of another form than {known.in_words()}.")

    def _advance(self, arrived: Arrived, anew: Collection[str]) -> Tensor:
        if self._max_streams is not None and len(arrived.streams) > self._max_streams:
            raise DataError(
                f"{len(arrived.streams)} streams came in one call, and max_streams is {self._max_streams}; "
                f"raise it, or pass fewer at a time."
            )
        now = self._clock()
        self._forget_unused(now)
        rows = Rows.of(replace(arrived, values=arrived.values.to(self._device)))
        slots = self._slots.find(arrived.streams)
        begins = slots == FREE
        if anew:
            begins |= np.fromiter(map(frozenset(anew).__contains__, arrived.streams), np.bool_, len(slots))
        with undisturbed(self._module, self._device):
            if self._table.form is None:
                check_zeros(self._model, rows.arrived.values[:1])
            ran = run(self._model, rows, self._state(rows.in_order(slots), rows.in_order(begins)), self._table.form)
            arrived.check_predictions(ran.outputs, ran.state, rows.stream)
            self._commit(rows, slots, begins, ran, now)
        return ran.outputs

    def _state(self, slots: Ints, begins: Bools) -> list[Tensor] | None:
        """The states in slots, with zeros for streams that begin; None where all do."""
        if begins.all():
            return None
        new = self._on_device(np.flatnonzero(begins)) if begins.any() else None
        return self._table.gather(self._on_device(np.where(begins, 0, slots)), new)

    def _commit(self, rows: Rows, slots: Ints, begins: Bools, ran: Ran, now: float) -> None:
        """Writes what was found right: first comes what may fail, for want of memory."""
        arrived = rows.arrived
        self._table.reserve(self._slots.needed(int((slots == FREE).sum())), ran.form)
        self._slots.num_steps[slots[begins & (slots != FREE)]] = 0
        slots = self._slots.use_streams(arrived.streams, slots, arrived.num_steps, now)
        self._table.put(self._on_device(rows.in_order(slots)), ran.state)
        self._num_features = arrived.values.shape[1]

    def _on_device(self, places: Ints) -> Tensor:
        return torch.from_numpy(places).to(self._device)

    def _forget_unused(self, now: float) -> None:
        if self._forget_after is not None:
            self._slots.forget_unused_since(now - self._forget_after)
