"""`drystone predict`: the predictions of a run, as a Parquet file."""

from pathlib import Path
from typing import Annotated

import pyarrow.parquet as pq
import typer

from drystone.cli.data import Data, DropEmpty, OrderBy, RunFolder, SequenceId, check_out, read_data
from drystone.core.storage import whole_file

HELP = """Write the class and the probabilities of every sequence, in their order, to a Parquet file.

\b
Example:
  drystone predict runs/japanese-vowels-1 new.parquet --out preds.parquet
"""


def predict(
    run: RunFolder,
    data: Data,
    out: Annotated[Path, typer.Option(help="The Parquet file to write.", metavar="FILE")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it exists.")] = False,
    sequence_id: SequenceId = None,
    order_by: OrderBy = None,
    drop_empty: DropEmpty = False,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, ...")] = "auto",
) -> None:
    """Opens the run, reads the data, writes the table."""
    check_out(out, overwrite=overwrite)

    from drystone import train  # here, so that --help needs no framework

    opened = train.Run.open(run, device)
    settings = opened.settings
    seqs = read_data(data, sequence_id or settings.sequence_id, order_by or settings.order_by, drop_empty=drop_empty)
    table = opened.predict(seqs)
    with whole_file(out) as partial:
        pq.write_table(table, partial)
    typer.echo(f"{table.num_rows} predictions in {out}")
