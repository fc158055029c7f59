"""`drystone export`: a run as a model of another framework."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from drystone.cli.data import RunFolder, check_out, open_model
from drystone.cli.interrupts import ends_at_once
from drystone.train.libraries import need_libraries

if TYPE_CHECKING:
    from drystone.train.export import Format

HELP = """Write the model of a run for use without drystone.

Its outputs are those of drystone predict.

keras: a .keras file of Keras' own layers, which loads on TensorFlow, JAX and PyTorch.
torch: a folder with the source of a plain PyTorch module around nn.LSTM, and its weights in safetensors.
onnx: an .onnx file; LSTM state goes in and comes out. It is checked against PyTorch where onnxruntime is installed.

Inputs and classes, and how to use the model, are printed; what goes in and comes out is kept in it too.

\b
Examples:
  drystone export runs/japanese-vowels-1 --to keras
  drystone export runs/japanese-vowels-1 --to torch
  drystone export runs/my-1 --to onnx --out model.onnx --overwrite
"""
MAX_SHOWN = 20


def export(
    run: RunFolder,
    to: Annotated[str, typer.Option(help="What to write: keras, torch or onnx.", metavar="FORMAT")],
    out: Annotated[
        Path | None,
        typer.Option(
            help="What to write to (default: the run's name, here, with the ending of the format).",
            metavar="NAME.FORMAT",
        ),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")] = False,
) -> None:
    """Opens the run, writes the model, prints how to use it."""
    os.environ.setdefault("KERAS_BACKEND", "torch")  # the one that is surely here; the file is the same for all
    with ends_at_once():
        need_libraries()
        from drystone.train.export import format_of  # here, so that --help needs no framework

        form = format_of(to)
        path = out or Path(f"{run.resolve().name}{form.suffix}")
        check_out(path, (form.suffix,), overwrite=overwrite, is_folder=form.is_folder)
        form.load()
    about = open_model(run, "cpu").export(path, to=to, overwrite=overwrite)
    for line in _usage(form, path, about):
        typer.echo(line)


def _usage(form: "Format", path: Path, about: dict[str, Any]) -> list[str]:
    inputs, outputs = about["inputs"], about["outputs"]
    return [
        f"{form.title} in {path}",
        *(f"input {name}: {_form(found)}: {found['means']}" for name, found in inputs.items()),
        f"columns of x: {_some(inputs['x']['columns'])}",
        *(f"output {name}: {_form(found)}: {found['means']}" for name, found in outputs.items()),
        f"{'classes' if about['activation'] == 'softmax' else 'labels'} of {about['target']}: {_some(about['classes'])}",
        f"All of this is kept in {form.kept}. To use it:",
        *(f"  {line}" for line in form.usage(path, about)),
    ]


def _form(found: dict[str, Any]) -> str:
    return f"{found['dtype']} [{', '.join(map(str, found['shape']))}]"


def _some(names: list[Any]) -> str:
    more = f", ... ({len(names):,})" if len(names) > MAX_SHOWN else ""
    return ", ".join(map(str, names[:MAX_SHOWN])) + more
