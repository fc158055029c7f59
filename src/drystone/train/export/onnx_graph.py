"""A trained classifier as an ONNX graph.

Sequences lie in rows of unequal lengths. The LSTM operator takes the lengths and reads each row backward from its own
last step; it runs time first, so the steps come first between the two transpositions at the ends.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from drystone.core.trained import LSTMWeights, Trained

OPSET, IR_VERSION = 18, 8  # of 2022: the first in which every reduction takes its axes as an input
STEPS_FIRST = (1, 0, 2)  # and back again
BELOW_ALL = -2.0  # outputs of an LSTM lie between -1 and 1
FLOAT, INT64 = TensorProto.FLOAT, TensorProto.INT64


@dataclass(frozen=True, slots=True)
class Graph:
    """Nodes and weights, in the order in which they were added; values go by their names."""

    nodes: list[onnx.NodeProto] = field(default_factory=list[onnx.NodeProto])
    weights: list[onnx.TensorProto] = field(default_factory=list[onnx.TensorProto])

    def add(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """Adds an operator of one output, and returns the output's name."""
        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def hold(
        self, name: str, values: npt.NDArray[Any] | list[int] | float | int, dtype: type[np.generic] = np.float32
    ) -> str:
        """Adds an array, and returns its name."""
        self.weights.append(numpy_helper.from_array(np.asarray(values, dtype), name))
        return name


def build(trained: Trained, metadata: dict[str, str]) -> onnx.ModelProto:
    """Returns a model with the weights of the classifier, all in float32.

    Inputs: `x` [rows, steps, features] in the units of the training data, `lengths` int64 [rows], `h0` and `c0`
    [layers × directions, rows, hidden]. Outputs: `probability` [rows, classes], the state `hn` and `cn` after each
    row's last real step, and `output` [rows, steps, directions × hidden] of the last layer, 0 after it.

    Args:
        trained: the classifier.
        metadata: kept in the model.

    Raises:
        RunError: a feature that float32 cannot hold well enough.
    """
    graph = Graph()
    is_real = _is_real(graph)
    values = _layers(graph, trained, _standardised(graph, trained))
    output = graph.add("Where", [is_real, values, graph.hold("zero", 0.0)], "output_steps_first")
    graph.add("Transpose", [output], "output", perm=STEPS_FIRST)
    _head(graph, trained, [_pooled(graph, trained, how, is_real, output) for how in trained.poolings])
    whole = helper.make_graph(graph.nodes, "classifier", _inputs(trained), _outputs(trained), graph.weights)
    opsets = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(whole, opset_imports=opsets, ir_version=IR_VERSION, producer_name="drystone")
    helper.set_model_props(model, metadata)
    return model


def _inputs(trained: Trained) -> list[onnx.ValueInfoProto]:
    state = _state_shape(trained)
    return [
        helper.make_tensor_value_info("x", FLOAT, ["rows", "steps", len(trained.columns)]),
        helper.make_tensor_value_info("lengths", INT64, ["rows"]),
        helper.make_tensor_value_info("h0", FLOAT, state),
        helper.make_tensor_value_info("c0", FLOAT, state),
    ]


def _outputs(trained: Trained) -> list[onnx.ValueInfoProto]:
    state = _state_shape(trained)
    return [
        helper.make_tensor_value_info("probability", FLOAT, ["rows", len(trained.head_bias)]),
        helper.make_tensor_value_info("hn", FLOAT, state),
        helper.make_tensor_value_info("cn", FLOAT, state),
        helper.make_tensor_value_info("output", FLOAT, ["rows", "steps", _units(trained)]),
    ]


def _state_shape(trained: Trained) -> list[int | str]:
    return [len(trained.lstm) * len(trained.lstm[0]), "rows", _hidden(trained)]


def _hidden(trained: Trained) -> int:
    return trained.lstm[0][0].hidden.shape[1]


def _units(trained: Trained) -> int:
    return len(trained.lstm[0]) * _hidden(trained)


def _standardised(graph: Graph, trained: Trained) -> str:
    """Adds the standardised inputs, [steps, rows, features]."""
    form = trained.standardising()
    around_mean = graph.add("Sub", ["x", graph.hold("near", form.near)], "around_mean")
    scaled = graph.add("Mul", [around_mean, graph.hold("scale", form.scale)], "scaled")
    standardised = graph.add("Add", [scaled, graph.hold("rest", form.rest)], "standardised")
    return graph.add("Transpose", [standardised], "steps_first", perm=STEPS_FIRST)


def _is_real(graph: Graph) -> str:
    """Adds where there are real steps, bool [steps, rows, 1]; runtimes differ in what they output elsewhere."""
    num_steps = graph.add("Squeeze", [graph.add("Shape", ["x"], "x_shape", start=1, end=2)], "num_steps")
    zero, one = graph.hold("first_step", 0, np.int64), graph.hold("one_step", 1, np.int64)
    steps = graph.add("Range", [zero, num_steps, one], "step_numbers")
    column = graph.add("Unsqueeze", [steps, graph.hold("rows_and_units", [1, 2], np.int64)], "step_of_cell")
    row = graph.add("Unsqueeze", ["lengths", graph.hold("steps_and_units", [0, 2], np.int64)], "length_of_row")
    return graph.add("Less", [column, row], "is_real")


def _layers(graph: Graph, trained: Trained, values: str) -> str:
    """Adds all layers and the state after them; returns the outputs of the last, [steps, rows, directions × hidden]."""
    graph.add("Cast", ["lengths"], "lengths_int32", to=TensorProto.INT32)
    starts = [_parts(graph, name, len(trained.lstm)) for name in ("h0", "c0")]
    joined = graph.hold("joined_units", [0, 0, _units(trained)], np.int64)  # 0 keeps a size as it is
    for number, weights in enumerate(trained.lstm, start=1):
        outputs = [f"lstm_{number}", f"hn_{number}", f"cn_{number}"]
        inputs = [
            values,
            *_weights(graph, weights, f"lstm_{number}"),
            "lengths_int32",
            *(of[number - 1] for of in starts),
        ]
        direction = "bidirectional" if len(weights) == 2 else "forward"
        node = helper.make_node("LSTM", inputs, outputs, hidden_size=_hidden(trained), direction=direction)
        graph.nodes.append(node)
        by_row = graph.add("Transpose", [outputs[0]], f"directions_last_{number}", perm=(0, 2, 1, 3))
        values = graph.add("Reshape", [by_row, joined], f"outputs_{number}")
    for name in ("hn", "cn"):
        graph.add("Concat", [f"{name}_{number + 1}" for number in range(len(trained.lstm))], name, axis=0)
    return values


def _parts(graph: Graph, state: str, num_layers: int) -> list[str]:
    """Adds a state's parts, one a layer: [directions, rows, hidden]."""
    parts = [f"{state}_{number + 1}" for number in range(num_layers)]
    graph.nodes.append(helper.make_node("Split", [state], parts, axis=0, num_outputs=num_layers))
    return parts


def _weights(graph: Graph, weights: tuple[LSTMWeights, ...], name: str) -> list[str]:
    """Adds the weights of a layer: inputs, hidden, and both biases side by side; the first dimension is directions."""
    biases = [np.concatenate([_gates(found.bias), np.zeros_like(found.bias)]) for found in weights]
    return [
        graph.hold(f"{name}_input", np.stack([_gates(found.input) for found in weights])),
        graph.hold(f"{name}_hidden", np.stack([_gates(found.hidden) for found in weights])),
        graph.hold(f"{name}_bias", np.stack(biases)),
    ]


def _gates(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Returns gates in ONNX' order, i, o, f, g, from PyTorch's: i, f, g, o."""
    i, f, g, o = np.split(values, 4)
    return np.concatenate([i, o, f, g])


def _pooled(graph: Graph, trained: Trained, how: str, is_real: str, output: str) -> str:
    """Adds one vector a row, [rows, directions × hidden]."""
    if how == "last":
        h = graph.add("Transpose", [f"hn_{len(trained.lstm)}"], "last_h", perm=STEPS_FIRST)
        return graph.add("Reshape", [h, graph.hold("units_together", [0, -1], np.int64)], "last")
    over_steps = graph.hold(f"steps_of_{how}", [0], np.int64)
    if how == "mean":
        total = graph.add("ReduceSum", [output, over_steps], "total", keepdims=0)
        count = graph.add("Unsqueeze", ["lengths", graph.hold("units", [1], np.int64)], "count")
        return graph.add("Div", [total, graph.add("Cast", [count], "count_float32", to=FLOAT)], "mean")
    lowered = graph.add("Where", [is_real, output, graph.hold("below", BELOW_ALL)], "lowered")
    return graph.add("ReduceMax", [lowered, over_steps], "max", keepdims=0)


def _head(graph: Graph, trained: Trained, pooled: list[str]) -> None:
    """Adds the probability of each class, or label."""
    joined = graph.add("Concat", pooled, "pooled", axis=1)
    weights = [graph.hold("head", trained.head), graph.hold("head_bias", trained.head_bias)]
    logits = graph.add("Gemm", [joined, *weights], "logits", transB=1)
    if trained.activation == "softmax":
        graph.add("Softmax", [logits], "probability", axis=1)
    else:
        graph.add("Sigmoid", [logits], "probability")
