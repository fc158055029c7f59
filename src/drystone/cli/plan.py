"""`drystone plan`: what each layout makes of the data, and which to take."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from drystone.cli.advice import Facts, advice
from drystone.cli.busy import busy
from drystone.cli.comparison import print_json, print_text
from drystone.cli.data import Data, check_out, read_data
from drystone.cli.intervals import say_intervals
from drystone.cli.layouts import PANEL, Compared, Layouts, Sizes, compared, plan_or_problem
from drystone.cli.reading import Reading
from drystone.cli.records import with_records
from drystone.core.extras import need
from drystone.core.plan import Plan
from drystone.core.sequences import Sequences
from drystone.core.shuffle import check_seed

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
OUTPUT = "Output"


@with_records
def plan(
    data: Data,
    *,
    how: Reading,
    sizes: Sizes,
    seed: Annotated[int, typer.Option(help="Of the random orders.", rich_help_panel=PANEL)] = 0,
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
    with busy() as say:
        say(f"reading {data}")
        seqs = read_data(data, how)
        say_intervals(seqs)
        layouts = Layouts.of(seqs.lengths, sizes)
        found, plans = _compare(layouts, seqs, seed, say, keep_plans=plot is not None)
        words = advice(Facts(lengths=seqs.lengths, batch_size=layouts.padded.batch_size, **found))
        if plot is not None:
            say(f"drawing {plot}")
            from drystone.plots.wall import save_walls

            save_walls(plans, plot)
    show = print_json if as_json else print_text
    show(data, seqs.lengths, list(found.values()), words)
    if plot is not None and not as_json:
        typer.echo(f"\npicture in {plot}")


def _compare(
    layouts: Layouts, seqs: Sequences, seed: int, say: Callable[[str], None], *, keep_plans: bool
) -> tuple[dict[str, Compared], list[tuple[str, Plan]]]:
    """Returns what each layout makes of the sequences, and the plans by name where they are kept: they are large."""
    found: dict[str, Compared] = {}
    plans: list[tuple[str, Plan]] = []
    for kind, layout in layouts.by_kind().items():
        say(f"planning {len(seqs):,} sequences: {layout}")
        planned = plan_or_problem(layout, seqs.lengths, seed)
        found[kind] = compared(layout, planned, seqs)
        if keep_plans and isinstance(planned, Plan):
            plans.append((repr(layout), planned))
    return found, plans
