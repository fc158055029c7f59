"""`drystone plan`: what each layout makes of the data, and which to take."""

import json
from pathlib import Path
from textwrap import fill
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.filesize import decimal
from rich.table import Table

from drystone.cli.advice import Facts, advice, percentiles
from drystone.cli.busy import busy
from drystone.cli.data import (
    Data,
    DocumentsAre,
    DropEmpty,
    Encoding,
    OrderBy,
    Reading,
    Repeated,
    SequenceId,
    Text,
    check_out,
    read_data,
)
from drystone.cli.intervals import say_intervals
from drystone.cli.layouts import Compared, Layouts, Sizes, compared, plan_or_problem
from drystone.core.extras import need
from drystone.core.lengths import Lengths
from drystone.core.plan import Plan
from drystone.core.shuffle import check_seed
from drystone.core.words import so_many, span_of

HELP = """Compare the layouts on your data, and say which to take.

\b
Examples:
  drystone plan japanese-vowels
  drystone plan my.parquet --batch-size 64
  drystone plan steps.csv --sequence-id id --rows 32 --steps 256
  drystone plan my.parquet --plot wall.png
  drystone plan my.parquet --json > plan.json

In the table, `largest` is the batch of most cells (rows × steps), `memory` what the fields of the largest batch need.
"""
LAYOUT, OUTPUT = "Layouts", "Output"
FIGURES = ("batches", "padding", "cells", "shapes", "largest", "memory")
WIDTH = 100  # of sentences, in characters; longer lines are hard to read


def plan(
    data: Data,
    sequence_id: SequenceId = None,
    order_by: OrderBy = None,
    duplicates: Repeated = None,
    text: Text = None,
    documents: DocumentsAre = None,
    encoding: Encoding = None,
    drop_empty: DropEmpty = False,
    batch_size: Annotated[
        int | None, typer.Option(help="Sequences a batch (default 32).", rich_help_panel=LAYOUT)
    ] = None,
    cells: Annotated[
        int | None,
        typer.Option(help="Bucketed: the most cells a batch, instead of --batch-size.", rich_help_panel=LAYOUT),
    ] = None,
    num_buckets: Annotated[
        int | None, typer.Option(help="Bucketed: how many buckets (default 8).", rich_help_panel=LAYOUT)
    ] = None,
    rows: Annotated[
        int | None,
        typer.Option(help="Packed and Stateful: rows a batch (by default as suits the data).", rich_help_panel=LAYOUT),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(help="Packed and Stateful: steps a row (by default as suits the data).", rich_help_panel=LAYOUT),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the random orders.", rich_help_panel=LAYOUT)] = 0,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object, and nothing else.", rich_help_panel=OUTPUT)
    ] = False,
    plot: Annotated[
        Path | None,
        typer.Option(help="Draw the first batches of each layout as walls.", metavar="PNG", rich_help_panel=OUTPUT),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the file of --plot.", rich_help_panel=OUTPUT)
    ] = False,
) -> None:
    """Reads the data, plans it in every layout, and prints a table and advice."""
    if plot is not None:
        check_out(plot, (".png",), overwrite=overwrite)
        need("plot", "matplotlib")
    check_seed("seed", seed)
    sizes = Sizes(batch_size=batch_size, num_buckets=num_buckets, cells=cells, rows=rows, steps=steps)
    with busy() as say:
        say(f"reading {data}")
        how = Reading(
            sequence_id=sequence_id,
            order_by=order_by,
            duplicates=duplicates,
            text=text,
            documents=documents,
            encoding=encoding,
            drop_empty=drop_empty,
        )
        seqs = read_data(data, how)
        say_intervals(seqs)
        layouts = Layouts.of(seqs.lengths, sizes)
        found: dict[str, Compared] = {}
        walls: list[tuple[str, Plan]] = []
        for kind, layout in layouts.by_kind().items():
            say(f"planning {len(seqs):,} sequences: {layout}")
            planned = plan_or_problem(layout, seqs.lengths, seed)
            found[kind] = compared(layout, planned, seqs)
            if plot is not None and isinstance(planned, Plan):
                walls.append((repr(layout), planned))
        words = advice(Facts(lengths=seqs.lengths, batch_size=layouts.padded.batch_size, **found))
        if plot is not None:
            say(f"drawing {plot}")
            from drystone.plots.wall import save_walls

            save_walls(walls, plot)
    show = _print_json if as_json else _print
    show(data, seqs.lengths, list(found.values()), words)
    if plot is not None and not as_json:
        typer.echo(f"\npicture in {plot}")


def _print_json(data: str, lengths: Lengths, found: list[Compared], words: list[str]) -> None:
    result: dict[str, Any] = {
        "data": data,
        "num_sequences": len(lengths),
        "num_steps": int(lengths.sum()),
        "lengths": percentiles(lengths),
        "layouts": [one.to_dict() for one in found],
        "advice": words,
    }
    typer.echo(json.dumps(result, indent=2))


def _print(data: str, lengths: Lengths, found: list[Compared], words: list[str]) -> None:
    console = Console(highlight=False)
    width = min(console.width, WIDTH)
    typer.echo(f"{fill(f'{data}: {_lengths_in_words(lengths)}', width)}\n")
    table = _table(found)
    unlimited = console.options.update(max_width=10 * WIDTH)
    if console.measure(table, options=unlimited).minimum <= console.width:
        console.print(table)
    else:
        typer.echo("\n".join(_in_lines(one, width) for one in found))
    for one in found:
        if one.problem:
            typer.echo(f"\n{fill(f'{one.name} cannot hold the data: {one.problem}', width)}")
    typer.echo()
    for sentence in words:
        typer.echo(fill(sentence, width, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False))


def _lengths_in_words(lengths: Lengths) -> str:
    found = percentiles(lengths)
    words = f"{so_many(len(lengths), 'sequence')} of {span_of(found['min'], found['max'], 'step')}"
    if found["min"] == found["max"]:
        return words
    return (
        f"{words}, {lengths.sum():,} together; half have up to "
        f"{found['p50']:,}, 90% up to {found['p90']:,}, 99% up to {found['p99']:,}"
    )


def _table(found: list[Compared]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("layout", min_width=len("Bucketed(num_buckets=8,"))
    for name in FIGURES:
        table.add_column(name, justify="right", no_wrap=True)
    for one in found:
        table.add_row(one.name, *_figures(one))
    return table


def _in_lines(one: Compared, width: int) -> str:
    """Returns the row of a layout as lines, for terminals too narrow for a table."""
    figures = ", ".join(f"{name} {figure}" for name, figure in zip(FIGURES, _figures(one), strict=True))
    return f"{one.name}\n{fill(figures, width, initial_indent='  ', subsequent_indent='  ')}"


def _figures(one: Compared) -> tuple[str, ...]:
    summary = one.summary
    if summary is None:
        return ("-",) * 6
    rows, steps = summary.largest_shape
    return (
        f"{summary.num_batches:,}",
        f"{summary.padding_fraction:.1%}",
        f"{summary.num_cells:,}",
        f"{summary.num_shapes:,}",
        f"{rows:,} × {steps:,}",
        decimal(one.num_bytes),
    )
