"""`drystone predict`: the predictions of a run, as a Parquet or CSV file, or line by line as steps come."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Annotated, Any

import pyarrow as pa
import pyarrow.parquet as pq
import typer
from pyarrow import csv

from drystone.cli.data import Device, RunFolder, check_out, open_model, open_run
from drystone.cli.follow import PANEL, FollowOptions
from drystone.cli.follow import follow as follow_lines
from drystone.cli.options import flag_of
from drystone.cli.reading import Reading
from drystone.cli.records import given_in, with_records
from drystone.core.errors import ConfigError
from drystone.core.storage import whole_file

HELP = """Write the predictions of a run to a file, or answer steps as they come.

The file is Parquet or CSV, in the order of the data: class and probabilities, or the numbers, of every sequence, or,
of tags and forecasts, at every step. With --follow, lines of JSON come in, such as
{"stream": "pump-7", "x": [0.1, 0.2]}, and one line goes out for each: the predictions for that stream, whose state is
carried from line to line; or what is wrong with the line. "step" (the number of the step, from 0) and "reset": true (the
stream starts anew) may be given too. What comes together runs together.

\b
Examples:
  drystone predict runs/japanese-vowels-1 new.parquet --out preds.parquet
  drystone predict runs/steps-1 new.csv --out preds.csv
  tail -f pumps.jsonl | drystone predict runs/pumps-1 - --follow --state pumps.safetensors
"""
STANDARD_INPUT = "-"


def write_csv(table: pa.Table, path: Path) -> None:
    """Writes a table as CSV, which knows no lists: they become text, as JSON has it."""
    for number, field in enumerate(table.schema):
        if pa.types.is_nested(field.type):
            texts = [json.dumps(value) for value in table[field.name].to_pylist()]
            table = table.set_column(number, field.name, pa.array(texts, pa.string()))
    csv.write_csv(table, path)


WRITERS: Mapping[str, Callable[[pa.Table, Path], Any]] = {".parquet": pq.write_table, ".csv": write_csv}


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """Where predictions go.

    Args:
        out: the file; its ending says the format.
        overwrite: whether an older one is replaced.
    """

    out: Annotated[Path | None, typer.Option(help="The file to write: .parquet or .csv.", metavar="FILE")] = None
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it exists.")] = False

    def checked(self) -> Path:
        """Returns the path, which can be written.

        Raises:
            ConfigError: there is none.
            DataError: its ending names no format, or something is in the way.
        """
        if self.out is None:
            raise ConfigError("say what to write with --out, such as --out preds.parquet.")
        check_out(self.out, tuple(WRITERS), overwrite=self.overwrite)
        return self.out


@with_records
def predict(
    run: RunFolder,
    data: Annotated[
        str,
        typer.Argument(help="A file, a folder, the name of a built-in data set, or - with --follow.", metavar="DATA"),
    ],
    *,
    file: File,
    how: Reading,
    device: Device = "auto",
    follow: Annotated[
        bool, typer.Option("--follow", help="Answer lines of standard input as they come.", rich_help_panel=PANEL)
    ] = False,
    streams: FollowOptions,
) -> None:
    """Opens the run; reads the data and writes the table, or follows standard input."""
    if follow or data == STANDARD_INPUT:
        _check_follow(data, follow=follow, others=[*given_in(file), *given_in(how)])
        follow_lines(open_model(run, device), streams)
        return
    if given_in(streams):
        raise ConfigError(f"{', '.join(map(flag_of, given_in(streams)))} goes with --follow.")
    path = file.checked()
    opened, seqs = open_run(run, data, how, device=device)
    table = opened.predict(seqs)
    with whole_file(path) as partial:
        WRITERS[path.suffix.lower()](table, partial)
    typer.echo(f"{table.num_rows} predictions in {path}")


def _check_follow(data: str, *, follow: bool, others: list[str]) -> None:
    if not follow:
        raise ConfigError("- is standard input, which needs --follow.")
    if data != STANDARD_INPUT:
        raise ConfigError(f"--follow answers standard input: drystone predict RUN - --follow < {quote(data)}")
    if others:
        raise ConfigError(f"{', '.join(map(flag_of, others))} goes with files, not with --follow.")
