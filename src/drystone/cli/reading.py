"""How the data of a verb are read: what it is told about them."""

from dataclasses import dataclass
from typing import Annotated

import typer

from drystone.readers.options import Documents, Duplicates

PANEL = "Data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How data are read.

    Args:
        sequence_id, order_by, duplicates, text, documents, encoding: as `drystone.read` takes them.
        drop_empty: whether sequences of 0 steps are left out.
    """

    sequence_id: Annotated[
        str | None,
        typer.Option(
            help="For one step a row: the column that tells sequences apart.",
            metavar="COLUMN",
            rich_help_panel=PANEL,
        ),
    ] = None
    order_by: Annotated[
        str | None,
        typer.Option(
            help="The column that orders the steps; alone, for one step a row, it makes all rows one series.",
            metavar="COLUMN",
            rich_help_panel=PANEL,
        ),
    ] = None
    duplicates: Annotated[
        Duplicates | None,
        typer.Option(
            help="Steps of one sequence at the same time: keep the first, take the mean, or refuse them.",
            rich_help_panel=PANEL,
        ),
    ] = None
    text: Annotated[
        str | None,
        typer.Option(
            help="For one document a row: the column of texts; of plain text files, what the field is called.",
            metavar="COLUMN",
            rich_help_panel=PANEL,
        ),
    ] = None
    documents: Annotated[
        Documents | None,
        typer.Option(
            help="Of plain text files: each file is a document (default), or each line.",
            rich_help_panel=PANEL,
        ),
    ] = None
    encoding: Annotated[
        str | None,
        typer.Option(help="Of text files, such as latin-1 (default UTF-8).", metavar="NAME", rich_help_panel=PANEL),
    ] = None
    drop_empty: Annotated[
        bool, typer.Option("--drop-empty", help="Leave out sequences of 0 steps.", rich_help_panel=PANEL)
    ] = False
