"""Tags on the command line: what is printed and written."""

import json
from pathlib import Path
from typing import Any

import pyarrow.csv as csv
import pyarrow.parquet as pq
import pytest

import drystone as ds
from tests.train.tasks.test_tag import tagged

FAST = ["--features", "x", "--epochs", "2", "--hidden-size", "4", "--quiet"]


@pytest.fixture(autouse=True)
def _data(tmp_path: Path) -> None:
    pq.write_table(tagged().to_arrow(), tmp_path / "data.parquet")


def test_fit_evaluate_predict_runs(program: Any) -> None:
    code, out, err = program("fit", "data.parquet", "--target", "word", *FAST)
    assert (code, err) == (0, "")
    *_, test, _ = out.splitlines()
    assert test.startswith("test loss ")
    code, out, err = program("evaluate", "runs/data-1", "data.parquet")
    assert (code, err) == (0, "")
    assert [line.split()[1] for line in out.splitlines()] == ["loss", "accuracy", "f1", "sequences", "steps"]
    assert out.splitlines()[0] == test
    code, out, _ = program("predict", "runs/data-1", "data.parquet", "--out", "p.parquet")
    assert (code, out) == (0, f"{tagged().num_steps} predictions in p.parquet\n")
    (record,) = json.loads(program("runs", "--json")[1])
    assert (record["task"], record["figure"]) == ("tag", "loss")


def test_the_next_step_and_lists_in_csv(program: Any) -> None:
    code, _, err = program("fit", "data.parquet", "--target", "keys", "--task", "tag", "--ahead", "1", *FAST)
    assert (code, err) == (0, "")
    assert program("predict", "runs/data-1", "data.parquet", "--out", "p.csv")[0] == 0
    texts = csv.read_csv("p.csv")["prediction"].to_pylist()
    expected = ds.Run.open("runs/data-1").predict("data.parquet")["prediction"].to_pylist()
    assert [json.loads(text) for text in texts] == expected
    code, _, err = program("fit", "data.parquet", "--target", "keys", "--ahead", "1", "--bidirectional", *FAST)
    assert (code, "a backward direction would read what is to be said" in err) == (2, True)


def test_a_task_that_does_not_suit_names_the_one_that_does(program: Any) -> None:
    code, _, err = program("fit", "data.parquet", "--target", "id", "--task", "tag", *FAST)
    assert (code, "--task classify" in err) == (2, True)
    code, _, err = program("fit", "data.parquet", "--target", "word", "--task", "classify", *FAST)
    assert (code, "--task tag" in err) == (2, True)
