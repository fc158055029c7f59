"""`drystone fit`: train on a file or a built-in data set."""

from pathlib import Path
from typing import Annotated, Any

import typer

from drystone.cli.data import Data, DropEmpty, OrderBy, SequenceId, read_data
from drystone.core.errors import ConfigError
from drystone.readers.find import built_in_of

HELP = """Train a classifier of sequences; a new run folder keeps everything.

Examples:

  drystone fit japanese-vowels

  drystone fit my.parquet --target label --epochs 100

  drystone fit steps.csv --sequence-id id --order-by time --target label --layout packed
"""
INTERRUPTED = 130


def fit(
    data: Data,
    target: Annotated[str | None, typer.Option(help="The field to predict.", metavar="FIELD")] = None,
    features: Annotated[
        str | None, typer.Option(help="Input fields, with commas between; default: all numbers.", metavar="A,B,...")
    ] = None,
    sequence_id: SequenceId = None,
    order_by: OrderBy = None,
    split_column: Annotated[
        str | None, typer.Option(help="A field that says train, valid or test.", metavar="FIELD")
    ] = None,
    valid_fraction: Annotated[float | None, typer.Option(help="Share of the validation part. [default: 0]")] = None,
    test_fraction: Annotated[float | None, typer.Option(help="Share of the test part. [default: 0.2]")] = None,
    layout: Annotated[str | None, typer.Option(help="padded, bucketed or packed. [default: padded]")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Sequences a batch. [default: 32]")] = None,
    cells: Annotated[int | None, typer.Option(help="bucketed: most cells a batch, instead of --batch-size.")] = None,
    num_buckets: Annotated[int | None, typer.Option(help="bucketed: how many buckets. [default: 8]")] = None,
    rows: Annotated[int | None, typer.Option(help="packed: rows a batch, with --steps.")] = None,
    steps: Annotated[int | None, typer.Option(help="packed: steps a row.")] = None,
    hidden_size: Annotated[int | None, typer.Option(help="Units a layer and direction.")] = None,
    num_layers: Annotated[int | None, typer.Option(help="LSTM layers.")] = None,
    bidirectional: Annotated[bool | None, typer.Option(help="Whether to read backward too. [default: yes]")] = None,
    pooling: Annotated[str | None, typer.Option(help="last, mean, max or mean+max.")] = None,
    dropout: Annotated[float | None, typer.Option(help="Fraction of outputs dropped in training.")] = None,
    noise: Annotated[float | None, typer.Option(help="Noise on standardised inputs in training.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes over the training part.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="The highest of the one-cycle schedule.")] = None,
    weight_decay: Annotated[float | None, typer.Option(help="Of AdamW.")] = None,
    label_smoothing: Annotated[float | None, typer.Option(help="Share of a target spread over all classes.")] = None,
    gradient_clip: Annotated[float | None, typer.Option(help="The largest norm of a gradient.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of the split, the weights and the order. [default: 0]")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda, ... [default: auto]")] = None,
    out: Annotated[
        Path | None, typer.Option(help="The run folder. [default: a new one, runs/NAME-1, ...]", metavar="FOLDER")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an older run in --out.")] = False,
    drop_empty: DropEmpty = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress.")] = False,
) -> None:
    """Reads, trains, and prints the test accuracy."""
    given = {name: value for name, value in locals().items() if value is not None}
    for name in ("data", "out", "overwrite", "drop_empty", "quiet"):
        given.pop(name, None)
    _train(data, given, out, overwrite=overwrite, drop_empty=drop_empty, quiet=quiet)


def _train(
    data: str, given: dict[str, Any], out: Path | None, *, overwrite: bool, drop_empty: bool, quiet: bool
) -> None:
    seqs = read_data(data, given.get("sequence_id"), given.get("order_by"), drop_empty=drop_empty)
    built_in = built_in_of(data)
    if built_in is not None:
        usual = {"target": built_in.target, "split_column": built_in.split_column}
        given = usual | given
    if "target" not in given:
        raise ConfigError(f"say what to predict with --target; the fields are: {', '.join(seqs.field_names)}.")
    if "features" in given:
        given["features"] = tuple(given["features"].split(","))

    from drystone import train  # after all that needs no framework

    name = Path(data).name.split(".")[0]
    run = train.fit(seqs, out=out, overwrite=overwrite, progress=not quiet, name=name, **given)
    used = ", ".join(field.name for field in run.schema.features.fields)
    typer.echo(f"trained on {len(run.split.train)} sequences; inputs: {used}")
    results = [record for record in run.metrics if record["part"] == "test"]
    if results:
        typer.echo(f"test accuracy {results[0]['accuracy']:.3f}")
    typer.echo(f"run folder {run.path}")
    if not run.is_finished:
        typer.echo("stopped before the last epoch; the run folder holds the weights of that moment.", err=True)
        raise typer.Exit(INTERRUPTED)
