"""Series of one step a row that go on in the next shard, made one."""

import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from drystone.core.arrow import column_to_arrow
from drystone.core.collapse import equal_values
from drystone.core.column import Column
from drystone.core.errors import DataError
from drystone.core.field import Field
from drystone.core.lengths import offsets_of
from drystone.readers.options import Options
from drystone.readers.shards.join import written
from drystone.readers.shards.layers import column_in, layers_of
from drystone.readers.shards.place import Place, shard_of
from drystone.readers.shards.store import LENGTHS, SCORED_FROM, SCORED_TO, About

Ints = npt.NDArray[np.int64]


def merged(about: About, options: Options, folder: Path) -> About:
    """Makes one sequence of the last of a shard and the first of the next, where both have one id.

    Args:
        about: what the files hold, of shards with one step a row.
        options: how they were read.
        folder: of the files; those that change are written anew.

    Raises:
        DataError: a sequence goes on in a shard that is not the next, before its last step, or with another value in a
            column of one value a sequence.
    """
    wholes = {each.name: column_in(each.layers) for each in about.fields if not each.per_step}
    lengths = np.array(about.marks[LENGTHS].mapped())
    goes_on = np.array([place.first_sequence for place in about.places[1:]], np.int64)
    if options.sequence_id is not None and len(goes_on):
        ids = wholes[options.sequence_id]
        goes_on = goes_on[equal_values(ids.take(goes_on), ids.take(goes_on - 1))]
    kept = np.delete(np.arange(len(lengths)), goes_on)
    kept_wholes = {name: _taken(column, name, kept) for name, column in wholes.items()}
    if options.sequence_id is not None:
        _check_apart(kept_wholes[options.sequence_id], kept, options.sequence_id, about.places)
    if not len(goes_on):
        return about
    for name, column in wholes.items():
        _check_same(column, name, goes_on, about.places)
    if options.order_by is not None:
        times = next(column_in(each.layers) for each in about.fields if each.name == options.order_by)
        _check_order(times, goes_on, offsets_of(lengths)[goes_on], options, about.places)
    return _with(about, kept_wholes, kept, np.add.reduceat(lengths, kept), folder)


def _taken(column: Column, name: str, kept: Ints) -> Column:
    return Field(name=name, per_step=False, column=column, starts=kept, lengths=np.ones_like(kept)).compact


def _check_apart(ids: Column, kept: Ints, name: str, places: Sequence[Place]) -> None:
    codes = np.asarray(column_to_arrow(ids).dictionary_encode("encode").indices)
    values, first = np.unique(codes, return_index=True)
    if len(values) == len(codes):
        return
    again = int(np.setdiff1d(np.arange(len(codes)), first)[0])
    before = int(first[np.searchsorted(values, codes[again])])
    value = ids.slice(again, 1)[0]
    raise DataError(
        f"{name!r} {value!r} lies in {shard_of(int(kept[before]), places)} and again in {shard_of(int(kept[again]), places)}, "
        f"with others between; the rows of a sequence must go on in the next shard. Sort the rows of all shards by {name!r}."
    )


def _check_same(column: Column, name: str, goes_on: Ints, places: Sequence[Place]) -> None:
    before, here = column.take(goes_on - 1), column.take(goes_on)
    differs = ~equal_values(here, before)
    if differs.any():
        at = int(np.argmax(differs))
        raise DataError(
            f"column {name!r} differs within a sequence: {before[at]!r} in {shard_of(int(goes_on[at]) - 1, places)} and "
            f"{here[at]!r} in {shard_of(int(goes_on[at]), places)}. Leave it out of per_sequence=, so that it is a field with a "
            f"value a step."
        )


def _check_order(times: Column, goes_on: Ints, starts: Ints, options: Options, places: Sequence[Place]) -> None:
    before, here = times.take(starts - 1), times.take(starts)
    falls, repeats = here < before, here == before
    for wrong, what in ((falls, "falls"), (repeats, "repeats")):
        if not wrong.any():
            continue
        at = int(np.argmax(wrong))
        files = [shard_of(int(goes_on[at]) + each, places) for each in (-1, 0)]
        words = f"{options.order_by!r} {what} from {before[at]} at the end of {files[0]} to {here[at]} at the start of {files[1]}"
        if what == "falls":
            raise DataError(
                f"{words}; a sequence goes on in the next shard at later times. Sort the rows of all shards."
            )
        if options.duplicates is not None:
            raise DataError(f"{words}; put all steps of one time into one shard.")
        warnings.warn(f"{words}. Both steps are kept.", stacklevel=2)


def _with(about: About, wholes: dict[str, Column], kept: Ints, lengths: Ints, folder: Path) -> About:
    fields = tuple(
        each
        if each.per_step
        else replace(each, layers=written(layers_of(wholes[each.name]), folder, f"{number}.merged."))
        for number, each in enumerate(about.fields)
    )
    marks = {LENGTHS: lengths, SCORED_FROM: np.zeros_like(lengths), SCORED_TO: lengths}
    for each in (
        *(layer for field in about.fields if not field.per_step for layer in field.layers.values()),
        *about.marks.values(),
    ):
        each.path.unlink()
    places = tuple(
        replace(place, first_sequence=int(np.searchsorted(kept, place.first_sequence, side="right")) - 1)
        for place in about.places
    )
    return replace(about, fields=fields, marks=written(marks, folder, "merged."), places=places)
