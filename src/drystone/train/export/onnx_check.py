"""Proof that an ONNX file computes in onnxruntime what PyTorch does."""

from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
import torch
from torch import Tensor

from drystone.core.errors import RunError
from drystone.train.export.plain_torch import Classifier

LENGTHS = (3, 7, 1, 7, 4)
LARGEST_ERROR = 1e-3  # of probabilities and states, in float32; a graph with a fault is far beyond
OUTPUTS = ("probability", "hn", "cn")

Arrays = dict[str, npt.NDArray[np.generic]]


def check(path: Path, plain: Classifier, readable: Callable[[Tensor], Tensor]) -> None:
    """Compares probabilities and states, on random rows of unequal lengths with the training data's mean and spread.

    Args:
        path: the ONNX file.
        plain: the classifier, in eval mode.
        readable: makes probabilities of logits.

    Raises:
        RunError: they differ.
    """
    inputs = _inputs(plain)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    results: Sequence[Any] = session.run(list(OUTPUTS), inputs)
    for name, found, expected in zip(OUTPUTS, results, _expected(plain, readable, inputs), strict=True):
        if not np.allclose(found, expected, rtol=0, atol=LARGEST_ERROR, equal_nan=True):
            raise RunError(
                f"{name} of the ONNX model is up to {np.abs(found - expected).max():.2g} off PyTorch's in onnxruntime "
                f"{version('onnxruntime')}, so the file was not kept. Try another onnxruntime, or export to torch."
            )


def _inputs(plain: Classifier) -> Arrays:
    rng = np.random.default_rng(0)
    mean, spread = plain.mean.numpy(), plain.spread.numpy()
    state = (plain.lstm.num_layers * plain.num_directions, len(LENGTHS), plain.lstm.hidden_size)
    x = mean + spread * rng.normal(size=(len(LENGTHS), max(LENGTHS), len(mean)))
    h, c = rng.uniform(-1, 1, (2, *state)).astype(np.float32)
    return {"x": x.astype(np.float32), "lengths": np.array(LENGTHS), "h0": h, "c0": c}


def _expected(plain: Classifier, readable: Callable[[Tensor], Tensor], inputs: Arrays) -> list[npt.NDArray[np.generic]]:
    x, lengths, h, c = (torch.from_numpy(value) for value in inputs.values())
    dtype = plain.head.weight.dtype
    with torch.inference_mode():
        logits, state = plain(x, lengths, (h.to(dtype), c.to(dtype)))
    return [value.numpy() for value in (readable(logits), *state)]
