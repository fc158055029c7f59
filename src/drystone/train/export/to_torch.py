"""A trained run as a folder with a plain PyTorch module: its source, its weights, and what it takes."""

import json
import shutil
from pathlib import Path
from typing import Any

from safetensors.torch import save

from drystone.core.storage import whole_folder
from drystone.train.export import plain_torch
from drystone.train.export.about import FILE, about, entry, features, lengths, state
from drystone.train.export.format import Format, Source
from drystone.train.export.plain import arguments_of, plain_of

SOURCE, WEIGHTS = "model.py", "weights.safetensors"
FILES = frozenset({SOURCE, WEIGHTS, FILE, "__pycache__"})  # Python makes the last when the source is imported


def _write(source: Source, path: Path) -> dict[str, Any]:
    model = plain_of(source.model)
    said = _about(source) | {"model": arguments_of(source.model)}
    with whole_folder(path, FILES) as folder:
        shutil.copyfile(plain_torch.__file__, folder / SOURCE)
        weights = save({name: value.contiguous() for name, value in model.state_dict().items()})
        (folder / WEIGHTS).write_bytes(weights)  # with the rights of any new file; save_file gives its owner's alone
        (folder / FILE).write_text(json.dumps(said, indent=2) + "\n", encoding="utf-8")
    return said


def _about(source: Source) -> dict[str, Any]:
    schema, model = source.schema, source.model
    dtype = str(model.head.weight.dtype).removeprefix("torch.")
    logits = entry(dtype, ["rows", len(schema.classes)], "softmax makes them the probability of each class")
    return about(
        schema,
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


def _usage(path: Path, _said: dict[str, Any]) -> list[str]:
    return [
        "import sys",
        f"sys.path.insert(0, {path.as_posix()!r})",
        "from model import load",
        "model = load()",
        "logits, state = model(x, lengths)",
        "probabilities = logits.softmax(dim=1)",
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
