"""The scripts in examples/ run, each on a small size, and print their results."""

import re
import runpy
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import drystone as ds

EXAMPLES = Path(__file__).parents[1] / "examples"
NUMBER = r"[\d.e+-]+"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    def output_of(name: str, *arguments: object) -> str:
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
        return capsys.readouterr().out

    return output_of


@pytest.fixture
def long_table() -> pd.DataFrame:
    """Twelve real series of 300 days, of which one in eleven is missing, and the last series starts late."""
    values = ds.read("japanese-vowels").field("x").values[:300]
    days = pd.date_range("2020-01-01", periods=300)
    series = [pd.DataFrame({"stock": f"s{number}", "date": days, "price": values[:, number]}) for number in range(12)]
    series[-1] = series[-1].iloc[100:]
    whole = pd.concat(series)
    return whole[np.arange(len(whole)) % 11 != 7]


def test_windows_of_a_split_series(run, long_table: pd.DataFrame, tmp_path: Path) -> None:
    one = long_table[long_table.stock == "s0"].rename(columns={"date": "ts", "price": "y"})
    one[["ts", "y"]].to_csv(tmp_path / "series.csv", index=False)
    sizes = ["--steps", 12, "--horizon", 3, "--hidden", 4, "--epochs", 1]
    out = run("stateless_windows_forecast_torch", tmp_path / "series.csv", *sizes)
    assert re.match(r"windows: 30 to train on, \d+ to choose the epoch by, 13 to test\n", out)
    assert re.search(rf"test: mean absolute error {NUMBER}; repeating the last 3 steps {NUMBER}\n$", out)


def test_series_on_one_axis_of_time(run, long_table: pd.DataFrame, tmp_path: Path) -> None:
    long_table.to_csv(tmp_path / "stocks.csv", index=False)
    out = run("aligned_series", tmp_path / "stocks.csv", "--epochs", 1, "--hidden", 4)
    assert out.startswith("12 series on 12 rows, 8 batches, ")
    assert re.search(rf"mean squared error {NUMBER} of the scaled change; forecasting no change {NUMBER}\n$", out)


def test_ones_own_dataset(run) -> None:
    assert re.fullmatch(r"test: \d+ of 370 recordings right, [\d.]+%\n", run("own_dataset_torch", "--epochs", 1))


def test_sequences_of_one_length(run) -> None:
    out = run("fixed_length_custom_loop_torch", "--epochs", 2)
    assert re.fullmatch(rf"(epoch [12]: loss {NUMBER}, accuracy {NUMBER}% of 100 sequences\n){{2}}", out)


@pytest.mark.parametrize(("budget", "shape"), [((), "32 × 14"), (("--cells", 200), "14 × 14")])
def test_batches_of_similar_lengths(run, budget: tuple[object, ...], shape: str) -> None:
    out = run("batch_size_per_bucket_torch", "--epochs", 1, *budget)
    assert f"rows × steps: {shape}\n" in out
    assert re.search(rf"\d+ batches, {NUMBER}% padding\ntest: \d+ of 370 recordings right, {NUMBER}%\n$", out)


def test_packed_sequences_and_grids_learn_alike(run) -> None:
    out = run("packed_sequences_torch", "--epochs", 1)
    losses = re.findall(rf"(?:PackedSequence|grid): loss ({NUMBER}) over 9321 steps", out)
    assert len(losses) == 2
    assert float(losses[0]) == pytest.approx(float(losses[1]), rel=0.3)


def test_an_output_at_every_step_scores_alike_in_every_layout(run) -> None:
    out = run("per_step_masked_loss_torch", "--epochs", 1)
    padded, *others = np.array(
        re.findall(rf"test, \w+: loss ({NUMBER}), accuracy ({NUMBER})% of 5687 steps", out), float
    )
    assert len(others) == 2
    np.testing.assert_allclose(others, [padded] * 2, atol=0.11)  # of what is printed, the last digit may be rounded


def test_batches_of_two(run) -> None:
    out = run("odd_lengths_batches_of_two_torch", "--epochs", 2)
    assert len(re.findall(r"a batch of [12] × \d\d cells", out)) == 3
    assert float(out.rsplit("at most ")[1]) < 1e-6


def test_an_output_at_every_step_with_targets_of_several_features(run) -> None:
    out = run("sequence_to_sequence_equal_length_torch", "--epochs", 1, "--hidden", 4)
    assert re.search(rf"error {NUMBER} of the next step; forecasting no change {NUMBER}\n", out)
    assert out.endswith("final states are those of the ends: True\n")


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.stem)
def test_examples_say_what_they_are(run, capsys: pytest.CaptureFixture[str], path: Path) -> None:
    with pytest.raises(SystemExit) as stop:
        run(path.stem, "--help")
    assert stop.value.code == 0
    assert "The usual trap: " in capsys.readouterr().out
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 100
