"""What a user of an exported model must know, as JSON has it; it travels with the model."""

from importlib.metadata import version
from typing import Any

from drystone.train.export.format import Source
from drystone.train.schema import Schema
from drystone.train.tasks.sequence.model import SequenceModel

FILE = "drystone.json"
FLOAT32 = "float32"

Entry = dict[str, Any]


def about(source: Source, *, inputs: dict[str, Entry], outputs: dict[str, Entry]) -> dict[str, Any]:
    """Returns the version, what is predicted, its classes in order, and what goes in and comes out.

    Of several labels at once, `classes` are the labels; `activation` is sigmoid then, else softmax.

    Args:
        source: the parts of a run.
        inputs: what is said of each, by name.
        outputs: what is said of each, by name.
    """
    return {
        "drystone": version("drystone"),
        "target": source.schema.target,
        "classes": source.meanings,
        "activation": source.classifier.outputs.activation,
        "inputs": inputs,
        "outputs": outputs,
    }


def entry(dtype: str, shape: list[int | str], means: str) -> Entry:
    """Returns what is said of one array: its type, its shape (with words for sizes that are free), what it means."""
    return {"dtype": dtype, "shape": shape, "means": means}


def probabilities(source: Source) -> Entry:
    """Returns what is said of an output of probabilities in float32."""
    return entry(FLOAT32, ["rows", len(source.meanings)], f"the probability of each {source.choice}")


def features(schema: Schema, dtype: str) -> Entry:
    """Returns what is said of the input `x`."""
    means = "the features in the units of the training data; the model standardises them itself"
    columns = list(schema.features.columns)
    return entry(dtype, ["rows", "steps", len(columns)], means) | {"columns": columns}


def lengths() -> Entry:
    """Returns what is said of the input `lengths`."""
    return entry("int64", ["rows"], "the real steps of each row, 1 or more, which come first in it")


def state(model: SequenceModel, dtype: str, means: str) -> Entry:
    """Returns what is said of an LSTM state, h or c."""
    sizes = model.lstm.sizes
    return entry(dtype, [sizes.layers * sizes.directions, "rows", sizes.hidden], means)
