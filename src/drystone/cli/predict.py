"""`drystone predict`: the predictions of a run, as a Parquet or CSV file."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
import pyarrow.parquet as pq
import typer
from pyarrow import csv

from drystone.cli.data import Data, DropEmpty, OrderBy, RunFolder, SequenceId, check_out, open_run
from drystone.core.storage import whole_file

HELP = """Write class and probabilities of every sequence to a file; of forecasts the next values at every step.

The file is Parquet or CSV, in the order of the sequences.

\b
Examples:
  drystone predict runs/japanese-vowels-1 new.parquet --out preds.parquet
  drystone predict runs/steps-1 new.csv --out preds.csv
"""
WRITERS: Mapping[str, Callable[[pa.Table, Path], Any]] = {".parquet": pq.write_table, ".csv": csv.write_csv}


def predict(
    run: RunFolder,
    data: Data,
    out: Annotated[Path, typer.Option(help="The file to write: .parquet or .csv.", metavar="FILE")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it exists.")] = False,
    sequence_id: SequenceId = None,
    order_by: OrderBy = None,
    drop_empty: DropEmpty = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, ...")] = "auto",
) -> None:
    """Opens the run, reads the data, writes the table."""
    check_out(out, tuple(WRITERS), overwrite=overwrite)
    opened, seqs = open_run(run, data, sequence_id, order_by, drop_empty=drop_empty, device=device)
    table = opened.predict(seqs)
    with whole_file(out) as partial:
        WRITERS[out.suffix.lower()](table, partial)
    typer.echo(f"{table.num_rows} predictions in {out}")
