"""`drystone fit`: train on a file or a built-in data set."""

from pathlib import Path
from typing import Annotated, Any

import typer

from drystone.cli.data import DATA_PANEL, Data, DropEmpty, OrderBy, SequenceId, read_data
from drystone.cli.interrupts import INTERRUPTED, ends_at_once
from drystone.core.errors import ConfigError
from drystone.core.sequences import Sequences
from drystone.readers.find import built_in_of

HELP = """Train a classifier of sequences, and keep everything in a run folder.

\b
Examples:
  drystone fit japanese-vowels
  drystone fit my.parquet --target label --epochs 100
  drystone fit steps.csv --sequence-id id --order-by time --target label
  drystone fit my.parquet --target label --layout packed --rows 8 --steps 256
"""
LAYOUT, MODEL, TRAINING, OUTPUT = "Layout of batches", "Model", "Training", "Output"
NOT_SETTINGS = ("data", "out", "overwrite", "drop_empty", "quiet")


def fit(
    data: Data,
    target: Annotated[
        str | None, typer.Option(help="The field to predict.", metavar="FIELD", rich_help_panel=DATA_PANEL)
    ] = None,
    features: Annotated[
        list[str] | None,
        typer.Option(
            help="Input fields, with commas between, or one an option (default: all numbers that change).",
            metavar="A,B,...",
            rich_help_panel=DATA_PANEL,
        ),
    ] = None,
    sequence_id: SequenceId = None,
    order_by: OrderBy = None,
    split_column: Annotated[
        str | None,
        typer.Option(
            help="A field that says train, valid or test of each sequence.",
            metavar="FIELD",
            rich_help_panel=DATA_PANEL,
        ),
    ] = None,
    valid_fraction: Annotated[
        float | None, typer.Option(help="Share of the validation part (default 0).", rich_help_panel=DATA_PANEL)
    ] = None,
    test_fraction: Annotated[
        float | None, typer.Option(help="Share of the test part (default 0.2).", rich_help_panel=DATA_PANEL)
    ] = None,
    drop_empty: DropEmpty = False,
    layout: Annotated[
        str | None, typer.Option(help="padded, bucketed or packed (default padded).", rich_help_panel=LAYOUT)
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(help="Sequences a batch (default 32).", rich_help_panel=LAYOUT)
    ] = None,
    cells: Annotated[
        int | None,
        typer.Option(help="bucketed: the most cells a batch, instead of --batch-size.", rich_help_panel=LAYOUT),
    ] = None,
    num_buckets: Annotated[
        int | None, typer.Option(help="bucketed: how many buckets (default 8).", rich_help_panel=LAYOUT)
    ] = None,
    rows: Annotated[
        int | None, typer.Option(help="packed: rows a batch, with --steps.", rich_help_panel=LAYOUT)
    ] = None,
    steps: Annotated[int | None, typer.Option(help="packed: steps a row.", rich_help_panel=LAYOUT)] = None,
    hidden_size: Annotated[
        int | None, typer.Option(help="Units a layer and direction (default 128).", rich_help_panel=MODEL)
    ] = None,
    num_layers: Annotated[int | None, typer.Option(help="LSTM layers (default 1).", rich_help_panel=MODEL)] = None,
    bidirectional: Annotated[
        bool | None, typer.Option(help="Whether to read backward too (default yes).", rich_help_panel=MODEL)
    ] = None,
    pooling: Annotated[
        str | None, typer.Option(help="last, mean, max or mean+max (default mean).", rich_help_panel=MODEL)
    ] = None,
    dropout: Annotated[
        float | None, typer.Option(help="Fraction dropped between layers (default 0.2).", rich_help_panel=MODEL)
    ] = None,
    head_dropout: Annotated[
        float | None, typer.Option(help="Fraction dropped before the head (default 0.5).", rich_help_panel=MODEL)
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Passes over the training part (default 100).", rich_help_panel=TRAINING)
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="The highest of the one-cycle rate (default 0.005).", rich_help_panel=TRAINING)
    ] = None,
    weight_decay: Annotated[
        float | None, typer.Option(help="Of AdamW (default 0.01).", rich_help_panel=TRAINING)
    ] = None,
    gradient_clip: Annotated[
        float | None, typer.Option(help="The largest norm of a gradient (default 1.0).", rich_help_panel=TRAINING)
    ] = None,
    noise: Annotated[
        float | None,
        typer.Option(
            help="Standard deviation of noise on standardised inputs (default 0.1).", rich_help_panel=TRAINING
        ),
    ] = None,
    label_smoothing: Annotated[
        float | None,
        typer.Option(help="Share of a target spread over all classes (default 0.1).", rich_help_panel=TRAINING),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(help="Of the split, the weights and the order (default 0).", rich_help_panel=TRAINING),
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="auto, cpu, cuda, ... (default auto).", rich_help_panel=TRAINING)
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="The run folder (default: a new one, runs/NAME-1, runs/NAME-2, ...).",
            metavar="FOLDER",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace an older run in --out.", rich_help_panel=OUTPUT)
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Show no progress.", rich_help_panel=OUTPUT)] = False,
) -> None:
    """Reads, trains, and prints the test accuracy."""
    options = {name: value for name, value in locals().items() if value is not None and name not in NOT_SETTINGS}
    with ends_at_once():
        seqs = read_data(data, sequence_id, order_by, drop_empty=drop_empty)
        settings = _settings(data, options, seqs.field_names)

        from drystone import train  # after all that needs no framework

    name = Path(data).name.split(".")[0]
    run = train.fit(seqs, out=out, overwrite=overwrite, progress=not quiet, name=name, **settings)
    _report(run, seqs)
    if not run.is_finished:
        typer.echo("stopped before the last epoch; the run folder holds the weights of that moment.", err=True)
        raise typer.Exit(INTERRUPTED)


def _settings(data: str, options: dict[str, Any], field_names: tuple[str, ...]) -> dict[str, Any]:
    built_in = built_in_of(data)
    if built_in is not None:
        shown = " ".join(f"{name}={value}" for name, value in built_in.settings.items())
        typer.echo(f"settings of this data set, unless options say otherwise: {shown}", err=True)
        options = {"target": built_in.target, "split_column": built_in.split_column, **built_in.settings} | options
    if "target" not in options:
        raise ConfigError(f"say what to predict with --target; the fields are: {', '.join(field_names)}.")
    if "features" in options:
        names = (name.strip() for words in options["features"] for name in words.split(","))
        options["features"] = tuple(name for name in names if name)
    return options


def _report(run: Any, seqs: Sequences) -> None:
    used = run.schema.features.names
    typer.echo(f"trained on {len(run.split.train)} sequences; features: {', '.join(used)}")
    known = {*used, run.schema.target, run.settings.order_by, run.settings.sequence_id, run.settings.split_column}
    left_out = [f"{name} ({seqs.field(name).describe()})" for name in seqs.field_names if name not in known]
    if left_out:
        typer.echo(f"left out: {', '.join(left_out)}")
    for record in run.metrics:
        if record["part"] == "test":
            typer.echo(f"test accuracy {record['accuracy']:.3f}")
    typer.echo(f"run folder {run.path}")
