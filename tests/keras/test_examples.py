"""The Keras scripts in examples/ run on this backend, each on a small size, and print their results."""

import re
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.examples import (
    EXAMPLES,
    NUMBER,
    OF_KERAS,
    Run,
    check_help,
    running,
    save_labelled_texts,
    save_series,
    save_text,
)

PATHS = sorted(path for pattern in OF_KERAS for path in EXAMPLES.glob(pattern))
on_tensorflow = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="the loop is TensorFlow's")
SCORED = rf"test: loss {NUMBER}, accuracy {NUMBER}% of 370 recordings\n$"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    return running(monkeypatch, capsys)


@on_tensorflow
def test_sequences_of_one_length(run: Run) -> None:
    out = run("fixed_length_custom_loop_tf", "--epochs", 2)
    assert re.fullmatch(rf"(epoch [12]: loss {NUMBER}, accuracy {NUMBER}% of 100 sequences\n){{2}}", out)


def test_padded_sequences(run: Run) -> None:
    out = run("fit_padded_masked_keras", "--epochs", 1)
    assert re.search(rf"test: loss {NUMBER}, accuracy {NUMBER}% of \d+ recordings\n", out)
    assert out.endswith("a third step of zeros counts: True\n")


def test_masks_that_reach_loss_and_metrics(run: Run) -> None:
    out = run("explicit_masks_keras", "--epochs", 1)
    printed, counted = map(float, re.findall(r"(0\.\d{4}) (?:as printed|counted)", out))
    assert printed == pytest.approx(counted, abs=1.1e-4)


@pytest.mark.parametrize("feed", [(), ("--tf-data",)], ids=str)
def test_buckets(run: Run, feed: tuple[str, ...]) -> None:
    out = run("bucketed_keras", "--epochs", 1, *feed)
    assert re.match(rf"\d+ batches of 10, 14, 18, 29 steps, {NUMBER}% padding\n", out)
    assert re.search(SCORED, out)


@pytest.mark.parametrize(("budget", "shape"), [((), "32 × 14"), (("--cells", 200), "14 × 14")])
def test_batches_of_similar_lengths(run: Run, budget: tuple[object, ...], shape: str) -> None:
    out = run("batch_size_per_bucket_keras", "--epochs", 1, *budget)
    assert f"rows × steps: {shape}\n" in out
    assert re.search(SCORED, out)


def test_texts(run: Run, tmp_path: Path) -> None:
    out = run("text_embedding_keras", save_labelled_texts(tmp_path), "--epochs", 1)
    assert re.match(r"\d+ words; labels 'changes' and 'readme'\n", out)
    assert re.search(rf"test: loss {NUMBER}, accuracy {NUMBER}% of \d+ texts; always the same answer {NUMBER}%\n$", out)


def test_unknown_words(run: Run, tmp_path: Path) -> None:
    out = run("text_oov_keras", save_labelled_texts(tmp_path), "--epochs", 1)
    train, test = map(float, re.findall(rf"part: \d+ texts, ({NUMBER})% of their words unknown\n", out))
    assert 0 < train < test
    assert re.search(rf"test: loss {NUMBER}, accuracy {NUMBER}%; always the most frequent label {NUMBER}%\n$", out)


def test_an_output_at_every_step_scores_alike_in_every_layout(run: Run) -> None:
    out = run("per_step_masked_loss_keras", "--epochs", 1)
    padded, *others = np.array(
        re.findall(rf"test, \w+: loss ({NUMBER}), accuracy ({NUMBER})% of 5687 steps", out), float
    )
    assert len(others) == 2
    np.testing.assert_allclose(others, [padded] * 2, atol=0.11)  # of what is printed, the last digit may be rounded


def test_stateful_rows(run: Run) -> None:
    out = run("stateful_rows_keras", "--epochs", 2)
    assert re.match(rf"\d+ batches of 10 × 20 cells, {NUMBER}% padding, no step left out\n", out)
    first, second = map(float, re.findall(rf"mean squared error ({NUMBER}) of the next step", out))
    assert second < first


def test_windows_of_a_split_series(run: Run, tmp_path: Path) -> None:
    sizes = ["--steps", 12, "--horizon", 3, "--units", 4, "--epochs", 1]
    out = run("stateless_windows_forecast_keras", save_series(tmp_path), *sizes)
    assert re.match(r"windows: 30 to train on, \d+ to choose the epoch by, 13 to test\n", out)
    assert re.search(rf"test: mean absolute error {NUMBER}; repeating the last 3 steps {NUMBER}\n$", out)


def test_batches_of_two(run: Run) -> None:
    out = run("odd_lengths_batches_of_two_keras", "--epochs", 2)
    assert len(re.findall(r"a batch of [12] × \d\d cells", out)) == 3
    assert float(out.rsplit("at most ")[1]) < 1e-6


@on_tensorflow
def test_one_long_series_on_rows(run: Run, tmp_path: Path) -> None:
    sizes = ["--time", "ts", "--rows", 4, "--steps", 10, "--units", 4, "--epochs", 2]
    out = run("stateful_long_series_custom_loop_tf", save_series(tmp_path), *sizes)
    assert re.match(r"\d+ steps of 1 numbers; ", out)
    counts = re.findall(rf"epoch [12]: mean squared error {NUMBER} of (\d+) steps\n", out)
    steps = int(out.split()[0])
    assert [int(count) for count in counts] == [steps - 1] * 2, "every step but the last has a next one"


def test_prediction_over_a_longer_series(run: Run, tmp_path: Path) -> None:
    sizes = ["--rows", 2, "--steps", 10, "--units", 4, "--epochs", 1]
    out = run("stateful_prediction_keras", save_series(tmp_path), *sizes)
    found = re.match(r"(\d+) predictions for (\d+) steps\n", out)
    assert found is not None
    assert found[1] == found[2]
    assert float(re.findall(rf"differ by at most ({NUMBER})", out)[0]) < 1e-5
    assert "the state of training is untouched: True\n" in out


@on_tensorflow
def test_validation_in_the_loop(run: Run, tmp_path: Path) -> None:
    sizes = ["--rows", 4, "--steps", 10, "--units", 4, "--epochs", 2]
    out = run("validation_in_the_loop_tf", save_series(tmp_path), *sizes)
    assert re.fullmatch(rf"(epoch [12]: validation R² {NUMBER}\n){{2}}", out)


def test_a_language_model_writes(run: Run, tmp_path: Path) -> None:
    sizes = ["--rows", 8, "--steps", 32, "--units", 8, "--epochs", 1, "--characters", 5]
    out = run("language_model_keras", save_text(tmp_path), *sizes)
    assert re.match(rf"test: {NUMBER} bits a character, \d+ characters of \d+ documents\nThe ", out)


def test_an_output_at_every_step_with_targets_of_several_features(run: Run) -> None:
    out = run("sequence_to_sequence_equal_length_keras", "--epochs", 1, "--units", 4)
    assert re.search(rf"error {NUMBER} of the next step; forecasting no change {NUMBER}\n", out)
    assert float(out.rsplit("at most ")[1]) < 1e-6


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_examples_say_what_they_are(run: Run, capsys: pytest.CaptureFixture[str], path: Path) -> None:
    if path.stem.endswith("_tf") and keras.backend.backend() != "tensorflow":
        pytest.skip("the loop is TensorFlow's")
    check_help(run, capsys, path)
