"""The program `drystone`: its verbs, and how errors reach the user."""

import sys
import warnings
from importlib.metadata import version
from io import TextIOWrapper
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from drystone import native
from drystone.cli import config, evaluate, export, fit, generate, plan, predict, runs
from drystone.cli.interrupts import INTERRUPTED
from drystone.cli.one_voice import one_voice, say_error
from drystone.core.errors import DrystoneError, RankError

BAD_INPUT = 2


class Verbs(TyperGroup):
    """Makes the options of fit when they are asked for, since they need libraries that other verbs do without."""

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name == "fit" and fit.is_ready():
            return fit.command()
        return super().get_command(ctx, cmd_name)


app = typer.Typer(
    name="drystone",
    cls=Verbs,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Train LSTMs on sequences of unequal length, exactly and fast.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.command("plan", help=plan.HELP, no_args_is_help=True)(plan.plan)
app.command("fit", help=fit.HELP, context_settings={"ignore_unknown_options": True})(fit.not_ready)
app.command("config", help=config.HELP, no_args_is_help=True)(config.config)
app.command("runs", help=runs.HELP)(runs.runs)
app.command("evaluate", help=evaluate.HELP, no_args_is_help=True)(evaluate.evaluate)
app.command("predict", help=predict.HELP, no_args_is_help=True)(predict.predict)
app.command("generate", help=generate.HELP, no_args_is_help=True)(generate.generate)
app.command("export", help=export.HELP, no_args_is_help=True)(export.export)


def _show_version(value: bool) -> None:
    if value:
        typer.echo(f"drystone {version('drystone')} (native core: {native.describe()})")
        raise typer.Exit


@app.callback()
def options(
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version and stop.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """Options that stand before the verb."""


def _show_warning(message: Warning | str, *_where: object, **_more: object) -> None:
    typer.echo(f"warning: {message}", err=True)


def _in_words(error: Exception) -> str:
    words = str(error)
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        words = f"{where}{error.strerror}."
    return "\n".join([words, *getattr(error, "__notes__", ())])


def main() -> None:
    """Runs the program; bad input ends it with a sentence and exit code 2."""
    warnings.showwarning = _show_warning
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a × that a terminal cannot show is no reason to stop
    with one_voice():
        _run()


def _run() -> None:
    try:
        app()
    except (DrystoneError, OSError) as error:
        is_told_elsewhere = isinstance(error, RankError) and error.is_told_elsewhere
        say_error(f"error: {_in_words(error)}", is_told_elsewhere=is_told_elsewhere)
        sys.exit(BAD_INPUT)
    except KeyboardInterrupt:
        typer.echo("stopped.", err=True)
        sys.exit(INTERRUPTED)
