"""What the verbs share: their data argument, and reading it."""

from pathlib import Path
from typing import Annotated

import typer

from drystone.core.errors import DataError
from drystone.core.sequences import Sequences
from drystone.readers import read

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
    typer.Option(help="The column that orders the steps.", metavar="COLUMN", rich_help_panel=DATA_PANEL),
]
DropEmpty = Annotated[
    bool, typer.Option("--drop-empty", help="Leave out sequences of 0 steps.", rich_help_panel=DATA_PANEL)
]


def read_data(data: str, sequence_id: str | None, order_by: str | None, *, drop_empty: bool) -> Sequences:
    """Reads the data, and says what was dropped."""
    seqs = read(data, sequence_id=sequence_id, order_by=order_by, on_empty="drop" if drop_empty else "error")
    if len(seqs.dropped):
        shown = ", ".join(map(str, seqs.dropped[:10].tolist())) + (", ..." if len(seqs.dropped) > 10 else "")
        typer.echo(f"dropped {len(seqs.dropped)} empty sequences: {shown}", err=True)
    return seqs


def check_out(path: Path, *, overwrite: bool) -> None:
    """Raises DataError where a file to write is in the way or has no folder."""
    if path.exists() and not overwrite:
        raise DataError(f"{path} exists. Choose another name, or pass --overwrite.")
    if not path.parent.is_dir():
        raise DataError(f"there is no folder {path.parent}; make it first.")
