"""What the verbs share: their data argument, and reading it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from drystone.cli.interrupts import ends_at_once
from drystone.core.errors import DataError
from drystone.core.sequences import Sequences
from drystone.core.words import so_many
from drystone.readers import read
from drystone.readers.like import KEYS, read_like
from drystone.readers.options import Documents, Duplicates

if TYPE_CHECKING:
    from drystone.train import Run

DATA_PANEL = "Data"

Data = Annotated[str, typer.Argument(help="A file, a folder, or the name of a built-in data set.", metavar="DATA")]
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
Repeated = Annotated[
    Duplicates | None,
    typer.Option(
        "--duplicates",
        help="Steps of one sequence at the same time: keep the first, take the mean, or refuse them.",
        rich_help_panel=DATA_PANEL,
    ),
]
Text = Annotated[
    str | None,
    typer.Option(
        help="For one document a row: the column of texts; of plain text files, what the field is called.",
        metavar="COLUMN",
        rich_help_panel=DATA_PANEL,
    ),
]
DocumentsAre = Annotated[
    Documents | None,
    typer.Option(
        "--documents",
        help="Of plain text files: each file is a document (default), or each line.",
        rich_help_panel=DATA_PANEL,
    ),
]
Encoding = Annotated[
    str | None,
    typer.Option(help="Of text files, such as latin-1 (default UTF-8).", metavar="NAME", rich_help_panel=DATA_PANEL),
]
DropEmpty = Annotated[
    bool, typer.Option("--drop-empty", help="Leave out sequences of 0 steps.", rich_help_panel=DATA_PANEL)
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How data are read.

    Args:
        sequence_id, order_by, duplicates, text, documents, encoding: as `drystone.read` takes them.
        drop_empty: whether sequences of 0 steps are left out.
    """

    sequence_id: str | None = None
    order_by: str | None = None
    duplicates: Duplicates | None = None
    text: str | None = None
    documents: Documents | None = None
    encoding: str | None = None
    drop_empty: bool = False


def read_data(data: str, how: Reading) -> Sequences:
    """Reads the data, and says what reading did to them."""
    seqs = read(data, **_options(how))
    say_reading(seqs)
    return seqs


def _options(how: Reading) -> dict[str, Any]:
    """Returns what `drystone.read` is told."""
    return {name: getattr(how, name) for name in KEYS} | {"on_empty": "drop" if how.drop_empty else "error"}


def say_reading(seqs: Sequences) -> None:
    """Says what was put in order, and which empty sequences were left out."""
    for remark in seqs.remarks:
        typer.echo(remark, err=True)
    if len(seqs.dropped):
        shown = ", ".join(map(str, seqs.dropped[:10].tolist())) + (", ..." if len(seqs.dropped) > 10 else "")
        typer.echo(f"dropped {so_many(len(seqs.dropped), 'empty sequence')}: {shown}", err=True)


def open_model(run: Path, device: str) -> "Run":
    """Opens a run, and says where it is not finished."""
    with ends_at_once():
        from drystone import train  # here, so that --help needs no framework

        opened = train.Run.open(run, device)
        if not opened.is_finished:
            typer.echo(f"training of {run} was stopped before its last epoch.", err=True)
        return opened


def open_run(run: Path, data: str, how: Reading, *, device: str) -> "tuple[Run, Sequences]":
    """Opens a run, and reads data as those of the run were read, where that fits."""
    with ends_at_once():
        opened = open_model(run, device)
        known = {name: getattr(opened.settings, name) for name in KEYS}
        seqs = read_like(data, known, **_options(how))
        say_reading(seqs)
        return opened, seqs


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
