"""Exports of several labels at once say the probability of each, as the run does."""

from pathlib import Path

import numpy as np
import pytest
import torch

import drystone as ds
from tests.train.export.runs import TOLERANCE, Array, padded, some_data
from tests.train.export.test_outputs import loaded, opened

NAMES = ["tags[0]", "tags[1]"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ds.Run:
    tags = [[number % 2, number % 3 == 0] for number in range(len(some_data()))]
    arrays = {name: [found[name] for found in some_data()] for name in ("pair", "large")}
    seqs = ds.Sequences.from_arrays(arrays, {"tags": tags})
    return ds.fit(
        seqs, "tags", out=tmp_path_factory.mktemp("trained") / "run", epochs=30, hidden_size=5, test_fraction=0.0,
        learning_rate=0.1, device="cpu", progress=False,
    )  # fmt: skip


def own(run: ds.Run, seqs: ds.Sequences) -> Array:
    found = run.predict(seqs)
    return np.column_stack([found[f"p_{name}"] for name in NAMES])


def test_torch_and_onnx_say_what_the_run_says(run: ds.Run, tmp_path: Path) -> None:
    seqs = some_data((4, 9, 1), seed=3)
    x, lengths, expected = padded(seqs, 0.0), seqs.lengths, own(run, seqs)
    about = run.export(tmp_path / "m.torch", to="torch")
    assert (about["classes"], about["activation"]) == (NAMES, "sigmoid")
    assert about["outputs"]["logits"]["means"] == "sigmoid makes them the probability of each label"
    with torch.inference_mode():
        logits, _ = loaded(tmp_path / "m.torch")(torch.from_numpy(x), torch.tensor(lengths))
    np.testing.assert_allclose(logits.sigmoid(), expected, atol=TOLERANCE)
    about = run.export(tmp_path / "m.onnx", to="onnx")
    assert about["outputs"]["probability"]["means"] == "the probability of each label"
    zeros = np.zeros((2, len(x), 5), "float32")
    inputs = {"x": x, "lengths": lengths, "h0": zeros, "c0": zeros}
    [found] = opened(tmp_path / "m.onnx").run(["probability"], inputs)
    np.testing.assert_allclose(found, expected, atol=TOLERANCE)
    assert np.abs(expected.sum(axis=1) - 1).max() > 0.01
