"""`drystone runs`: the runs of a folder, with their best figures."""

import json
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from drystone.core.errors import RunError
from drystone.train.folder.names import RUNS
from drystone.train.libraries import need_libraries
from drystone.train.tasks.known import TASKS

if TYPE_CHECKING:
    from drystone.cli.run_record import RunRecord

HELP = """List runs with their best figures, the newest first.

Folders that hold no run are left out; of damaged ones it is said what is wrong.

\b
Examples:
  drystone runs
  drystone runs runs/ old-runs/ --check
  drystone runs --json
"""
COLUMNS = {"run": 1, "status": 8, "target": 6, "epochs": 6, "best valid": 8, "test": 8, "started": 10}
WHOLE = ("run", "status", "epochs")  # columns that are never broken into lines
WIDTH = 100  # of sentences, in characters


def runs(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Folders of run folders, or run folders (default runs).", metavar="FOLDER", show_default=False
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array, and nothing else.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Compare checksums of large files too, as of weights.")
    ] = False,
) -> None:
    """Reads what run folders say of themselves, and prints it."""
    need_libraries()
    from drystone.cli.run_record import record_of

    found = {path.resolve(): path for folder in folders or [RUNS] for path in _runs_in(folder, is_given=bool(folders))}
    records = sorted(
        (record_of(path, prove_all=check) for path in found.values()),
        key=lambda record: (record.started, str(record.path)),
        reverse=True,
    )
    if as_json:
        typer.echo(json.dumps([record.to_dict() for record in records], indent=2))
    elif records:
        _print(records)
    else:
        typer.echo(f"no runs in {', '.join(map(str, folders or [RUNS]))}")


def _runs_in(folder: Path, *, is_given: bool) -> list[Path]:
    from drystone.cli.run_record import is_run_folder

    if not folder.is_dir():
        if is_given:
            raise RunError(f"there is no folder {folder}.")
        return []
    if is_run_folder(folder):
        return [folder]
    return [path for path in sorted(folder.iterdir()) if not path.name.startswith(".") and is_run_folder(path)]


def _print(records: "list[RunRecord]") -> None:
    console = Console(highlight=False)
    table = _table(records)
    unlimited = console.options.update(max_width=10 * WIDTH)
    if console.measure(table, options=unlimited).minimum <= console.width:
        console.print(table)
    else:
        typer.echo("\n".join(_in_lines(record, min(console.width, WIDTH)) for record in records))
    for record in records:
        if record.problem:
            typer.echo(fill(f"{record.path}: {record.problem}", min(console.width, WIDTH), break_long_words=False))


def _table(records: "list[RunRecord]") -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for name, least in COLUMNS.items():
        is_number = name == "epochs"
        table.add_column(name, justify="right" if is_number else "left", min_width=least, no_wrap=name in WHOLE)
    for record in records:
        table.add_row(*_cells(record))
    return table


def _in_lines(record: "RunRecord", width: int) -> str:
    """Returns the row of a run as lines, for terminals too narrow for a table."""
    figures = zip(COLUMNS, _cells(record), strict=True)
    words = ", ".join(f"{name} {figure}" for name, figure in figures if figure and name != "run")
    return f"{record.path}\n{fill(words, width, initial_indent='  ', subsequent_indent='  ')}"


def _cells(record: "RunRecord") -> tuple[str, ...]:
    limit = "" if record.max_epochs is None else f"/{record.max_epochs}"
    return (
        str(record.path),
        record.status,
        record.target or "",
        "" if record.target is None else f"{record.epochs}{limit}",
        _figure(record, record.monitor, record.best),
        _figure(record, record.figure, record.test),
        f"{record.started.astimezone():%Y-%m-%d %H:%M}",
    )


def _figure(record: "RunRecord", name: str | None, value: float | None) -> str:
    if record.task is None or name is None or value is None:
        return ""
    return TASKS[record.task].write(name, value)
