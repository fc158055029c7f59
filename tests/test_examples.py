"""The PyTorch scripts in examples/ run, each on a small size, and print their results."""

import re
import runpy
import sys
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import numpy as np
import pytest

from tests.examples import (
    EXAMPLES,
    NUMBER,
    OF_KERAS,
    Run,
    check_help,
    long_table,
    running,
    save_labelled_texts,
    save_series,
    save_text,
)
from tests.train.ranks.processes import values

PATHS = sorted(set(EXAMPLES.glob("*.py")) - {path for pattern in OF_KERAS for path in EXAMPLES.glob(pattern)})


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    return running(monkeypatch, capsys)


def test_unknown_words(run: Run, tmp_path: Path) -> None:
    out = run("text_oov_torch", save_labelled_texts(tmp_path), "--epochs", 1, "--min-count", 2)
    train, test = map(float, re.findall(rf"part: \d+ texts, ({NUMBER})% of their words unknown\n", out))
    assert 0 < train < test
    assert re.search(rf"test: loss {NUMBER}, accuracy {NUMBER}%; always the most frequent label {NUMBER}%\n$", out)


def test_windows_of_a_split_series(run: Run, tmp_path: Path) -> None:
    sizes = ["--steps", 12, "--horizon", 3, "--hidden", 4, "--epochs", 1]
    out = run("stateless_windows_forecast_torch", save_series(tmp_path), *sizes)
    assert re.match(r"windows: 30 to train on, \d+ to choose the epoch by, 13 to test\n", out)
    assert re.search(rf"test: mean absolute error {NUMBER}; repeating the last 3 steps {NUMBER}\n$", out)


def test_series_on_one_axis_of_time(run: Run, tmp_path: Path) -> None:
    long_table().to_csv(tmp_path / "stocks.csv", index=False)
    out = run("aligned_series", tmp_path / "stocks.csv", "--epochs", 1, "--hidden", 4)
    assert out.startswith("12 series on 12 rows, 8 batches, ")
    assert "; 2 series begin later than the first\neach column is one time for all: True\n" in out
    assert re.search(rf"mean squared error {NUMBER} of the scaled change; forecasting no change {NUMBER}\n$", out)


def test_one_long_series_on_rows(run: Run, tmp_path: Path) -> None:
    sizes = ["--time", "ts", "--rows", 4, "--steps", 10, "--hidden", 4, "--epochs", 2]
    out = run("stateful_long_series_custom_loop_torch", save_series(tmp_path), *sizes)
    assert re.match(r"\d+ steps of 1 numbers; ", out)
    found = re.findall(rf"epoch [12]: mean squared error ({NUMBER}) of (\d+) steps\n", out)
    steps = int(out.split()[0])
    assert [int(count) for _, count in found] == [steps - 1] * 2, "every step but the last has a next one"
    assert float(found[1][0]) < float(found[0][0])


def test_prediction_over_a_longer_series(run: Run, tmp_path: Path) -> None:
    sizes = ["--rows", 2, "--steps", 10, "--hidden", 4, "--epochs", 1]
    out = run("stateful_prediction_torch", save_series(tmp_path), *sizes)
    found = re.match(r"(\d+) predictions for (\d+) steps\n", out)
    assert found is not None
    assert found[1] == found[2]
    assert float(re.findall(rf"differ by at most ({NUMBER})", out)[0]) < 1e-5
    assert "predicting after every batch of training changes no weight: True\n" in out


def test_validation_in_the_loop(run: Run, tmp_path: Path) -> None:
    sizes = ["--rows", 4, "--steps", 10, "--hidden", 4, "--epochs", 2]
    often, seldom = (run("validation_in_the_loop_torch", save_series(tmp_path), *sizes, "--every", n) for n in (2, 99))
    ends = rf"epoch [12]: validation R² -?{NUMBER}, mean squared error {NUMBER}\n"
    assert re.fullmatch(rf"({ends}){{2}}", seldom)
    assert re.findall(r"update \d+", often)[:2] == ["update 2", "update 4"]
    assert re.findall(ends, often) == re.findall(ends, seldom), "validation in the middle moves no training"


def test_ones_own_dataset(run: Run) -> None:
    assert re.fullmatch(r"test: \d+ of 370 recordings right, [\d.]+%\n", run("own_dataset_torch", "--epochs", 1))


def test_a_model_of_ones_own_goes_on_after_a_stop_as_if_there_was_none(run: Run, tmp_path: Path) -> None:
    sizes = ["--epochs", 2, "--hidden", 4]
    whole = run("own_model_in_the_trainer_torch", tmp_path / "whole", *sizes)
    assert run("own_model_in_the_trainer_torch", tmp_path / "cut", *sizes, "--stop-at", 5) == "stopped after update 5\n"
    rest = run("own_model_in_the_trainer_torch", tmp_path / "cut", *sizes)
    assert rest == f"going on after update 5\n{whole}"
    assert re.search(rf"best: loss {NUMBER} after update 28; all weights add up to -?{NUMBER}\n$", whole)


def test_sequences_of_one_length(run: Run) -> None:
    out = run("fixed_length_custom_loop_torch", "--epochs", 2)
    assert re.fullmatch(rf"(epoch [12]: loss {NUMBER}, accuracy {NUMBER}% of 100 sequences\n){{2}}", out)


@pytest.mark.parametrize(("budget", "shape"), [((), "32 × 14"), (("--cells", 200), "14 × 14")])
def test_batches_of_similar_lengths(run: Run, budget: tuple[object, ...], shape: str) -> None:
    out = run("batch_size_per_bucket_torch", "--epochs", 1, *budget)
    assert f"rows × steps: {shape}\n" in out
    assert re.search(rf"\d+ batches, {NUMBER}% padding\ntest: \d+ of 370 recordings right, {NUMBER}%\n$", out)


def test_packed_sequences_and_grids_learn_alike(run: Run) -> None:
    out = run("packed_sequences_torch", "--epochs", 1)
    losses = re.findall(rf"(?:PackedSequence|grid): loss ({NUMBER}) over 9321 steps", out)
    assert len(losses) == 2
    assert float(losses[0]) == pytest.approx(float(losses[1]), rel=0.3)


def test_an_output_at_every_step_scores_alike_in_every_layout(run: Run) -> None:
    out = run("per_step_masked_loss_torch", "--epochs", 1)
    padded, *others = np.array(
        re.findall(rf"test, \w+: loss ({NUMBER}), accuracy ({NUMBER})% of 5687 steps", out), float
    )
    assert len(others) == 2
    np.testing.assert_allclose(others, [padded] * 2, atol=0.11)  # of what is printed, the last digit may be rounded


def test_batches_of_two(run: Run) -> None:
    out = run("odd_lengths_batches_of_two_torch", "--epochs", 2)
    assert len(re.findall(r"a batch of [12] × \d\d cells", out)) == 3
    assert float(out.rsplit("at most ")[1]) < 1e-6


def test_an_output_at_every_step_with_targets_of_several_features(run: Run) -> None:
    out = run("sequence_to_sequence_equal_length_torch", "--epochs", 1, "--hidden", 4)
    assert re.search(rf"error {NUMBER} of the next step; forecasting no change {NUMBER}\n", out)
    assert out.endswith("final states are those of the ends: True\n")


def test_a_language_model_writes(run: Run, tmp_path: Path) -> None:
    path = save_text(tmp_path)
    documents = [document for document in path.read_text(encoding="utf-8").split("\n\n") if document.strip()]
    train, test = documents[: int(0.9 * len(documents))], documents[int(0.9 * len(documents)) :]
    sizes = ["--rows", 8, "--steps", 16, "--units", 8, "--epochs", 2, "--characters", 30, "--prompt", "The grid"]
    out = run("language_model_torch", path, *sizes)
    found = re.findall(rf"epoch [12]: ({NUMBER}) nats a character, (\d+) characters\n", out)
    assert [int(count) for _, count in found] == [sum(map(len, train))] * 2, "every character counts, the first too"
    assert float(found[1][0]) < float(found[0][0])
    counted = rf"\ntest: {NUMBER} nats a character, {sum(map(len, test))} characters of {len(test)} documents\n"
    assert re.search(counted, out)
    assert re.search(r"The grid(?s:.){30}\n$", out)


def test_a_language_model_counts_a_batch_that_foretells_nothing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text(
        "\n\n".join(["ab"] * 20)
    )  # 18 to train on, of 3 steps each; the last batch is one step
    out = run("language_model_torch", tmp_path / "text.txt", "--rows", 1, "--steps", 53, "--units", 4, "--epochs", 1)
    assert re.match(rf"epoch 1: {NUMBER} nats a character, 36 characters\n", out)


def _losses_of_processes() -> list[str]:
    printed = StringIO()
    sys.argv = ["ddp_torch", "--epochs", "2", "--hidden", "4"]
    with redirect_stdout(printed):
        runpy.run_path(str(EXAMPLES / "ddp_torch.py"), run_name="__main__")
    return re.findall(rf"epoch \d+: loss ({NUMBER})\n", printed.getvalue())


def test_processes_of_ddp_train_as_one_does() -> None:
    (one,), (two, nothing) = values(1, _losses_of_processes), values(2, _losses_of_processes)
    assert [float(loss) for loss in two] == pytest.approx([float(loss) for loss in one], rel=1e-4)
    assert (len(one), nothing) == (2, [])


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_examples_say_what_they_are(run: Run, capsys: pytest.CaptureFixture[str], path: Path) -> None:
    check_help(run, capsys, path)
