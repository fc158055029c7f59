"""`drystone evaluate`: the figures of a run on some data."""

from dataclasses import asdict
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from drystone.cli.data import Data, Device, RunFolder, open_run
from drystone.cli.reading import Reading
from drystone.cli.records import with_records
from drystone.core.errors import ConfigError

if TYPE_CHECKING:
    from drystone.train import Settings

HELP = """Print the figures of a run on data with targets: accuracy and loss; of numbers errors in their units.
Beside them, in brackets, stands what trivial predictions reach, which know the training part only.

On the data that the run was made from, only its test part counts, unless --part says otherwise; a run with a file for
each part knows each of them.

\b
Examples:
  drystone evaluate runs/japanese-vowels-1 japanese-vowels
  drystone evaluate runs/my-1 new.parquet
"""


@with_records
def evaluate(
    run: RunFolder,
    data: Data,
    *,
    part: Annotated[
        Literal["train", "valid", "test", "all"] | None,
        typer.Option(help="Which part of the run's own data (default test)."),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(help="Draw the predictions into this folder: confusions, errors, forecasts.", metavar="FOLDER"),
    ] = None,
    how: Reading,
    device: Device = "auto",
) -> None:
    """Opens the run, reads the data, prints one line a figure."""
    opened, seqs = open_run(run, data, how, device=device)
    known = opened.known_part(seqs)
    is_own = known is not None or opened.is_made_from(seqs)
    if part is not None and part != "all" and not is_own:
        raise ConfigError(
            f"{data} is not the data that {run} was made from, so it has no {part} part. Leave out --part."
        )
    chosen = part or known or ("test" if is_own and len(opened.split.test) else "all")
    if known not in (None, chosen) and chosen != "all":
        raise ConfigError(
            f"{data} is the {known} part of {run}; its {chosen} part lies elsewhere: "
            f"drystone evaluate {quote(str(run))} {_source_of(chosen, opened.settings)}"
        )
    if not is_own:
        typer.echo(f"{data} is not the data that {run} was made from: all of its sequences count.", err=True)
    if chosen != "all":
        seqs = opened.part(seqs, chosen)
    name = data if chosen == "all" else f"{chosen} part"
    found = opened.evaluate(seqs, plot=plot, name=name)
    scores = asdict(found)
    counts = [f"{name} {scores[name]}" for name in ("sequences", "steps", "tokens") if name in scores]
    if scores["unknown_words"] is not None:
        counts.append(f"unknown words {scores['unknown_words']:.1%}")
    if found.truncated is not None:
        counts.append(f"left out by max_steps: {found.truncated}")
    label = f"{chosen} " if is_own else ""
    for line in (*opened.task.in_words(scores), *counts):
        typer.echo(f"{label}{line}")


def _source_of(part: str, settings: "Settings") -> str:
    from drystone.train.data import IN_MEMORY, SETTINGS

    name = getattr(settings, SETTINGS[part])
    return part.upper() if name in (None, IN_MEMORY) else quote(name)
