"""What forecasts are trained on: windows, series cut so that all rows are filled, or series as they are."""

import warnings

from drystone.core.errors import ConfigError, DataError
from drystone.core.lengths import Lengths
from drystone.core.sequences import Sequences
from drystone.core.words import so_many
from drystone.train.layouts import stateful_rows, stateful_steps
from drystone.train.settings import Settings


def laid_out(seqs: Sequences, settings: Settings, horizon: int) -> Sequences:
    """Returns the view of the training part that is laid out.

    Raises:
        DataError: no series holds a window.
        ConfigError: a lead is asked for, and no series is cut.
    """
    if settings.window is not None:
        return _windows(seqs, settings.window, settings.stride or 1, horizon)
    if settings.layout != "stateful" or settings.align is not None:
        return seqs
    num_rows = stateful_rows(settings)
    if len(seqs) < num_rows:
        return seqs.cut(-(-num_rows // len(seqs)), stateful_steps(settings) if settings.lead is None else settings.lead)
    if settings.lead is not None:
        raise ConfigError(
            f"lead is {settings.lead}, and no series is cut: the training part has {so_many(len(seqs), 'sequence')}, "
            f"enough for {so_many(num_rows, 'row')}. Leave out lead, or give more rows."
        )
    return seqs


def _windows(seqs: Sequences, window: int, stride: int, horizon: int) -> Sequences:
    found = seqs.windows(window, stride, horizon)
    if not len(found):
        raise DataError(
            f"window is {window} and horizon {horizon}: the longest series of the training part has "
            f"{so_many(int(seqs.lengths.max()), 'step')}, so it holds no such window. Give shorter ones."
        )
    too_short = seqs.lengths < window + horizon
    if too_short.any():
        _warn_of_short(seqs.lengths[too_short], window, horizon)
    return found


def _warn_of_short(lengths: Lengths, window: int, horizon: int) -> None:
    warnings.warn(
        f"{so_many(len(lengths), 'sequence')} of the training part with {so_many(int(lengths.sum()), 'step')} "
        f"{'is' if len(lengths) == 1 else 'are'} shorter than a window of {window} with the {so_many(horizon, 'step')} after "
        f"it, and not trained on.",
        stacklevel=4,
    )
