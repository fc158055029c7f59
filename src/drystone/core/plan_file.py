"""Plans as files: a zip archive of one Parquet file a table, so that any tool can read the tables.

plan.json        what this is, its version, the epoch, the budget and whose share it is
spans.parquet    `Plan.table`
batches.parquet  `Plan.batches`
dropped.parquet  `Plan.dropped`
lengths.parquet  `Plan.lengths`, in the column `length`
"""

import json
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from zipfile import BadZipFile, ZipFile, ZipInfo

import pyarrow as pa
import pyarrow.parquet as pq

from drystone.core import storage
from drystone.core.errors import DataError
from drystone.core.lengths import check_lengths

if TYPE_CHECKING:
    from drystone.core.plan import Plan

FORMAT = "drystone plan"
VERSION = 2
HEAD = "plan.json"
DAMAGE = (
    BadZipFile,
    zlib.error,
    pa.ArrowException,
    OSError,
    EOFError,
    KeyError,
    ValueError,
    NotImplementedError,
    RuntimeError,
)


def save(plan: "Plan", path: Path, *, overwrite: bool) -> None:
    """Writes the plan as one file, which appears only when it is whole.

    Raises:
        DataError: the file exists and `overwrite` is false, or its folder does not exist.
    """
    storage.check_free(path, overwrite=overwrite)
    head = {"format": FORMAT, "version": VERSION, "epoch": plan.epoch}
    head |= {"max_cells": plan.max_cells, "rank": plan.rank, "num_ranks": plan.num_ranks}
    tables = {
        "spans": plan.table,
        "batches": plan.batches,
        "dropped": plan.dropped,
        "lengths": pa.table({"length": plan.lengths}),
    }
    with storage.whole_file(path) as partial, ZipFile(partial, "w") as archive:
        archive.writestr(ZipInfo(HEAD), json.dumps(head))
        for name, table in tables.items():
            # A ZipInfo of its own has a fixed date: the same plan gives the same bytes.
            with archive.open(ZipInfo(f"{name}.parquet"), "w", force_zip64=True) as member:
                pq.write_table(table, member)


def parts_of(path: Path) -> dict[str, Any]:
    """Reads the parts of a plan from a file that `save` wrote.

    Raises:
        DataError: no such file, or it is damaged, of another kind or of a version to come.
    """
    if not path.is_file():
        raise DataError(f"there is no file {path}.")
    try:
        with ZipFile(path) as archive:
            return _parts(archive, path)
    except DataError:
        raise
    except DAMAGE as error:
        raise DataError(f"{path} is not a whole file of a plan, as Plan.save writes it: {error}") from error


def _parts(archive: ZipFile, path: Path) -> dict[str, Any]:
    head = json.loads(archive.read(HEAD))
    if not isinstance(head, dict) or cast("dict[str, Any]", head).get("format") != FORMAT:
        raise DataError(f"{path} holds no plan.")
    known = cast("dict[str, Any]", head)
    if known["version"] != VERSION:
        raise DataError(f"{path} is of version {known['version']!r}; this drystone reads version {VERSION}.")
    numbers = {name: known[name] for name in ("epoch", "max_cells", "rank", "num_ranks")}
    no_budget = ("max_cells", None)
    wrong = dict(item for item in numbers.items() if not isinstance(item[1], int) and item != no_budget)
    if wrong:
        raise DataError(f"{path} is damaged: {HEAD} says {wrong}, where whole numbers belong.")
    tables = {name: _table(archive, name) for name in ("spans", "batches", "dropped", "lengths")}
    return {
        "table": tables["spans"],
        "batches": tables["batches"],
        "dropped": tables["dropped"],
        "lengths": check_lengths(tables["lengths"]["length"].to_numpy()),
        **numbers,
    }


def _table(archive: ZipFile, name: str) -> pa.Table:
    return pq.read_table(pa.BufferReader(archive.read(f"{name}.parquet"))).combine_chunks()
