"""What the layouts make of the data, as a table, as lines, or as JSON."""

import json
from textwrap import fill
from typing import Any

import typer
from rich.console import Console
from rich.filesize import decimal
from rich.table import Table

from drystone.cli.advice import percentiles
from drystone.cli.layouts import Compared
from drystone.core.lengths import Lengths
from drystone.core.words import so_many, span_of

FIGURES = ("batches", "padding", "cells", "shapes", "largest", "memory")
WIDTH = 100  # of sentences, in characters; longer lines are hard to read


def print_json(data: str, lengths: Lengths, found: list[Compared], words: list[str]) -> None:
    """Prints one JSON object.

    Args:
        data: what is compared on.
        lengths: of its sequences, in steps.
        found: what each layout makes of them.
        words: the advice, a sentence each.
    """
    result: dict[str, Any] = {
        "data": data,
        "num_sequences": len(lengths),
        "num_steps": int(lengths.sum()),
        "lengths": percentiles(lengths),
        "layouts": [one.to_dict() for one in found],
        "advice": words,
    }
    typer.echo(json.dumps(result, indent=2))


def print_text(data: str, lengths: Lengths, found: list[Compared], words: list[str]) -> None:
    """Prints a table, or lines where the terminal is too narrow for one, and the advice; takes what `print_json` does."""
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
