"""A trained run as a folder with a plain PyTorch module: its source, its weights, and what it takes."""

import json
import shutil
from pathlib import Path
from typing import Any

from drystone.core.errors import DataError
from drystone.train.checkpoint.checkpoint import save_tensors
from drystone.train.checkpoint.files import partial_name, remove_folder, whole_folder
from drystone.train.export import plain_torch
from drystone.train.export.about import FILE, about, entry, features, lengths, state
from drystone.train.export.format import Format, Source
from drystone.train.export.plain import arguments_of, plain_of

SOURCE, WEIGHTS = "model.py", "weights.safetensors"
FILES = frozenset({SOURCE, WEIGHTS, FILE, "__pycache__"})  # Python makes the last when the source is imported


def _write(source: Source, path: Path) -> dict[str, Any]:
    model = plain_of(source.classifier)
    said = _about(source) | {"model": arguments_of(source.classifier)}
    _check_place(path)
    older = partial_name(path, "older")
    with whole_folder(path, older) as folder:
        shutil.copyfile(plain_torch.__file__, folder / SOURCE)
        save_tensors(model.state_dict(), folder / WEIGHTS)
        (folder / FILE).write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
    remove_folder(older)
    return said


def _check_place(path: Path) -> None:
    """Raises DataError where there is no folder to write to, or what would be replaced is no export."""
    if not path.parent.is_dir():
        raise DataError(f"there is no folder {path.parent}; make it first.")
    if not path.exists():
        return
    if path.is_symlink() or not path.is_dir():
        raise DataError(f"{path} is not a folder, so it is not replaced. Choose another name.")
    others = sorted(child.name for child in path.iterdir() if child.name not in FILES)
    if others:
        raise DataError(f"{path} holds {others[0]}, so it is not replaced. Choose another name.")


def _about(source: Source) -> dict[str, Any]:
    schema, model = source.schema, source.classifier
    dtype = str(model.head.weight.dtype).removeprefix("torch.")
    means = f"{model.outputs.activation} makes them the probability of each {source.choice}"
    logits = entry(dtype, ["rows", len(source.meanings)], means)
    return about(
        source,
        inputs={
            "x": features(schema, "float32 or float64"),
            "lengths": lengths(),
            "state": state(
                model, dtype, "h and c that the LSTM starts from, each of this shape; zeros where it is left out"
            ),
        },
        outputs={
            "logits": logits,
            "state": state(model, dtype, "h and c after each row's last real step, each of this shape"),
        },
    )


def _usage(path: Path, said: dict[str, Any]) -> list[str]:
    of_logits = {"softmax": "softmax(dim=1)", "sigmoid": "sigmoid()"}[said["activation"]]
    return [
        "import sys",
        f"sys.path.insert(0, {path.as_posix()!r})",
        "from model import load",
        "model = load()",
        "logits, state = model(x, lengths)",
        f"probabilities = logits.{of_logits}",
    ]


TORCH = Format(
    name="torch",
    title="PyTorch module",
    suffix=".torch",
    is_folder=True,
    extra="torch",
    module="drystone.train.export.plain_torch",
    write=_write,
    kept=f"{FILE} in the folder",
    usage=_usage,
)
