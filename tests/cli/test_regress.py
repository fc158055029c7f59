"""`drystone` with a number a sequence: fit, evaluate, predict, export."""

import json
import math
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

FAST = ["--hidden-size", "4", "--epochs", "1", "--quiet"]
KEYS = ["animals.csv", "--sequence-id", "tag", "--order-by", "day", "--target", "weight_kg"]


@pytest.fixture(autouse=True)
def _animals(tmp_path: Path) -> None:
    rows = [
        f"cow-{tag},{day},{math.sin(tag + day):.3f},{400 + tag / 8:.3f},{'yes' if tag % 2 else 'no'}"
        for tag in range(30)
        for day in range(2 + tag % 5)
    ]
    (tmp_path / "animals.csv").write_text("\n".join(["tag,day,girth,weight_kg,calved", *rows]) + "\n")


def test_a_run_from_beginning_to_end(program: Any) -> None:
    code, out, err = program("fit", *KEYS, *FAST, "--no-bidirectional")
    assert (code, err) == (0, "")
    assert 'task = "regress"' in Path("runs/animals-1/config.toml").read_text()
    assert "\ntest rmse " in out
    keys = KEYS[1:5]
    code, out, _ = program("evaluate", "runs/animals-1", "animals.csv", *keys)
    assert code == 0
    assert [line.split()[:2] for line in out.splitlines()[:4]] == [
        ["test", name] for name in ("rmse", "mae", "r2", "loss")
    ]
    assert program("predict", "runs/animals-1", "animals.csv", *keys, "--out", "p.parquet")[0] == 0
    table = pq.read_table("p.parquet")
    assert table.column_names == ["sequence", "tag", "prediction"]
    assert table.num_rows == 30
    assert all(300 < value < 500 for value in table["prediction"].to_pylist())
    (record,) = json.loads(program("runs", "--json")[1])
    assert (record["task"], record["figure"], record["target"]) == ("regress", "rmse", "weight_kg")


def test_a_task_that_does_not_suit_says_which_would(program: Any, tmp_path: Path) -> None:
    code, out, err = program("fit", *KEYS[:5], "--target", "calved", "--task", "regress", *FAST)
    assert (code, out) == (2, "")
    assert "target 'calved' is text; regress learns numbers.\nThe task classify would suit this target" in err
    code, _, err = program("fit", *KEYS, "--task", "classify", *FAST)
    assert (code, "task='regress' learns it" in err) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == ["animals.csv"]


def test_an_export_is_refused(program: Any) -> None:
    assert program("fit", *KEYS, *FAST)[0] == 0
    code, _, err = program("export", "runs/animals-1", "--to", "torch")
    assert (code, "trained to regress; only runs that classify" in err) == (2, True)
