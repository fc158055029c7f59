"""Several labels at once, and class weights, on the command line."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pyarrow.csv as csv
import pyarrow.parquet as pq
import pytest

import drystone as ds
from tests.train.tasks.labelled import NAMES, labelled

FAST = ["--features", "x", "--epochs", "2", "--hidden-size", "4", "--quiet"]


@pytest.fixture(autouse=True)
def _data(tmp_path: Path) -> None:
    pq.write_table(labelled().to_arrow(), tmp_path / "data.parquet")


def test_fit_evaluate_predict_export(program: Any) -> None:
    code, out, err = program("fit", "data.parquet", "--target", ",".join(NAMES), "--task", "classify", *FAST)
    assert (code, err) == (0, "")
    *_, test, _ = out.splitlines()
    assert test.startswith("test accuracy ")
    assert "(marginal: " in test
    code, out, err = program("evaluate", "runs/data-1", "data.parquet")
    assert (code, err) == (0, "")
    assert [line.split()[1] for line in out.splitlines()[:4]] == ["accuracy", "f1", "micro_f1", "loss"]
    assert program("predict", "runs/data-1", "data.parquet", "--out", "p.csv")[0] == 0
    table = csv.read_csv("p.csv")
    assert table.column_names == ["sequence", "prediction", *(f"p_{name}" for name in NAMES)]
    expected = ds.Run.open("runs/data-1").predict("data.parquet")["prediction"].to_pylist()
    assert [json.loads(text) for text in table["prediction"].to_pylist()] == expected
    code, out, _ = program("export", "runs/data-1", "--to", "torch")
    assert (code, "labels of loud,high,long: loud, high, long" in out) == (0, True)
    assert "probabilities = logits.sigmoid()" in out


def test_weights_are_given_by_option_and_by_file(program: Any) -> None:
    arguments = ["fit", "data.parquet", "--target", "way", *FAST]
    assert program(*arguments, "--class-weights", "hot=5,cold=0.5")[::2] == (0, "")
    kept = tomllib.loads(Path("runs/data-1/config.toml").read_text())
    assert (kept["class_weights"], kept["checkpoint_seconds"]) == ({"hot": 5.0, "cold": 0.5}, 60.0)
    assert program("fit", "--config", "runs/data-1/config.toml", "--quiet")[::2] == (0, "")
    Path("run.toml").write_text("class_weights = 'balanced'\n")
    assert program(*arguments, "--config", "run.toml")[::2] == (0, "")
    first, second, balanced = (Path(f"runs/data-{number}/weights.safetensors").read_bytes() for number in (1, 2, 3))
    assert first == second != balanced
    Path("table.toml").write_text("[class_weights]\nhot = 5\ncold = 0.5\n")
    assert program(*arguments, "--config", "table.toml")[::2] == (0, "")
    assert Path("runs/data-4/weights.safetensors").read_bytes() == first


def test_bad_weights_end_with_a_sentence(program: Any) -> None:
    arguments = ["fit", "data.parquet", "--target", "way", *FAST, "--class-weights"]
    for given, words in (
        ("boiling=2", "class_weights names 'boiling', which 'way' does not have; it has: cold, hot, warm."),
        ("heavy", "class_weights is 'heavy': expected balanced, or a weight for each of some classes"),
        ("hot=-1", "the weight of 'hot' is -1.0; expected a number above 0"),
    ):
        code, out, err = program(*arguments, given)
        assert (code, out, words in err) == (2, "", True), err
    assert not Path("runs").exists()
