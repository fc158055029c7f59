"""`drystone export`: a run as a model of another framework."""

import os
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from drystone.cli.data import RunFolder, check_out, open_model
from drystone.cli.interrupts import ends_at_once
from drystone.core.extras import need

HELP = """Write the model of a run as a plain Keras model, whose outputs are those of drystone predict.

The .keras file loads on TensorFlow, JAX and PyTorch, without drystone. Inputs and classes are printed, and kept in it.

\b
Examples:
  drystone export runs/japanese-vowels-1 --to keras
  drystone export runs/my-1 --to keras --out model.keras --overwrite
"""
MAX_SHOWN = 20


def export(
    run: RunFolder,
    to: Annotated[Literal["keras"], typer.Option(help="What to write: keras.")],
    out: Annotated[
        Path | None, typer.Option(help="The file to write (default: the run's name, here).", metavar="FILE.keras")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it exists.")] = False,
) -> None:
    """Opens the run, writes the model, prints how to use it."""
    path = out or Path(f"{run.resolve().name}.keras")
    check_out(path, (".keras",), overwrite=overwrite)
    need("keras", "keras")
    opened = open_model(run, "cpu")
    os.environ.setdefault("KERAS_BACKEND", "torch")  # the one that is surely here; the file is the same for all
    with ends_at_once():
        import_module("drystone.keras")
    about = opened.export(path, to=to, overwrite=overwrite)
    for line in _usage(path, about):
        typer.echo(line)


def _usage(path: Path, about: dict[str, Any]) -> list[str]:
    inputs = about["inputs"]
    return [
        f"Keras model in {path}",
        *(f"input {name}: {_form(found)}: {found['means']}" for name, found in inputs.items()),
        f"columns of x: {_some(inputs['x']['columns'])}",
        f"output: {_form(about['output'])}: {about['output']['means']} of {about['target']}",
        f"classes: {_some(about['classes'])}",
        "All of this is in drystone.json too, within the file, which is a zip archive. To use it:",
        "  import keras",
        f"  model = keras.saving.load_model({path.as_posix()!r})",
        '  probabilities = model.predict({"x": x, "valid": valid})',
    ]


def _form(found: dict[str, Any]) -> str:
    return f"{found['dtype']} [{', '.join(map(str, found['shape']))}]"


def _some(names: list[Any]) -> str:
    more = f", ... ({len(names):,})" if len(names) > MAX_SHOWN else ""
    return ", ".join(map(str, names[:MAX_SHOWN])) + more
