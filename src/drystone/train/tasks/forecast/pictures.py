"""From forecasts to the data of pictures."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from drystone.core.column import Column
from drystone.core.lengths import offsets_of, ranges
from drystone.core.sequences import Sequences
from drystone.plots.figure import MOST_PANELS, Picture
from drystone.plots.forecasts import Forecasts, Stretch
from drystone.plots.residuals import SHARES, Residuals
from drystone.torch.batch import TensorBatch
from drystone.train.tasks.forecast.objective import scored_cells
from drystone.train.tasks.number_names import number_names
from drystone.train.tasks.pictures import MOST_POINTS, Outcomes, chosen, with_lost, with_sample

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MOST_NUMBERS = 4_000_000  # of forecasts that are held: 32 MB
SHOWN_STEPS = 48  # ahead, at least, in a stretch: short forecasts are shown one after the other
LEAST_BEFORE = 24  # steps before the first forecast of a stretch
PLACES = {"first": 0.0, "a quarter on": 0.25, "middle": 0.5, "three quarters on": 0.75, "last": 1.0}
FEW_PLACES = ("first", "middle")  # where each of several targets has panels of its own


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Asked:
    """What forecasts are drawn of.

    Args:
        seqs: with the target, a number or a vector of numbers a step.
        target: the field.
        targets: the field of its next values at each step, in batches.
        horizon: how many steps ahead.
        first, count: [sequences] the first scored step of each, and how many there are.
        ends_only: whether each origin is a sequence of its own in a batch, which ends there; in order.
    """

    seqs: Sequences
    target: str
    targets: str
    horizon: int
    first: Ints
    count: Ints
    ends_only: bool

    @property
    def column(self) -> Column:
        """The values of the target."""
        return self.seqs.step_columns[self.target]

    @property
    def names(self) -> list[str]:
        """The target, or what each number of a vector is called."""
        return list(number_names(self.target, self.column.item_shape))

    @property
    def num_origins(self) -> int:
        """How many forecasts are made."""
        return int(self.count.sum())

    @property
    def num_chosen(self) -> int:
        """Of how many of them pictures are made."""
        fitting = MOST_NUMBERS // (self.horizon * min(len(self.names), MOST_PANELS))
        return min(self.num_origins, MOST_POINTS, max(fitting, 1))

    def numbers_in(self, batch: TensorBatch) -> Ints:
        """Returns the number of the origin of each forecast that a batch makes, counted over all sequences."""
        cells = scored_cells(batch, self.targets)
        sequence = batch.host.sequence.reshape(-1)[cells]
        if self.ends_only:
            return sequence
        spans, steps = batch.host.spans, np.zeros(batch.host.valid.size, dtype=np.int64)
        steps[batch.grid.cells] = ranges(spans.offset, spans.length)
        return offsets_of(self.count)[sequence] + steps[cells] - self.first[sequence]

    def origins(self, numbers: Ints) -> tuple[Ints, Ints]:
        """Returns the sequence of each origin, and where its step lies among all values."""
        offsets = offsets_of(self.count)
        sequence = np.searchsorted(offsets, numbers, side="right") - 1
        return sequence, self.seqs.starts[sequence] + self.first[sequence] + numbers - offsets[sequence]

    def values(self, positions: Ints) -> Floats:
        """Returns the target at positions among all values: [*positions, targets], of the first ones only."""
        found = np.asarray(self.column.take(positions), dtype=np.float64)
        return found.reshape(*positions.shape, len(self.names))[..., :MOST_PANELS]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Made:
    """Forecasts that are finite, and what came; of origins that rise.

    Args:
        number: [origins] of each origin, counted over all sequences.
        sequence, position: [origins] its sequence, and where its step lies among all values.
        forecasts, true: [origins, horizon, targets].
        num_lost: how many more are not finite.
    """

    number: Ints
    sequence: Ints
    position: Ints
    forecasts: Floats
    true: Floats
    num_lost: int


def forecasts_in(asked: Asked, outcomes: Outcomes) -> Iterator[tuple[Ints, Floats]]:
    """Yields the numbers of the origins in each batch, and their forecasts, [origins, horizon, targets].

    Args:
        asked: what is drawn.
        outcomes: with predictions of the scored cells in order, and of each by steps ahead and then by target.
    """
    for batch, outcome in outcomes:
        assert outcome.predictions is not None
        numbers = asked.numbers_in(batch)
        shape = len(numbers), asked.horizon, len(asked.names)
        yield numbers, outcome.predictions.double().cpu().numpy().reshape(shape)


def pictures(
    asked: Asked, found: Iterable[tuple[Ints, Floats]], periods: Mapping[str, int], title: str
) -> dict[str, Picture]:
    """Returns some forecasts against what came, and the errors over the horizon.

    Args:
        asked: what is drawn.
        found: all forecasts, as `forecasts_in` yields them.
        periods: of trivial forecasts that repeat what was, by their names: how many steps; 1 repeats the last value.
        title: what the forecasts are of.
    """
    made = _made(asked, found)
    if not len(made.number):
        return {}
    title = with_lost(with_sample(title, asked.num_origins, asked.num_chosen, "forecasts"), made.num_lost)
    stretches, order = _stretches(asked, made)
    return {
        "forecasts.png": Forecasts(names=asked.names, stretches=stretches, order=order, title=title),
        "residuals.png": residuals(asked, made, periods, title),
    }


def residuals(asked: Asked, made: Made, periods: Mapping[str, int], title: str) -> Residuals:
    """Returns the errors over the horizon; those of trivial forecasts where what they repeat is known."""
    with np.errstate(over="ignore", invalid="ignore"):
        return Residuals(
            names=asked.names,
            quantiles=np.quantile(made.forecasts - made.true, SHARES, axis=0),
            rmse=_rmse(made.forecasts, made.true),
            trivial={name: _rmse(repeated(asked, made, period), made.true) for name, period in periods.items()},
            title=title,
        )


def repeated(asked: Asked, made: Made, period: int) -> Floats:
    """Returns [origins, horizon, targets] what was last known at the same place of a period; NaN before a sequence begins."""
    ahead = np.arange(1, asked.horizon + 1)
    at = made.position[:, None] + ahead - period * -(-ahead // period)
    is_known = at >= asked.seqs.starts[made.sequence][:, None]
    return np.where(is_known[..., None], asked.values(np.where(is_known, at, 0)), np.nan)


def _made(asked: Asked, found: Iterable[tuple[Ints, Floats]]) -> Made:
    most, num_all = asked.num_chosen, asked.num_origins
    forecasts = np.full((most, asked.horizon, min(len(asked.names), MOST_PANELS)), np.nan)
    for numbers, made in found:
        place = chosen(numbers, num_all, most)
        forecasts[place[place >= 0]] = made[place >= 0, :, :MOST_PANELS]
    number = -(-np.arange(most) * num_all // most)
    sequence, position = asked.origins(number)
    true = asked.values(position[:, None] + np.arange(1, asked.horizon + 1))
    known = np.isfinite(forecasts).all(axis=(1, 2)) & np.isfinite(true).all(axis=(1, 2))
    return Made(
        number=number[known],
        sequence=sequence[known],
        position=position[known],
        forecasts=forecasts[known],
        true=true[known],
        num_lost=int((~known).sum()),
    )


def _rmse(forecasts: Floats, true: Floats) -> Floats:
    """Returns [horizon, targets], over the forecasts that are known; NaN where none is."""
    squares = np.square(forecasts - true)
    count = (~np.isnan(squares)).sum(axis=0)
    return np.sqrt(np.where(count > 0, np.nansum(squares, axis=0), np.nan) / np.maximum(count, 1))


def worst(made: Made) -> int:
    """Returns which forecast errs most, in units of each target's spread."""
    spread = made.true.std(axis=(0, 1))
    with np.errstate(over="ignore"):
        errors = np.square((made.forecasts - made.true) / np.where(spread > 0, spread, 1.0)).mean(axis=(1, 2))
    return int(errors.argmax())


def _stretches(asked: Asked, made: Made) -> tuple[list[Stretch], str]:
    """Returns the stretches of time that are shown, and what their times are."""
    num_tiles = -(-SHOWN_STEPS // asked.horizon)
    places = PLACES if len(asked.names) == 1 else {name: PLACES[name] for name in FEW_PLACES}
    names: dict[int, list[str]] = {}
    for name, share in places.items():
        begin = round(share * (len(made.number) - 1))
        names.setdefault(_moved_back(made, begin, (num_tiles - 1) * asked.horizon), []).append(name)
    names.setdefault(worst(made), []).append("worst")
    runs = {begin: list(_tiles(made, begin, asked.horizon, num_tiles)) for begin in names}
    steps = {begin: _steps_around(asked, made, run) for begin, run in runs.items()}
    times, order = _times(asked, made, steps)
    found = [
        Stretch(
            name=_name(asked, made, begin, names[begin]),
            times=times[begin],
            true=asked.values(steps[begin]),
            origins=made.position[run] - steps[begin][0],
            forecasts=made.forecasts[run],
        )
        for begin, run in runs.items()
    ]
    return found, order


def _moved_back(made: Made, begin: int, num_steps: int) -> int:
    """Returns an origin from which so many steps of origins follow in the sequence, or else the first of the sequence."""
    of = np.flatnonzero(made.sequence == made.sequence[begin])
    latest = max(made.position[of[-1]] - num_steps, made.position[of[0]])
    return min(begin, int(of[np.searchsorted(made.position[of], latest)]))


def _tiles(made: Made, begin: int, horizon: int, num_tiles: int) -> Iterator[int]:
    """Yields origins one horizon after the other, or the next that there are."""
    end = made.position[begin] + num_tiles * horizon
    at = begin
    while at < len(made.number) and made.sequence[at] == made.sequence[begin] and made.position[at] < end:
        yield at
        at = int(np.searchsorted(made.number, made.number[at] + horizon))


def _steps_around(asked: Asked, made: Made, run: Sequence[int]) -> Ints:
    """Returns the positions of a stretch: some steps before the first origin, up to the end of the last forecast."""
    first, last = int(made.position[run[0]]), int(made.position[run[-1]]) + asked.horizon
    num_before = max(LEAST_BEFORE, (last - first) // 2)
    return np.arange(max(first - num_before, int(asked.seqs.starts[made.sequence[run[0]]])), last + 1)


def _times(asked: Asked, made: Made, steps: Mapping[int, Ints]) -> tuple[dict[int, npt.NDArray[Any]], str]:
    """Returns the times of each stretch, and their name; the numbers of steps where no times rise."""
    order = asked.seqs.order_by
    column = None if order is None else asked.seqs.step_columns.get(order)
    if order is not None and column is not None and not column.is_text and not column.item_shape:
        found = {begin: column.take(positions) for begin, positions in steps.items()}
        if all(each.dtype.kind in "iufM" and bool((each[1:] > each[:-1]).all()) for each in found.values()):
            return found, order
    return {begin: at - asked.seqs.starts[made.sequence[begin]] for begin, at in steps.items()}, "step"


def _name(asked: Asked, made: Made, begin: int, names: Sequence[str]) -> str:
    why = ", ".join(names)
    if len(asked.seqs) == 1:
        return why
    sequence = int(made.sequence[begin])
    key = asked.seqs.sequence_id
    return f"{why}: {sequence if key is None else asked.seqs.field(key)[sequence]}"
