"""A trained run as an ONNX file, checked against PyTorch before it takes its name."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from drystone.core.storage import whole_file
from drystone.train.export.about import FLOAT32, about, entry, features, lengths, probabilities, state
from drystone.train.export.arrays import arrays_of
from drystone.train.export.format import Format, Source
from drystone.train.export.plain import plain_of

METADATA = "drystone"
"""The key of the model's metadata whose value, as JSON, says what goes in and comes out."""


def _write(source: Source, path: Path) -> dict[str, Any]:
    import onnx  # here, since training needs no ONNX

    from drystone.train.export import onnx_graph

    said = _about(source)
    model = onnx_graph.build(arrays_of(source), {METADATA: json.dumps(said)})
    onnx.checker.check_model(model, full_check=True)
    with whole_file(path) as partial:
        partial.write_bytes(model.SerializeToString())
        if find_spec("onnxruntime") is not None:
            from drystone.train.export.onnx_check import check

            check(partial, plain_of(source.classifier), source.classifier.outputs.readable)
    return said


def _about(source: Source) -> dict[str, Any]:
    schema, model = source.schema, source.classifier
    sizes = model.lstm.sizes
    by_step = ["rows", "steps", sizes.directions * sizes.hidden]
    return about(
        source,
        inputs={
            "x": features(schema, FLOAT32),
            "lengths": lengths(),
            "h0": state(model, FLOAT32, "what the LSTM starts from: zeros, or the hn of a call before"),
            "c0": state(model, FLOAT32, "what the LSTM starts from: zeros, or the cn of a call before"),
        },
        outputs={
            "probability": probabilities(source),
            "hn": state(model, FLOAT32, "the state h after each row's last real step"),
            "cn": state(model, FLOAT32, "the state c after each row's last real step"),
            "output": entry(FLOAT32, by_step, "the outputs of the last layer, 0 after each row's real steps"),
        },
    )


def _usage(path: Path, said: dict[str, Any]) -> list[str]:
    layers, _, hidden = said["inputs"]["h0"]["shape"]
    return [
        "import numpy as np",
        "import onnxruntime",
        f"session = onnxruntime.InferenceSession({path.as_posix()!r})",
        f'zeros = np.zeros(({layers}, len(x), {hidden}), "float32")',
        'inputs = {"x": x, "lengths": lengths, "h0": zeros, "c0": zeros}',
        "probability, hn, cn, output = session.run(None, inputs)",
    ]


ONNX = Format(
    name="onnx",
    title="ONNX model",
    suffix=".onnx",
    extra="onnx",
    libraries=("onnx",),
    module="drystone.train.export.onnx_graph",
    write=_write,
    kept=f"the model's metadata, under {METADATA!r}, as JSON",
    usage=_usage,
)
