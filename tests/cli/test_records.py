"""Records as options of the command line."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from drystone.cli.follow import FollowOptions
from drystone.cli.reading import Reading
from drystone.cli.records import given_in, with_records

HELP = "How many of them."


@dataclass(frozen=True, kw_only=True)
class Size:
    """What is chosen."""

    rows: Annotated[int, typer.Option(help=HELP)] = 1
    is_flat: Annotated[bool, typer.Option("--flat")] = False


@with_records
def show(name: str, *, before: int = 0, size: Size, after: int = 0) -> None:
    """Prints what came."""
    typer.echo(f"{name} {before} {size} {after}")


def run(*arguments: str) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(show)
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.stdout


def test_the_function_gets_the_record_made_of_its_options() -> None:
    assert run("grid") == (0, "grid 0 Size(rows=1, is_flat=False) 0\n")
    expected = "grid 3 Size(rows=2, is_flat=True) 4\n"
    assert run("grid", "--rows", "2", "--flat", "--before", "3", "--after", "4") == (0, expected)


def test_options_stand_where_the_record_stands() -> None:
    code, text = run("--help")
    places = [text.index(words) for words in ("--before", "--rows", HELP, "--flat", "--after")]
    assert (code, places) == (0, sorted(places))


def test_an_option_of_another_kind_is_refused() -> None:
    assert run("grid", "--rows", "two")[0] == 2


@pytest.mark.parametrize(
    ("record", "names"),
    [
        (Reading(), []),
        (Reading(text="review", drop_empty=True), ["text", "drop_empty"]),
        (FollowOptions(state=Path("kept.safetensors"), save_seconds=30.0), ["state", "save_seconds"]),
    ],
)
def test_what_was_given_is_what_differs_from_the_defaults(record: object, names: list[str]) -> None:
    assert given_in(record) == names
