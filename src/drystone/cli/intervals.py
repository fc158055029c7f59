"""What the verbs say of the times of data: the usual interval between steps, and gaps."""

from typing import Any

import numpy as np
import typer

from drystone.core.intervals import MOST, intervals_of
from drystone.core.lengths import place_of
from drystone.core.sequences import Sequences
from drystone.core.words import so_many

KINDS = "fiuM"  # of times that have intervals


def say_intervals(seqs: Sequences) -> None:
    """Says where the times of steps do not follow each other evenly."""
    for line in intervals_in_words(seqs):
        typer.echo(line, err=True)


def intervals_in_words(seqs: Sequences) -> list[str]:
    """Returns a line on the usual interval and one on gaps, as far as there is something to say."""
    if seqs.order_by is None or seqs.field(seqs.order_by).is_text:
        return []
    times = seqs.field(seqs.order_by).values
    found = intervals_of(times, seqs.lengths) if times.dtype.kind in KINDS else None
    if found is None or found.num_usual == found.count:
        return []
    lines = [
        f"the usual interval of {seqs.order_by!r} is {_in_words(found.usual)}: "
        f"{found.num_usual:,} of {so_many(found.count, 'interval')} are about that long"
    ]
    if found.first_gap is not None and found.largest_gap is not None:
        gaps = dict.fromkeys((found.first_gap, found.largest_gap))
        words = "; largest ".join(_gap_in_words(seqs, times, gap) for gap in gaps)
        lines.append(f"{so_many(found.num_gaps, 'gap')} of more than {MOST} times that: first {words}")
    return lines


def _gap_in_words(seqs: Sequences, times: Any, position: int) -> str:
    sequence, step = place_of(position, seqs.lengths)
    return f"{_in_words(times[position] - times[position - 1])}, before {seqs.place(sequence, step)}"


def _in_words(interval: Any) -> str:
    if not isinstance(interval, np.timedelta64):
        return f"{interval:,.6g}" if isinstance(interval, np.floating) else f"{interval:,}"
    rounded = interval.astype("m8[us]")
    return str(rounded.item()) if rounded == interval else str(interval)
