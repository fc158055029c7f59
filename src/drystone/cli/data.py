"""What the verbs share: their data argument, and reading it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from drystone.cli.interrupts import ends_at_once
from drystone.core.errors import DataError
from drystone.core.sequences import Sequences
from drystone.core.words import so_many
from drystone.readers import read

if TYPE_CHECKING:
    from drystone.train import Run

DATA_PANEL = "Data"

Data = Annotated[str, typer.Argument(help="A file, or the name of a built-in data set.", metavar="DATA")]
RunFolder = Annotated[Path, typer.Argument(help="The folder of a run.", metavar="RUN")]
SequenceId = Annotated[
    str | None,
    typer.Option(
        help="For one step a row: the column that tells sequences apart.",
        metavar="COLUMN",
        rich_help_panel=DATA_PANEL,
    ),
]
OrderBy = Annotated[
    str | None,
    typer.Option(
        help="The column that orders the steps; alone, for one step a row, it makes all rows one series.",
        metavar="COLUMN",
        rich_help_panel=DATA_PANEL,
    ),
]
DropEmpty = Annotated[
    bool, typer.Option("--drop-empty", help="Leave out sequences of 0 steps.", rich_help_panel=DATA_PANEL)
]


def read_data(data: str, sequence_id: str | None, order_by: str | None, *, drop_empty: bool) -> Sequences:
    """Reads the data, and says what was dropped."""
    seqs = read(data, sequence_id=sequence_id, order_by=order_by, on_empty="drop" if drop_empty else "error")
    if len(seqs.dropped):
        shown = ", ".join(map(str, seqs.dropped[:10].tolist())) + (", ..." if len(seqs.dropped) > 10 else "")
        typer.echo(f"dropped {so_many(len(seqs.dropped), 'empty sequence')}: {shown}", err=True)
    return seqs


def open_model(run: Path, device: str) -> "Run":
    """Opens a run, and says where it is not finished."""
    with ends_at_once():
        from drystone import train  # here, so that --help needs no framework

        opened = train.Run.open(run, device)
        if not opened.is_finished:
            typer.echo(f"training of {run} was stopped before its last epoch.", err=True)
        return opened


def open_run(
    run: Path, data: str, sequence_id: str | None, order_by: str | None, *, drop_empty: bool, device: str
) -> "tuple[Run, Sequences]":
    """Opens a run, and reads data with the keys that the run was read with, where they fit."""
    with ends_at_once():
        opened = open_model(run, device)
        known = opened.settings.sequence_id, opened.settings.order_by
        try:
            return opened, read_data(data, sequence_id or known[0], order_by or known[1], drop_empty=drop_empty)
        except DataError:
            if (sequence_id, order_by) != (None, None) or known == (None, None):
                raise
            return opened, read_data(data, None, None, drop_empty=drop_empty)


def check_out(path: Path, suffixes: tuple[str, ...], *, overwrite: bool, is_folder: bool = False) -> None:
    """Raises DataError where a file or folder to write has another ending, is in the way or has no folder around it."""
    if path.suffix.lower() not in suffixes:
        raise DataError(f"{path} should end in {' or '.join(suffixes)}.")
    if path.exists() and path.is_dir() != is_folder:
        raise DataError(f"{path} is a {'file; name a folder' if is_folder else 'folder; name a file'}.")
    if path.exists() and not overwrite:
        raise DataError(f"{path} exists. Choose another name, or pass --overwrite.")
    if not path.parent.is_dir():
        raise DataError(f"there is no folder {path.parent}; make it first.")
