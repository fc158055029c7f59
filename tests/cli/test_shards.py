"""`drystone plan`, `fit`, `evaluate` and `predict` on folders and patterns of shards, as on one file."""

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.cli.small import write_tiny

FAST = ["--target", "y", "--hidden-size", "3", "--epochs", "2", "--batch-size", "8", "--quiet"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of shards that hold the sequences of tiny.parquet, beside that file."""
    write_tiny(tmp_path)
    table = pq.read_table(tmp_path / "tiny.parquet")
    folder = tmp_path / "many"
    folder.mkdir()
    for number, start in enumerate(range(0, table.num_rows, 9)):
        pq.write_table(table.slice(start, 9), folder / f"part-{number}.parquet")
    return folder


def test_plan(program: Any, folder: Path) -> None:
    code, out, err = program("plan", "many", "--json")
    assert (code, err) == (0, "")
    expected = json.loads(program("plan", "tiny.parquet", "--json")[1])
    assert json.loads(out) | {"data": ""} == expected | {"data": ""}
    assert program("plan", "many/*.parquet")[0] == 0


def test_fit_evaluate_and_predict(program: Any, folder: Path) -> None:
    for data in ("tiny.parquet", "many", "many/part-*.parquet"):
        code, _, err = program("fit", data, *FAST, "--out", f"run-{data[:4]}-{len(data)}")
        assert (code, err) == (0, "")
    one, folder_of, pattern = (Path(name) for name in ("run-tiny-12", "run-many-4", "run-many-19"))
    weights = (one / "weights.safetensors").read_bytes()
    assert (folder_of / "weights.safetensors").read_bytes() == weights
    assert (pattern / "weights.safetensors").read_bytes() == weights
    assert program("evaluate", str(one), "many")[1] == program("evaluate", str(one), "tiny.parquet")[1]
    code, out, _ = program("predict", str(folder_of), "many", "--out", "p.parquet")
    assert (code, out) == (0, "24 predictions in p.parquet\n")


def test_a_shard_that_does_not_fit_is_an_error_and_no_traceback(program: Any, folder: Path) -> None:
    pq.write_table(pq.read_table(folder / "part-0.parquet").rename_columns(["x", "z"]), folder / "part-9.parquet")
    code, out, err = program("fit", "many", *FAST)
    assert (code, out) == (2, "")
    assert err == (
        "error: many: part-9.parquet has no column 'y' and a column 'z' more, where part-0.parquet has x, y; all shards need "
        "the same columns.\n"
    )
    assert not Path("runs").exists()
