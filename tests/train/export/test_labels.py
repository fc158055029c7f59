"""Exports of several labels at once say the probability of each, as the run does."""

from pathlib import Path

import numpy as np
import torch

from tests.train.export.runs import LABELS, TOLERANCE, own_probabilities, padded, some_data, trained_on_labels
from tests.train.export.test_outputs import loaded, opened


def test_torch_and_onnx_say_what_the_run_says(tmp_path: Path) -> None:
    run = trained_on_labels(tmp_path / "run")
    seqs = some_data((4, 9, 1), seed=3)
    x, lengths, expected = padded(seqs, 0.0), seqs.lengths, own_probabilities(run, seqs, LABELS)
    about = run.export(tmp_path / "m.torch", to="torch")
    assert (about["classes"], about["activation"]) == (LABELS, "sigmoid")
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
