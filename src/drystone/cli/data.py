"""What the verbs share: their data argument, and reading it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from drystone.cli.interrupts import ends_at_once
from drystone.cli.reading import Reading
from drystone.core.errors import DataError
from drystone.core.sequences import Sequences
from drystone.core.words import so_many
from drystone.readers import read
from drystone.readers.like import KEYS, read_like

if TYPE_CHECKING:
    from drystone.train import Run

Data = Annotated[
    str,
    typer.Argument(help="A file, a folder, a pattern, an address, or the name of a built-in data set.", metavar="DATA"),
]
RunFolder = Annotated[Path, typer.Argument(help="The folder of a run.", metavar="RUN")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, ...")]


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
