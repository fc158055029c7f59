"""`drystone predict`: the predictions of a run, as a Parquet or CSV file, or line by line as steps come."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from shlex import quote
from typing import Annotated, Any

import pyarrow as pa
import pyarrow.parquet as pq
import typer
from pyarrow import csv

from drystone.cli.data import (
    DocumentsAre,
    DropEmpty,
    Encoding,
    OrderBy,
    Reading,
    Repeated,
    RunFolder,
    SequenceId,
    Text,
    check_out,
    open_model,
    open_run,
)
from drystone.cli.follow import FollowOptions
from drystone.cli.follow import follow as follow_lines
from drystone.cli.options import flag_of
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
FOLLOW = "Streams, with --follow"
STANDARD_INPUT = "-"


def write_csv(table: pa.Table, path: Path) -> None:
    """Writes a table as CSV, which knows no lists: they become text, as JSON has it."""
    for number, field in enumerate(table.schema):
        if pa.types.is_nested(field.type):
            texts = [json.dumps(value) for value in table[field.name].to_pylist()]
            table = table.set_column(number, field.name, pa.array(texts, pa.string()))
    csv.write_csv(table, path)


WRITERS: Mapping[str, Callable[[pa.Table, Path], Any]] = {".parquet": pq.write_table, ".csv": write_csv}


def predict(
    run: RunFolder,
    data: Annotated[
        str,
        typer.Argument(help="A file, a folder, the name of a built-in data set, or - with --follow.", metavar="DATA"),
    ],
    out: Annotated[Path | None, typer.Option(help="The file to write: .parquet or .csv.", metavar="FILE")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it exists.")] = False,
    sequence_id: SequenceId = None,
    order_by: OrderBy = None,
    duplicates: Repeated = None,
    text: Text = None,
    documents: DocumentsAre = None,
    encoding: Encoding = None,
    drop_empty: DropEmpty = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, ...")] = "auto",
    follow: Annotated[
        bool, typer.Option("--follow", help="Answer lines of standard input as they come.", rich_help_panel=FOLLOW)
    ] = False,
    state: Annotated[
        Path | None,
        typer.Option(
            help="Keep the states of all streams here, also over a crash: .safetensors.",
            metavar="FILE",
            rich_help_panel=FOLLOW,
        ),
    ] = None,
    save_seconds: Annotated[
        float | None,
        typer.Option(
            help="Seconds between savings (default 30); a journal holds what comes between.", rich_help_panel=FOLLOW
        ),
    ] = None,
    max_streams: Annotated[
        int | None, typer.Option(help="Hold so many states; forget the least recently used.", rich_help_panel=FOLLOW)
    ] = None,
    forget_seconds: Annotated[
        float | None, typer.Option(help="Forget streams that were silent for so long.", rich_help_panel=FOLLOW)
    ] = None,
) -> None:
    """Opens the run; reads the data and writes the table, or follows standard input."""
    of_streams = {
        "state": state,
        "save_seconds": save_seconds,
        "max_streams": max_streams,
        "forget_seconds": forget_seconds,
    }
    chosen = {name: value for name, value in of_streams.items() if value is not None}
    of_files = {
        "out": out,
        "overwrite": overwrite or None,
        "sequence_id": sequence_id,
        "order_by": order_by,
        "duplicates": duplicates,
        "text": text,
        "documents": documents,
        "encoding": encoding,
        "drop_empty": drop_empty or None,
    }
    if follow or data == STANDARD_INPUT:
        _check_follow(data, follow=follow, others=[name for name, value in of_files.items() if value is not None])
        options = FollowOptions(**chosen)
        follow_lines(open_model(run, device), options)
        return
    if chosen:
        raise ConfigError(f"{', '.join(map(flag_of, chosen))} goes with --follow.")
    if out is None:
        raise ConfigError("say what to write with --out, such as --out preds.parquet.")
    check_out(out, tuple(WRITERS), overwrite=overwrite)
    how = Reading(
        sequence_id=sequence_id,
        order_by=order_by,
        duplicates=duplicates,
        text=text,
        documents=documents,
        encoding=encoding,
        drop_empty=drop_empty,
    )
    opened, seqs = open_run(run, data, how, device=device)
    table = opened.predict(seqs)
    with whole_file(out) as partial:
        WRITERS[out.suffix.lower()](table, partial)
    typer.echo(f"{table.num_rows} predictions in {out}")


def _check_follow(data: str, *, follow: bool, others: list[str]) -> None:
    if not follow:
        raise ConfigError("- is standard input, which needs --follow.")
    if data != STANDARD_INPUT:
        raise ConfigError(f"--follow answers standard input: drystone predict RUN - --follow < {quote(data)}")
    if others:
        raise ConfigError(f"{', '.join(map(flag_of, others))} goes with files, not with --follow.")
